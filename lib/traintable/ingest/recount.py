"""Whether a landed table, its quarantine and its ledger still say the same."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from traintable.addresses import sibling
from traintable.checks import CheckResult
from traintable.config.ingest import BY_FILE
from traintable.delta.table import Table
from traintable.errors import InputMissing
from traintable.ingest.ledger import DONE, REPLAY, UNDONE, Ledger
from traintable.ingest.tables import count_by_file, log_of
from traintable.spark.session import get_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAX_FINDINGS = 20


def recount(table: str, *, spark: SparkSession | None = None) -> list[CheckResult]:
    """Count the rows of a landed table and of its quarantine by file, and hold them against the ledger.

    Of a table that rows are merged into, those of its log. Where quarantine and ledger lie stands in the table's log.

    Raises InputMissing when there is no ledger. Costs a narrow pass over both tables.
    """
    log = Table(log_of(table))
    landed = log if log.exists else Table(table)
    paths = _relative_paths(landed)
    ledger, quarantine = (
        os.path.normpath(os.path.join(table, paths[name])) if name in paths else sibling(table, name)
        for name in ("ledger", "quarantine")
    )
    expected = _expected(Ledger(ledger).rows())
    if not expected or not landed.exists:
        raise InputMissing(
            where=f"table {table}",
            expected="a table that `traintable ingest` has landed, with its ledger beside it",
            found="no ledger" if not expected else "no table",
            remedy="Name the table by its path.",
        )
    kept = Table(quarantine)
    counts = count_by_file(spark or get_spark(), landed, kept if kept.exists else None, "true")
    wrong = [name for name in sorted({*expected, *counts}) if expected.get(name, (0, 0)) != counts.get(name, (0, 0))]
    findings = [
        CheckResult(
            f"file {name}",
            False,
            f"{_in_words(counts.get(name, (0, 0)))}, where the ledger has {_in_words(expected.get(name, (0, 0)))}",
            "Somebody else has written to these tables, or a run is not done: land the file again.",
        )
        for name in wrong[:MAX_FINDINGS]
    ]
    total = f"{len(expected):,} files, {_in_words(_sum(counts.values()))}"
    more = f" ({len(wrong):,} files differ)" if wrong else ""
    return [*findings, CheckResult("ledger", not wrong, total + more, "See the files above.")]


def _relative_paths(landed: Table) -> Mapping[str, str]:
    """Where quarantine and ledger lie, as the newest run that names them has written it to the log of the table."""
    metadata = (commit.metadata_object() for commit in landed.newest_commits()) if landed.exists else iter(())
    return next((names for names in metadata if "ledger" in names), {})


def _expected(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of each file the rows accepted and quarantined, as the ledger has them of the last run that took it."""
    runs: dict[str, str] = {}  # unit -> its last run that is done
    last: dict[tuple[str, str], dict[str, Any]] = {}
    moved: list[dict[str, Any]] = []
    for row in rows:
        if row["status"] == UNDONE:
            last.pop((row["unit"], row["file"]), None)
        if row["status"] != DONE:
            continue
        if row["unit"] == REPLAY:
            moved.append(row)
            continue
        runs[row["unit"]] = row["run"]
        last[row["unit"], row["file"]] = row
    counts: dict[str, tuple[int, int]] = {}
    for (unit, name), row in last.items():
        if unit not in BY_FILE and row["run"] != runs[unit]:  # the whole unit was replaced since
            continue
        since = [m for m in moved if m["file"] == name and m["at"] > row["at"]]
        counts[name] = _sum([counts.get(name, (0, 0)), *map(_counts, [row, *since])])
    return counts


def _counts(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["accepted"]), int(row["quarantined"])


def _sum(counts: Collection[tuple[int, int]]) -> tuple[int, int]:
    return sum(a for a, _ in counts), sum(b for _, b in counts)


def _in_words(counts: tuple[int, int]) -> str:
    return f"{counts[0]:,} rows and {counts[1]:,} in quarantine"
