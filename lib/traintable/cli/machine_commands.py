"""The commands about the machine: `doctor`, `jars`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from traintable.cli.app import answer, app


@app.command()
def doctor(
    path: Annotated[list[str] | None, typer.Option("--path", help="A folder that runs will write to.")] = None,
    table: Annotated[str | None, typer.Option("--table", help="A landed table to recount.")] = None,
) -> None:
    """Check Java, Python, jars and storage, each with its fix; or whether a landed table agrees with its ledger."""

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

    answer(work)


@app.command()
def jars(dest: Annotated[Path, typer.Option("--dest", help="The folder to put them in.")]) -> None:
    """Fetch the pinned jars, for sites without a registry."""

    def work() -> Mapping[str, Any]:
        from traintable.spark import jars as pinned_jars

        if pinned_jars.missing(dest):
            pinned_jars.fetch(dest)
        return {"status": "unchanged", "dest": str(dest.resolve()), "jars": pinned_jars.ensure(dest)}

    answer(work)
