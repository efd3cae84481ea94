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
from traintable.cli.lines import _analysed, _differences, _forgotten, _landed, _summary, _vacuumed, _version_line
from traintable.errors import ConfigError, TraintableError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

ConfigOption = Annotated[Path, typer.Option("--config", help="The YAML file of the dataset.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="section.key=value; may be given several times.")]

AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="drift, rows or schema: what the gate then only warns of.")
]
TableArgument = Annotated[str, typer.Argument(help="A path, or an address s3a://bucket/prefix.")]
ByOption = Annotated[str, typer.Option("--by", help="The name of what needs the version.")]


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


@app.command()
def run(config: ConfigOption, overrides: SetOption = None, allow: AllowOption = None) -> None:
    """The whole way through: read, label, split, fit, transform, gate, publish."""

    def work() -> Mapping[str, Any]:
        from traintable.config import load
        from traintable.spark.progress import Progress

        settings = load(config, overrides or ())
        progress = Progress()
        progress.note(f"traintable {__version__}  {settings.name}  ({config})")
        from traintable.run import run as run_job

        outcome = run_job(settings, allow=allow or (), progress=progress)
        progress.note(_summary(outcome.to_dict()))
        return outcome.to_dict()

    _answer(work)


@app.command()
def ingest(
    config: ConfigOption,
    interval: Annotated[str | None, typer.Option("--interval", help="START/END in UTC; several intervals too.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Take repaired records of the quarantine back in.")] = False,
    overrides: SetOption = None,
) -> None:
    """Land what is new of a source in a Delta table, once; what can't be landed is kept with the reason."""

    def work() -> Mapping[str, Any]:
        from traintable.config.ingest import load
        from traintable.spark.progress import Progress

        settings = load(config, overrides or ())
        progress = Progress()
        progress.note(f"traintable {__version__}  {settings.name}  ({config})")
        if replay:
            from traintable.ingest.replay import replay as take_back

            result = take_back(settings, progress=progress)
        else:
            from traintable.ingest.job import ingest as land

            result = land(settings, interval=interval, progress=progress)
        for note in _landed(result):
            progress.note(note)
        return result

    _answer(work)


@app.command()
def analyse(config: ConfigOption, overrides: SetOption = None) -> None:
    """Profile the rows, write a report, and propose a plan that `run` carries out."""

    def work() -> Mapping[str, Any]:
        from traintable.config.dataset import load, plan_path
        from traintable.spark.progress import Progress

        settings = load(config, overrides or (), with_plan=False)
        progress = Progress()
        progress.note(f"traintable {__version__}  {settings.name}  ({config})")
        from traintable.run.analyse import analyse_table

        result = analyse_table(settings, plan=plan_path(config), progress=progress)
        for note in _analysed(result):
            progress.note(note)
        return result

    _answer(work)


@app.command()
def sample(config: ConfigOption, overrides: SetOption = None) -> None:
    """Draw a sample of one table and publish it as another, with the probability of each row."""

    def work() -> Mapping[str, Any]:
        from traintable.config.sample import load
        from traintable.spark.progress import Progress

        settings = load(config, overrides or ())
        progress = Progress()
        progress.note(f"traintable {__version__}  {settings.name}  ({config})")
        from traintable.run.sample import draw_sample

        result = draw_sample(settings, progress=progress)
        rows = result["rows"]
        progress.note(f"{result['status']}: {result['table']} version {result['version']}")
        progress.note(f"  {rows['drawn']:,} of {rows['read']:,} rows, {result['method']}")
        return result

    _answer(work)


@app.command()
def history(path: Annotated[str, typer.Argument(help="A path, an address, or catalog.schema.table.")]) -> None:
    """Versions of a training table with their manifests."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.history import history as read_history

        commits = read_history(path)
        for commit in commits:
            print(_version_line(commit), file=sys.stderr)
        return {"status": "unchanged", "table": path, "versions": commits}

    _answer(work)


@app.command()
def diff(
    path: Annotated[str, typer.Argument(help="A training table: a path, an address, or catalog.schema.table.")],
    a: Annotated[int, typer.Argument(help="A version.")],
    b: Annotated[int, typer.Argument(help="Another one.")],
) -> None:
    """What two versions of a training table differ in: rows, columns, distributions, configuration."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.difference import diff as differences
        from traintable.spark.session import get_spark, pinned_settings

        spark = get_spark()
        with pinned_settings(spark):
            found = differences(path, a, b, spark)
        for line in _differences(found):
            print(line, file=sys.stderr)
        return {"status": "unchanged", "table": path, "a": a, "b": b, **found}

    _answer(work)


@app.command()
def pin(
    path: TableArgument,
    version: Annotated[int, typer.Argument(help="The version to keep.")],
    by: ByOption,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    copy: Annotated[str | None, typer.Option("--copy", help="Where a deep copy of the version goes.")] = None,
) -> None:
    """Keep a version of a training table readable, whatever is vacuumed."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.pins import pin as keep

        pinned = keep(path, version, by=by, note=note, copy=copy)
        print(f"pinned: {path} version {version} by {by}", file=sys.stderr)
        return {"status": "pinned", "table": path, **pinned}

    _answer(work)


@app.command()
def unpin(path: TableArgument, by: ByOption) -> None:
    """Remove a pin; deep copies stay."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.pins import unpin as release

        pinned = release(path, by)
        print(f"unpinned: {path} version {pinned['version']}", file=sys.stderr)
        return {"status": "unpinned", "table": path, **pinned}

    _answer(work)


@app.command()
def vacuum(
    path: TableArgument,
    retain_hours: Annotated[float, typer.Option("--retain-hours", help="Keep versions replaced since then.")] = 168.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove files of old versions of a training table that no pin keeps, and what crashed writers have left."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.vacuum import vacuum as sweep

        result = sweep(path, retain_hours=retain_hours, dry_run=dry_run)
        for line in _vacuumed(result):
            print(line, file=sys.stderr)
        return result

    _answer(work)


@app.command()
def rebuild(
    path: Annotated[str, typer.Argument(help="A training table: a path, an address, or catalog.schema.table.")],
    version: Annotated[int, typer.Argument(help="The version to make again.")],
    to: Annotated[str | None, typer.Option("--to", help="The table to make; else <table>_rebuilt_<version>.")] = None,
) -> None:
    """Make a version again from its pinned inputs, as another table, and see that its rows are the same."""

    def work() -> Mapping[str, Any]:
        from traintable.run.rebuild import rebuild as make_again
        from traintable.spark.progress import Progress

        progress = Progress()
        found = make_again(_absolute(path), version, to=to and _absolute(to), progress=progress)
        progress.note(_summary(found.outcome.to_dict()))
        progress.note(f"equal: content hash {found.outcome.details['content_hash']}")
        for name, (then, now) in found.differences.items():
            progress.note(f"made with other {name}: {then} then, {now} now")
        return {**found.outcome.to_dict(), "rebuilt": {"table": path, "version": version}, "makers": found.differences}

    _answer(work)


@app.command()
def forget(
    path: TableArgument,
    key: Annotated[list[str], typer.Option("--key", help="column=value; may be given for several columns.")],
    even_pinned: Annotated[bool, typer.Option("--even-pinned", help="Change pinned versions too.")] = False,
    quarantine: Annotated[str | None, typer.Option("--quarantine", help="Where removed rows lie.")] = None,
    also: Annotated[list[str] | None, typer.Option("--also", help="Another table, such as a copy.")] = None,
) -> None:
    """Remove somebody's rows from all versions of a training table, and show that they are gone."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.erasure import forget as erase

        wanted = _assignments(key)
        result = erase(path, wanted, even_pinned=even_pinned, quarantine=quarantine, also=also or ())
        for line in _forgotten(result):
            print(line, file=sys.stderr)
        return result

    _answer(work)


@app.command()
def doctor(
    path: Annotated[list[str] | None, typer.Option("--path", help="A folder that runs shall write to.")] = None,
    table: Annotated[str | None, typer.Option("--table", help="A landed table, to be recounted.")] = None,
) -> None:
    """Java, Python, jar and storage checks, each with its fix; of a landed table, whether its ledger is right."""

    def work() -> Mapping[str, Any]:
        from traintable.cli.doctor import examine

        if table is None:
            findings = examine(path or [os.getcwd()])
        else:
            from traintable.ingest.recount import recount

            findings = recount(os.path.abspath(table))
        for finding in findings:
            print(finding.line(), file=sys.stderr)
        status = "unchanged" if all(finding.ok for finding in findings) else "failed"
        return {"status": status, "checks": [finding.to_dict() for finding in findings]}

    _answer(work)


@app.command()
def jars(dest: Annotated[Path, typer.Option("--dest", help="The folder to put them in.")]) -> None:
    """The pinned jars, for sites without a registry."""

    def work() -> Mapping[str, Any]:
        from traintable.spark import jars as pinned

        if pinned.missing(dest):
            pinned.fetch(dest)
        return {"status": "unchanged", "dest": str(dest.resolve()), "jars": pinned.ensure(dest)}

    _answer(work)


class _Answered(SystemExit):
    """The end of a command that has printed its JSON line."""


def _answer(work: Callable[[], Mapping[str, Any]]) -> None:
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


def _absolute(path: str) -> str:
    from traintable.addresses import resolve

    return resolve(path, os.getcwd())


def _assignments(pairs: Sequence[str]) -> dict[str, str]:
    """Values by column, of column=value."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in found:
            raise ConfigError(
                where="--key",
                expected="column=value, once for each column",
                found="something else",
                remedy="For example --key person_id=7.",
            )
        found[name] = value
    return found
