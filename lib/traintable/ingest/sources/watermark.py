"""Rows above the greatest value that was landed: the range of a run, and its name."""

from __future__ import annotations

from dataclasses import dataclass

from traintable.config.durations import Duration
from traintable.errors import InputMissing
from traintable.ingest.listing import ListedFile


@dataclass(frozen=True)
class Range:
    """Above `low` (None: from the first), up to `high`, both as text."""

    low: str | None
    high: str


def range_of(name: str, column: str, part: Range, path: str, etag: str) -> ListedFile:
    """What stands for a range of rows in the ledger, and in `_file`."""
    low = "" if part.low is None else f"{part.low}<"
    return ListedFile(f"{name}?{low}{column}<={part.high}", path, 0, etag, part.high)


def seconds_or_number(lookback: Duration | int | None) -> int | None:
    """How far behind late rows may come: a number, or a time in seconds."""
    return lookback.seconds if isinstance(lookback, Duration) else lookback


def require_values(column: str, n: int, table: str) -> None:
    """Raise InputMissing when rows have no value in the column that decides which run they are of."""
    if n:
        raise InputMissing(
            where=f"table {table}, column '{column}'",
            expected="a value in each row, because it decides which run takes the row",
            found=f"no value in {n:,} rows",
            remedy="Give them a value, or filter them out by `source.where`. Nothing was landed.",
        )
