"""The command line: progress and errors on standard error, one JSON line at the end of standard output."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from traintable import __version__
from traintable.errors import TraintableError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

ConfigOption = Annotated[Path, typer.Option("--config", help="The YAML file of the dataset.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="section.key=value; may be given several times.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; the console script and jobs/*.py call it."""
    for chatty in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):  # Spark logs errors that we report
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what has to be cleaned up is
    try:
        app(args=None if arguments is None else list(arguments), prog_name="traintable")
    except _Answered:
        raise
    except SystemExit as stop:
        if stop.code:  # wrong usage, which standard error has explained
            print(json.dumps({"status": "failed", "message": "wrong usage: see standard error"}), flush=True)
        raise


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


class _Answered(SystemExit):
    """The end of a command that has printed its JSON line."""


def answer(work: Callable[[], Mapping[str, Any]]) -> None:
    """Do the work, print its JSON line, and exit with the code that its status or its error has."""
    try:
        result = work()
        code = 1 if result["status"] == "failed" else 0
    except TraintableError as error:
        print(f"error: {error}", file=sys.stderr)
        result, code = {"status": error.status, "error": error.to_dict(), "message": str(error)}, error.exit_code
    except Exception as error:  # a fault of ours or of Spark's: one line, and the whole trace for those who ask
        line = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
        print(f"error: {line}", file=sys.stderr)
        if os.environ.get("TRAINTABLE_LOG_LEVEL") == "DEBUG":
            traceback.print_exc()
        else:
            print("Set TRAINTABLE_LOG_LEVEL=DEBUG to see where it came from.", file=sys.stderr)
        result, code = {"status": "failed", "error": {"type": type(error).__name__}, "message": line}, 1
    print(json.dumps(result, default=str), flush=True)
    raise _Answered(code)
