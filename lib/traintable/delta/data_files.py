"""Parquet files that tasks write themselves, with what Delta's log says of each, for a commit to take all at once."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from traintable.addresses import is_s3
from traintable.columns import SPLIT, split_folder
from traintable.storage import s3

GROUP_BYTES = 2**26  # of rows in memory, which become a row group
_WITH_STATISTICS = 32  # columns, as Delta's own writers have it
_LETTERS = 32  # of a text in statistics


@dataclass(frozen=True)
class Written:
    """A file that was written: its name in the folder, its size, its rows, and Delta's statistics of them (JSON)."""

    path: str
    bytes: int
    n: int
    stats: str


@dataclass(frozen=True)
class TableFile:
    """A written file as a table has it: its path in the table's folder, its values of the partition columns."""

    path: str
    written: Written
    partition: Mapping[str, str]


@dataclass(frozen=True)
class DataFiles:
    """Files that lie in a table's folder, which no commit has named yet.

    Attributes
    ----------
    schema : that of their rows with the partition columns, as the log has it: the JSON that Spark makes of it.
    """

    files: Sequence[TableFile]
    schema: Mapping[str, Any]
    partition_by: Sequence[str] = ()

    @classmethod
    def of_splits(cls, files: Mapping[str, Sequence[Written]], schema: Mapping[str, Any]) -> DataFiles:
        """Files that lie in the folders of splits, by split."""
        placed = [
            TableFile(f"{split_folder(split)}/{file.path}", file, {SPLIT: split})
            for split, written in sorted(files.items())
            for file in written
        ]
        return cls(placed, schema, (SPLIT,))

    @classmethod
    def of_one_partition(
        cls, files: Sequence[Written], schema: pa.Schema, partition: Mapping[str, str] | None = None
    ) -> DataFiles:
        """Files whose rows all have the same values of the partition columns, if there are any."""
        from deltalake import Schema

        values = dict(partition or {})
        columns = pa.schema([*schema, *((name, pa.string()) for name in values)])
        placed = [TableFile(file.path, file, values) for file in files]
        return cls(placed, json.loads(Schema.from_arrow(columns).to_json()), tuple(values))

    @property
    def n_rows(self) -> int:
        """How many rows the files have."""
        return sum(file.written.n for file in self.files)


class FileWriter:
    """A new file of a name that no other has, in a local folder or below an address of S3's.

    Rows are held until they make a row group. Nothing is there before the first row is written; until `close` it
    belongs to no table. A file for S3 is written to the local disk first.
    """

    def __init__(self, folder: str, schema: pa.Schema) -> None:
        self.name = f"part-{secrets.token_hex(16)}.snappy.parquet"
        self._folder, self._schema = folder, schema
        self._statistics = _Statistics(schema)
        self._held, self._bytes = list[pa.RecordBatch](), 0
        self._local = "" if is_s3(folder) else os.path.join(folder, self.name)
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.RecordBatch) -> None:
        """Write rows of the schema, sooner or later."""
        if not len(rows):
            return
        self._held.append(rows)
        self._bytes += rows.nbytes
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> Written | None:
        """Finish the file; None where there was no row, and so no file."""
        try:
            if self._held:
                self._flush()
            if self._writer is None:
                return None
            self._writer.close()
            size, statistics = os.path.getsize(self._local), self._statistics
            written = Written(self.name, size, statistics.n, statistics.as_json())
            if is_s3(self._folder):
                s3.upload(self._local, f"{self._folder}/{self.name}")
                os.unlink(self._local)
        except BaseException:
            self.abandon()
            raise
        return written

    def abandon(self) -> None:
        """Remove what was written."""
        if self._local and os.path.exists(self._local):
            os.unlink(self._local)

    def _flush(self) -> None:
        group = pa.Table.from_batches(self._held, self._schema)
        try:
            if self._writer is None:
                self._writer = self._open_writer()
            self._writer.write_table(group, row_group_size=len(group))
        except BaseException:
            self.abandon()
            raise
        self._statistics.add(group)
        self._held, self._bytes = [], 0

    def _open_writer(self) -> pq.ParquetWriter:
        if is_s3(self._folder):
            handle, self._local = tempfile.mkstemp(suffix=".parquet", prefix="traintable-")
            os.close(handle)
        else:
            os.makedirs(self._folder, exist_ok=True)
        return pq.ParquetWriter(self._local, self._schema, compression="snappy")


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
    ends = pc.min_max(column)
    return ends["min"].as_py(), ends["max"].as_py()


def _is_instant(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _low(value: Any) -> Any:
    """The value, or one below it, as the statistics have it."""
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
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
