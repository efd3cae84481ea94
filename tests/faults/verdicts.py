"""What runs have left, as a reader sees it that is none of ours, and whether two of them have left the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from deltalake import DeltaTable
from pyspark.sql import SparkSession

from traintable.ingest.recount import recount

TABLES = ("landed", "landed_log", "landed_quarantine", "landed_ledger")
KEPT = ["_file", "_interval", "raw", "reasons", "rules"]  # of a record in the quarantine; its run has another name


def versions(table: Path) -> list[int]:
    """The versions that a table has; none where there is no table."""
    return sorted(int(path.stem) for path in (table / "_delta_log").glob("*.json"))


def content(table: Path, columns: list[str] | None = None, without: Collection[str] = ()) -> list[str]:
    """The rows of a table as texts, in order; none where there is no table."""
    if not versions(table):
        return []
    rows = DeltaTable(str(table)).to_pyarrow_table(columns=columns).to_pylist()
    kept = ({name: value for name, value in row.items() if name not in without} for row in rows)
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in kept)


def sums(root: Path) -> dict[str, tuple[int, int, int]]:
    """Of each file the rows, accepted and quarantined, by the last run that took it, or its interval."""
    rows = DeltaTable(str(root / "landed_ledger")).to_pyarrow_table().sort_by("at").to_pylist()
    done = [row for row in rows if row["status"] == "done"]
    last = {row["unit"]: row["run"] for row in done if "/" in row["unit"]}
    found = [row for row in done if last.get(row["unit"], row["run"]) == row["run"]]
    return {row["file"]: (row["rows"], row["accepted"], row["quarantined"]) for row in found}


def assert_same(root: Path, calm: Path) -> None:
    """The rows, those in quarantine, and what the ledger says of each file are those of another root."""
    assert content(root / "landed") == content(calm / "landed")
    assert content(root / "landed_log") == content(calm / "landed_log")
    assert content(root / "landed_quarantine", KEPT) == content(calm / "landed_quarantine", KEPT)
    assert sums(root) == sums(calm)


def assert_sound(root: Path, spark: SparkSession | None = None) -> None:
    """The ledger is right, and of each table all versions and all data files are there."""
    wrong = [finding.line() for finding in recount(str(root / "landed"), spark=spark) if not finding.ok]
    assert wrong == []
    for table in (root / name for name in TABLES if versions(root / name)):
        assert versions(table) == list(range(len(versions(table))))
        missing = [uri for uri in DeltaTable(str(table)).file_uris() if not Path(uri).is_file()]
        assert missing == []


def twice(rows: Collection[str]) -> int:
    """How many of the rows are there once more than they should."""
    return sum(n - 1 for n in Counter(rows).values())


def told(killed: int, seconds: float, root: Path) -> str:
    """What a trial that has held comes to, in a line."""
    n_rows = {name: len(content(root / name)) for name in TABLES}
    return (
        f"\n{killed} drivers killed in {seconds:.0f} s: {n_rows['landed']} rows and {n_rows['landed_quarantine']}"
        f" in quarantine, {n_rows['landed_log']} in the log, 0 lost, 0 twice"
    )
