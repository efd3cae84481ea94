"""The commands about the versions of a training table."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from traintable.cli.app import answer, app
from traintable.cli.lines import difference_lines, erasure_lines, outcome_text, vacuum_lines, version_line
from traintable.errors import ConfigError

TableArgument = Annotated[str, typer.Argument(help="A path, or an address s3a://bucket/prefix.")]
ByOption = Annotated[str, typer.Option("--by", help="The name of what needs the version.")]


@app.command()
def history(path: Annotated[str, typer.Argument(help="A path, an address, or catalog.schema.table.")]) -> None:
    """Versions of a training table with their manifests."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.history import history as read_history

        commits = read_history(path)
        for commit in commits:
            print(version_line(commit), file=sys.stderr)
        return {"status": "unchanged", "table": path, "versions": commits}

    answer(work)


@app.command()
def diff(
    path: Annotated[str, typer.Argument(help="A training table: a path, an address, or catalog.schema.table.")],
    a: Annotated[int, typer.Argument(help="A version.")],
    b: Annotated[int, typer.Argument(help="Another version.")],
) -> None:
    """How two versions of a training table differ: rows, columns, distributions, configuration."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.difference import diff as compare_versions
        from traintable.spark.session import get_spark, pinned_settings

        spark = get_spark()
        with pinned_settings(spark):
            difference = compare_versions(path, a, b, spark)
        for line in difference_lines(difference):
            print(line, file=sys.stderr)
        return {"status": "unchanged", "table": path, "a": a, "b": b, **difference}

    answer(work)


@app.command()
def pin(
    path: TableArgument,
    version: Annotated[int, typer.Argument(help="The version to keep.")],
    by: ByOption,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    copy: Annotated[str | None, typer.Option("--copy", help="Where a deep copy of the version goes.")] = None,
) -> None:
    """Keep a version of a training table readable, whatever `vacuum` removes."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.version_pins import pin_version

        pinned = pin_version(path, version, by=by, note=note, copy=copy)
        print(f"pinned: {path} version {version} by {by}", file=sys.stderr)
        return {"status": "pinned", "table": path, **pinned}

    answer(work)


@app.command()
def unpin(path: TableArgument, by: ByOption) -> None:
    """Remove a pin; deep copies stay."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.version_pins import unpin_version

        pinned = unpin_version(path, by)
        print(f"unpinned: {path} version {pinned['version']}", file=sys.stderr)
        return {"status": "unpinned", "table": path, **pinned}

    answer(work)


@app.command()
def vacuum(
    path: TableArgument,
    retain_hours: Annotated[float, typer.Option("--retain-hours", help="Keep versions replaced since then.")] = 168.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would be removed.")] = False,
) -> None:
    """Remove files of old versions that no pin keeps, and what crashed writers have left."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.vacuum import vacuum as sweep

        result = sweep(path, retain_hours=retain_hours, dry_run=dry_run)
        for line in vacuum_lines(result):
            print(line, file=sys.stderr)
        return result

    answer(work)


@app.command()
def rebuild(
    path: Annotated[str, typer.Argument(help="A training table: a path, an address, or catalog.schema.table.")],
    version: Annotated[int, typer.Argument(help="The version to build again.")],
    to: Annotated[str | None, typer.Option("--to", help="The new table; by default <table>_rebuilt_<version>.")] = None,
) -> None:
    """Build a version again from its pinned inputs, as another table, and check that its rows are the same."""

    def work() -> Mapping[str, Any]:
        from traintable.run.rebuild import rebuild as build_again
        from traintable.spark.progress import Progress

        progress = Progress()
        rebuilt = build_again(absolute(path), version, to=to and absolute(to), progress=progress)
        progress.note(outcome_text(rebuilt.outcome))
        progress.note(f"equal: content hash {rebuilt.outcome.details['content_hash']}")
        for name, (then, now) in rebuilt.differences.items():
            progress.note(f"built with another {name}: {then} then, {now} now")
        return {
            **rebuilt.outcome.to_dict(),
            "rebuilt": {"table": path, "version": version},
            "makers": rebuilt.differences,
        }

    answer(work)


@app.command()
def forget(
    path: TableArgument,
    key: Annotated[list[str], typer.Option("--key", help="column=value; may be given for several columns.")],
    even_pinned: Annotated[bool, typer.Option("--even-pinned", help="Change pinned versions too.")] = False,
    quarantine: Annotated[
        str | None, typer.Option("--quarantine", help="The quarantine table, where it does not lie beside the table.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Another table to erase from, such as a copy.")
    ] = None,
) -> None:
    """Remove a person's rows from every version of a training table, and prove that they are gone."""

    def work() -> Mapping[str, Any]:
        from traintable.publish.erasure import forget as erase

        wanted = _assignments(key)
        result = erase(path, wanted, even_pinned=even_pinned, quarantine=quarantine, also=also or ())
        for line in erasure_lines(result):
            print(line, file=sys.stderr)
        return result

    answer(work)


def absolute(path: str) -> str:
    """A table's path made absolute; addresses and names of a catalog stay as they are."""
    from traintable.addresses import resolve

    return resolve(path, os.getcwd())


def _assignments(pairs: Sequence[str]) -> dict[str, str]:
    """The values of `column=value` pairs, by column."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in values:
            raise ConfigError(
                where="--key",
                expected="column=value, once for each column",
                found="a pair of another form, or a column twice",
                remedy="For example --key person_id=7.",
            )
        values[name] = value
    return values
