"""Rows straight from Parquet files, without Spark in between: its handing over is most of what a scan costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from traintable.spark.plans import DataFile
from traintable.spark.tasks import distribute
from traintable.statistics.chunk import NUMBER, TEXT, Chunk, Range, Role

_CHUNK_VALUES = 2**23  # of all columns together: 64 MB as doubles

# Spark's types that a file's values give the same numbers and the same text for.
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "boolean", "date", "timestamp")
_TEXTS = ("string", "tinyint", "smallint", "int", "bigint", "boolean")
_YEAR_1900 = -2_208_988_800  # seconds since 1970
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64, "float": 32, "double": 64}


@dataclass(frozen=True)
class Piece:
    """A row group of a file; all of them when `row_group` is None."""

    file: DataFile
    row_group: int | None
    bytes: int


def chunk_rows(n_columns: int) -> int:
    """How many rows are taken at a time: as many as caches like, fewer of wide tables."""
    return int(min(2**17, max(2**13, _CHUNK_VALUES // max(1, n_columns))))


class Unreadable(Exception):
    """A file does not hold what the table promises: Spark has to read it."""


def can_read(roles: Iterable[Role], types: Mapping[str, str]) -> bool:
    """Whether columns of these types can be read in these roles."""
    return all(types[name] in {NUMBER: _NUMBERS, TEXT: _TEXTS}.get(role, types.values()) for role, name in roles)


def pieces(files: Sequence[DataFile], n_tasks: int) -> list[list[Piece]]:
    """The files, or their row groups where files are few, in at most `n_tasks` lists of about equal bytes."""
    whole = [Piece(file, None, file.bytes) for file in files]
    if len(files) < 4 * n_tasks:
        whole = [piece for file in files for piece in _row_groups(file)]
    in_order = sorted(whole, key=lambda piece: (piece.file.path, piece.row_group or 0))
    return [share for share in distribute(in_order, lambda piece: piece.bytes, n_tasks) if share]


def _row_groups(file: DataFile) -> Iterator[Piece]:
    metadata = pq.read_metadata(file.path)
    for i in range(metadata.num_row_groups):
        yield Piece(file, i, metadata.row_group(i).total_byte_size)


def chunks(
    share: Iterable[Piece], roles: Sequence[Role], types: Mapping[str, str], ranges: Mapping[str, Range]
) -> Iterator[tuple[Chunk, int]]:
    """The rows of some pieces, and the bytes that were read for them.

    Raises Unreadable when a file has not the columns and types that are wanted.
    """
    for piece in share:
        partition = {name: value for name, value in piece.file.partition if name in types}
        names = [name for name in dict.fromkeys(name for _, name in roles) if name not in partition]
        texts = [name for name in names if types[name] == "string"]
        with pq.ParquetFile(piece.file.path, read_dictionary=texts, coerce_int96_timestamp_unit="us") as file:
            _require_columns(file.schema_arrow, {name: types[name] for name in names}, piece.file.path)
            groups = range(file.num_row_groups) if piece.row_group is None else [piece.row_group]
            n_bytes = _column_bytes(file.metadata, groups, set(names))
            if not names:
                yield from (
                    (chunk, 0) for chunk in _partition_chunks(file.metadata, groups, roles, types, partition, ranges)
                )
                continue
            for batch in file.iter_batches(
                chunk_rows(len(names)), row_groups=list(groups), columns=names, use_threads=False
            ):
                columns = {name: batch.column(name) for name in names}
                for column in columns.values():
                    _refuse_ancient(column, piece.file.path)
                columns |= {
                    name: _constant_column(value, types[name], batch.num_rows) for name, value in partition.items()
                }
                yield Chunk({role: columns[role[1]] for role in roles}, batch.num_rows, ranges), n_bytes
                n_bytes = 0


def _partition_chunks(
    metadata: pq.FileMetaData,
    groups: Iterable[int],
    roles: Sequence[Role],
    types: Mapping[str, str],
    partition: Mapping[str, str | None],
    ranges: Mapping[str, Range],
) -> Iterator[Chunk]:
    """Rows of which only the partition is wanted."""
    for group in groups:
        n_rows = metadata.row_group(group).num_rows
        columns = {(role, name): _constant_column(partition[name], types[name], n_rows) for role, name in roles}
        yield Chunk(columns, n_rows, ranges)


def _constant_column(value: str | None, kind: str, n_rows: int) -> pa.Array:
    """A column that has one value in all rows; a date's is given in days, a time's in microseconds since 1970."""
    if kind in ("date", "timestamp"):
        unit = pa.date32() if kind == "date" else pa.timestamp("us")
        return pa.repeat(pa.scalar(None if value is None else int(value), unit), n_rows)
    if kind == "boolean":
        return pa.repeat(pa.scalar(None if value is None else value == "true", pa.bool_()), n_rows)
    if kind in ("float", "double"):  # as numbers, so that NaN is known to be missing
        unit = pa.float32() if kind == "float" else pa.float64()
        return pa.repeat(pa.scalar(None if value is None else float(value), unit), n_rows)
    return pa.repeat(pa.scalar(value, pa.string()), n_rows)


def _column_bytes(metadata: pq.FileMetaData, groups: Iterable[int], names: set[str]) -> int:
    total = 0
    for group in groups:
        row_group = metadata.row_group(group)
        columns = (row_group.column(i) for i in range(row_group.num_columns))
        total += sum(c.total_compressed_size for c in columns if c.path_in_schema in names)
    return total


def _require_columns(schema: pa.Schema, types: Mapping[str, str], path: str) -> None:
    for name, kind in types.items():
        field_type = schema.field(name).type if schema.get_field_index(name) >= 0 else None
        if field_type is None or not _fits(kind, field_type):
            raise Unreadable(f"{path}: column '{name}' is {field_type}, not {kind}")


def _fits(kind: str, field_type: pa.DataType) -> bool:
    if kind == "string":
        return bool(pa.types.is_dictionary(field_type) and pa.types.is_string(field_type.value_type))
    if kind == "boolean":
        return bool(pa.types.is_boolean(field_type))
    if kind in ("date", "timestamp"):
        return bool(pa.types.is_date(field_type) if kind == "date" else pa.types.is_timestamp(field_type))
    if kind not in _BITS:  # all that is wanted is whether there is a value
        return True
    is_alike = pa.types.is_floating if kind in ("float", "double") else pa.types.is_integer
    return bool(is_alike(field_type) and field_type.bit_width <= _BITS[kind])


def _refuse_ancient(column: pa.Array, path: str) -> None:
    """Leave times before 1900 to Spark, which knows what calendar they were written in."""
    if not pa.types.is_date(column.type) and not pa.types.is_timestamp(column.type):
        return
    earliest = pc.min(column).cast(pa.timestamp("s"), safe=False).cast(pa.int64()).as_py()
    if earliest is not None and earliest < _YEAR_1900:
        raise Unreadable(f"{path}: times before 1900")
