"""What was taken of a source, and what it became: a Delta table of one row a file and run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from traintable.ingest.landing.listing import FoundFile, fingerprint

BEGUN, DONE, UNREADABLE = "begun", "done", "unreadable"
REPLAY = "replay"  # the unit of runs that take records back in
MAX_FILES = 64  # of the ledger, before it is compacted
SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("unit", pa.string()),
        ("status", pa.string()),
        ("file", pa.string()),
        ("etag", pa.string()),
        ("bytes", pa.int64()),
        ("rows", pa.int64()),
        ("accepted", pa.int64()),
        ("quarantined", pa.int64()),
        ("version", pa.int64()),
        ("error", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass
class Unit:
    """What is known of one unit, which is an interval, or all files.

    Attributes
    ----------
    runs : the runs that are done, by the fingerprint of their files; how often each was.
    taken : file -> its etag when it was last taken.
    seen : the files that any run has begun to take.
    unreadable : file -> its etag when it could not be read.
    open : the last run that has begun and is not done: its name and the files it has begun with, by name.
    last : the fingerprint of the last run that is done.
    """

    runs: dict[str, int] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)
    open: tuple[str, dict[str, str]] | None = None
    last: str | None = None


class Ledger:
    """The ledger at a local path; written in single commits, so that a run is begun, or done, or not.

    Reading costs the time that its rows take to load, and needs no Spark.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def rows(self) -> list[dict[str, Any]]:
        """All rows, in the order in which they were written."""
        if not os.path.isdir(os.path.join(self.path, "_delta_log")):
            return []
        found = DeltaTable(self.path).to_pyarrow_table().sort_by("at")
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def units(self) -> dict[str, Unit]:
        """What is known of each unit."""
        units: dict[str, Unit] = {}
        done: set[str] = set()
        for row in self.rows():
            unit = units.setdefault(row["unit"], Unit())
            run, name, etag = row["run"], row["file"], row["etag"]
            unit.seen.add(name)
            if row["status"] == BEGUN:
                files = unit.open[1] if unit.open and unit.open[0] == run else {}
                unit.open = (run, {**files, name: etag})
                continue
            (unit.unreadable if row["status"] == UNREADABLE else unit.taken)[name] = etag
            if unit.open and unit.open[0] == run:
                unit.open = None
            if run not in done and row["status"] == DONE:
                done.add(run)
                unit.last = fingerprint_of(run)
                unit.runs[unit.last] = unit.runs.get(unit.last, 0) + 1
        return units

    def begin(self, run: str, unit: str, files: Iterable[FoundFile]) -> None:
        """Write down which files a run is going to take."""
        self._write([_row(run, unit, BEGUN, file) for file in files])

    def finish(
        self, run: str, unit: str, files: Sequence[FoundFile], counts: Mapping[str, tuple[int, int]], version: int
    ) -> None:
        """Write down what became of the files: of each how many rows were accepted, and quarantined."""
        rows = []
        for file in files:
            accepted, quarantined = counts.get(file.name, (0, 0))
            counted = {"rows": accepted + quarantined, "accepted": accepted, "quarantined": quarantined}
            rows.append({**_row(run, unit, DONE, file), **counted, "version": version})
        self._write(rows)

    def refuse(self, run: str, unit: str, file: FoundFile, error: str) -> None:
        """Write down that a file can't be read."""
        self._write([{**_row(run, unit, UNREADABLE, file), "error": error}])

    def begin_replay(self, run: str, counts: Mapping[str, int]) -> None:
        """Write down that records of the quarantine are going to be taken in."""
        self._write([_row(run, REPLAY, BEGUN, FoundFile(name, "", 0, "")) for name in counts])

    def finish_replay(self, run: str, counts: Mapping[str, int], version: int) -> None:
        """Write down how many records of each file went from the quarantine to the table."""
        moved = [
            {
                **_row(run, REPLAY, DONE, FoundFile(name, "", 0, "")),
                **{"rows": 0, "accepted": n, "quarantined": -n, "version": version},
            }
            for name, n in counts.items()
        ]
        self._write(moved)

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        table = pa.Table.from_pylist([{**dict.fromkeys(SCHEMA.names), **row} for row in rows], SCHEMA)
        write_deltalake(self.path, table, mode="append")
        written = DeltaTable(self.path)
        if len(written.file_uris()) > MAX_FILES:
            written.optimize.compact()


def run_name(unit: str, files: Iterable[FoundFile], known: Unit) -> str:
    """The name of a run: its unit, what it takes, and the number of runs that have taken the same.

    The last is what tells a correction that brings an earlier state back from a repetition of the run that had it.
    """
    found = fingerprint(files)
    return f"{unit}#{found}.{known.runs.get(found, 0)}"


def fingerprint_of(run: str) -> str:
    """The fingerprint in the name of a run."""
    return run.rpartition("#")[2].partition(".")[0]


def _row(run: str, unit: str, status: str, file: FoundFile) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    return {
        "run": run,
        "unit": unit,
        "status": status,
        "file": file.name,
        "etag": file.etag,
        "bytes": file.size,
        "at": now,
    }
