"""Rows written as Parquet files by the tasks that make them, which a commit then takes into a table all at once."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

WRITTEN = "path string, bytes bigint, n bigint, stats string"  # what a task tells of a file
_GROUP_BYTES = 2**26  # of rows in memory, which become a row group
_WITH_STATISTICS = 32  # columns, as Delta's own writers have it
_LETTERS = 32  # of a text in statistics


@dataclass(frozen=True)
class Written:
    """A file that was written: its name in the folder, its size, its rows, and Delta's statistics of them (JSON)."""

    path: str
    bytes: int
    n: int
    stats: str


def write_good(batches: Iterable[pa.RecordBatch], folder: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Write those rows whose last column (what is wrong with a row) is null as one file; what is told of it.

    No rows, no file. A file whose writing fails is removed; one that no commit takes is none of the table's.
    """
    name = f"part-{secrets.token_hex(16)}.snappy.parquet"
    path = os.path.join(folder, name)
    statistics, groups = _Statistics(schema), _groups(_good(batches, schema))
    first = next(groups, None)
    if first is None:
        return
    os.makedirs(folder, exist_ok=True)
    try:
        with pq.ParquetWriter(path, schema, compression="snappy") as writer:
            group: pa.Table | None = first
            while group is not None:
                writer.write_table(group, row_group_size=len(group))
                statistics.add(group)
                group = next(groups, None)
    except BaseException:
        if os.path.exists(path):
            os.unlink(path)
        raise
    told = [[name], [os.path.getsize(path)], [statistics.n], [statistics.as_json()]]
    yield pa.RecordBatch.from_arrays([pa.array(column) for column in told], names=["path", "bytes", "n", "stats"])


def _good(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        *columns, wrong = batch.columns
        rows = pa.RecordBatch.from_arrays(columns, schema=schema)
        rows = rows if wrong.null_count == len(rows) else rows.filter(wrong.is_null())
        if len(rows):
            yield rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows in tables that are large enough for a row group."""
    held, n_bytes = list[pa.RecordBatch](), 0
    for batch in batches:
        held.append(batch)
        n_bytes += batch.nbytes
        if n_bytes >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, n_bytes = [], 0
    if held:
        yield pa.Table.from_batches(held)


class _Statistics:
    """How many rows and nulls a file has, and between what its values are: what readers need to pass a file over."""

    def __init__(self, schema: pa.Schema) -> None:
        self.n = 0
        self.nulls = {field.name: 0 for field in list(schema)[:_WITH_STATISTICS] if not pa.types.is_nested(field.type)}
        self.bounds: dict[str, tuple[Any, Any] | None] = {}  # None: they are not known

    def add(self, rows: pa.Table) -> None:
        self.n += len(rows)
        for name in self.nulls:
            column = rows.column(name)
            self.nulls[name] += column.null_count
            if self.bounds.get(name, ()) is not None and column.null_count < len(rows):
                self.bounds[name] = self._wider(name, _bounds(column))

    def _wider(self, name: str, new: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
        old = self.bounds.get(name)
        if old is None or new is None:
            return new
        return min(old[0], new[0]), max(old[1], new[1])

    def as_json(self) -> str:
        known = {name: bounds for name, bounds in self.bounds.items() if bounds is not None}
        least = {name: _low(low) for name, (low, _) in known.items()}
        greatest = {name: _high(high) for name, (_, high) in known.items()}
        return json.dumps(
            {
                "numRecords": self.n,
                "minValues": least,
                "maxValues": {name: value for name, value in greatest.items() if value is not None},
                "nullCount": self.nulls,
            }
        )


def _bounds(column: pa.ChunkedArray) -> tuple[Any, Any] | None:
    """The least and the greatest value; None of types and of numbers (NaN, infinite) that JSON does not order."""
    kind = column.type
    if pa.types.is_floating(kind):
        if not pc.all(pc.is_finite(column)).as_py():
            return None
    elif not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_date(kind) or _is_instant(kind)):
        return None
    found = pc.min_max(column)
    return found["min"].as_py(), found["max"].as_py()


def _is_instant(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _low(value: Any) -> Any:
    """The value, or one below it, as the statistics have it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value[:_LETTERS] if isinstance(value, str) else value


def _high(value: Any) -> Any:
    """The value, or one above it, as the statistics have it; None where there is none so short."""
    if isinstance(value, datetime):
        return _low(value + timedelta(milliseconds=1)) if value.year < 9999 else None
    if isinstance(value, str) and len(value) > _LETTERS:
        return None
    return _low(value)
