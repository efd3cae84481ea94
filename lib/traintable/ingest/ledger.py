"""What was taken of a source, and what it became: a Delta table of one row a file and run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from traintable.delta.table import Table
from traintable.ingest.listing import ListedFile, fingerprint
from traintable.spark.errors import translate_spark_errors

BEGUN, DONE, UNREADABLE, STALE, UNDONE = "begun", "done", "unreadable", "stale", "undone"
REPLAY = "replay"  # the unit of loading of runs that take records back in
MAX_FILES = 64  # of the ledger, before it is compacted
SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("unit", pa.string()),
        ("status", pa.string()),
        ("file", pa.string()),
        ("etag", pa.string()),
        ("bytes", pa.int64()),
        ("watermark", pa.string()),
        ("rows", pa.int64()),
        ("accepted", pa.int64()),
        ("quarantined", pa.int64()),
        ("version", pa.int64()),
        ("error", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass
class LoadState:
    """What is known of one unit of loading, which is an interval, or all files.

    Attributes
    ----------
    taken : file -> its etag when it was last taken.
    seen : the files that any run has begun to take.
    open : the last run that has begun and is not done: its name, and the files it has begun with and their etags.
    stale : files of which a run that could not be carried on may have left rows, which are to be replaced.
    last : the fingerprint of the files of the last run that is done.
    watermark, etag : of the last of its files, the greatest value that was taken, and its state.
    """

    taken: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    open: tuple[str, dict[str, str]] | None = None
    stale: set[str] = field(default_factory=set)
    last: str | None = None
    watermark: str | None = None
    etag: str | None = None


class Ledger:
    """The ledger at a local path; written in single commits, so that a run is begun, or done, or not.

    Reading costs the time that its rows take to load, and needs no Spark.
    """

    def __init__(self, path: str) -> None:
        self.address = path
        self._table = Table(path)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, in the order in which they were written."""
        if not self._table.exists:
            return []
        rows: list[dict[str, Any]] = self._table.to_arrow().sort_by("at").to_pylist()
        return rows

    def states(self) -> dict[str, LoadState]:
        """What is known of each unit of loading."""
        states: dict[str, LoadState] = {}
        for row in self.rows():
            state = states.setdefault(row["unit"], LoadState())
            run, name, etag, status = row["run"], row["file"], row["etag"], row["status"]
            state.seen.add(name)
            if status == BEGUN:
                files = state.open[1] if state.open and state.open[0] == run else {}
                state.open = (run, {**files, name: etag})
            elif status == STALE:
                state.stale.add(name)
            else:
                if state.open and state.open[0] == run:
                    state.open = None
                if status == DONE:
                    state.taken[name], state.last, state.stale = etag, fingerprint_of(run), set()
                    state.watermark, state.etag = row.get("watermark"), etag
                elif status == UNDONE:
                    state.taken.pop(name, None)
                    state.last, state.stale = None, set()
        return states

    def begin(self, run: str, unit: str, files: Iterable[ListedFile], stale: Iterable[str] = ()) -> None:
        """Write down which files a run is going to take, and of which others it is to remove what is left of them."""
        rows = [_row(run, unit, BEGUN, file) for file in files]
        self._write([_row(run, unit, STALE, ListedFile(name, "", 0, "")) for name in sorted(stale)] + rows)

    def undo(self, run: str, unit: str, names: Iterable[str]) -> None:
        """Write down that a run will not be carried on, and that what it had left of files is removed."""
        self._write([_row(run, unit, UNDONE, ListedFile(name, "", 0, "")) for name in sorted(names)])

    def finish(
        self, run: str, unit: str, files: Sequence[ListedFile], counts: Mapping[str, tuple[int, int]], version: int
    ) -> None:
        """Write down what became of the files: of each how many rows were accepted, and quarantined."""
        rows = []
        for file in files:
            accepted, quarantined = counts.get(file.name, (0, 0))
            counted = {"rows": accepted + quarantined, "accepted": accepted, "quarantined": quarantined}
            rows.append({**_row(run, unit, DONE, file), **counted, "version": version})
        self._write(rows)

    def refuse(self, run: str, unit: str, file: ListedFile, error: str) -> None:
        """Write down that a file can't be read."""
        self._write([{**_row(run, unit, UNREADABLE, file), "error": error}])

    def finish_replay(self, run: str, counts: Mapping[str, int], version: int) -> None:
        """Write down how many records of each file went from the quarantine to the table."""
        moved = [
            {
                **_row(run, REPLAY, DONE, ListedFile(name, "", 0, "")),
                **{"rows": 0, "accepted": n, "quarantined": -n, "version": version},
            }
            for name, n in counts.items()
        ]
        self._write(moved)

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        table = pa.Table.from_pylist([{**dict.fromkeys(SCHEMA.names), **row} for row in rows], SCHEMA)
        remedy = "The next run carries on."
        with translate_spark_errors(f"ledger {self.address}", expected="a place that can be written", remedy=remedy):
            self._table.append_arrow(table, compact_above=MAX_FILES)


def run_name(unit: str, files: Iterable[ListedFile], digest: str) -> str:
    """The name of a new run: its unit, the files and the settings that it takes them by, and what no other run has."""
    return f"{unit}#{fingerprint(files)}.{digest}.{secrets.token_hex(4)}"


def fingerprint_of(run: str) -> str:
    """The fingerprint of the files in the name of a run."""
    return run.rpartition("#")[2].partition(".")[0]


def digest_of(run: str) -> str:
    """The digest of the settings in the name of a run."""
    return run.rpartition("#")[2].partition(".")[2].partition(".")[0]


def _row(run: str, unit: str, status: str, file: ListedFile) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    return {
        "run": run,
        "unit": unit,
        "status": status,
        "file": file.name,
        "etag": file.etag,
        "bytes": file.size,
        "watermark": file.watermark,
        "at": now,
    }
