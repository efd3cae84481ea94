"""Whether a landed table, its quarantine and its ledger still say the same."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from traintable.addresses import sibling
from traintable.checks import CheckResult
from traintable.config.ingest import BY_FILE
from traintable.delta.commits import commits
from traintable.errors import InputMissing
from traintable.ingest.ledger import DONE, REPLAY, UNDONE, Ledger
from traintable.ingest.target import Target, counts_of, log_of
from traintable.spark.session import get_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAX_TOLD = 20


def recount(table: str, *, spark: SparkSession | None = None) -> list[CheckResult]:
    """Count the rows of a landed table and of its quarantine by file, and hold them against the ledger.

    Of a table that rows are merged into, those of its log. Where quarantine and ledger lie stands in the table's log.

    Raises InputMissing when there is no ledger. Costs a narrow pass over both tables.
    """
    log = Target(log_of(table))
    target = log if log.exists else Target(table)
    beside = _beside(target)
    ledger, quarantine = (
        os.path.normpath(os.path.join(table, beside[what])) if what in beside else sibling(table, what)
        for what in ("ledger", "quarantine")
    )
    expected = _expected(Ledger(ledger).rows())
    if not expected or not target.exists:
        raise InputMissing(
            where=f"table {table}",
            expected="a table that `traintable ingest` has landed, with its ledger beside it",
            found="no ledger" if not expected else "no table",
            remedy="Name the table by its path.",
        )
    kept = Target(quarantine)
    found = counts_of(spark or get_spark(), target, kept if kept.exists else None, "true")
    wrong = [name for name in sorted({*expected, *found}) if expected.get(name, (0, 0)) != found.get(name, (0, 0))]
    findings = [
        CheckResult(
            f"file {name}",
            False,
            f"{_told(found.get(name, (0, 0)))}, where the ledger has {_told(expected.get(name, (0, 0)))}",
            "Somebody else has written to these tables, or a run is not done: land the file again.",
        )
        for name in wrong[:MAX_TOLD]
    ]
    total = f"{len(expected):,} files, {_told(_sum(found.values()))}"
    more = f" ({len(wrong):,} files differ)" if wrong else ""
    return [*findings, CheckResult("ledger", not wrong, total + more, "See the files above.")]


def _beside(target: Target) -> dict[str, str]:
    """Where quarantine and ledger lie, as the newest run that tells it has written it to the log of the table."""
    told = (commit.told() for commit in commits(target.path)) if target.exists else iter(())
    return next((found for found in told if "ledger" in found), {})


def _expected(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of each file the rows accepted and quarantined, as the ledger tells of the last run that took it."""
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


def _told(counts: tuple[int, int]) -> str:
    return f"{counts[0]:,} rows and {counts[1]:,} in quarantine"
