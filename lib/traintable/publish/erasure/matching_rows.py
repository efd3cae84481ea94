"""The rows of a key in Parquet files: how many there are, and the file without them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from traintable.publish.erasure.key import Key

ROW = "row"  # where a quarantine keeps a row, as JSON text


@dataclass(frozen=True)
class RowMatch:
    """How to know the rows of a key.

    Attributes
    ----------
    columns : what has to be read of a file.
    is_match : for each row of these columns whether it is one.
    """

    columns: tuple[str, ...]
    is_match: Callable[[pa.Table], pa.Array]


def match_columns(key: Key) -> RowMatch:
    """Rows of a training table, which have the key's columns."""
    return RowMatch(tuple(key.values), key.match_rows)


def match_text(key: Key) -> RowMatch:
    """Rows of a quarantine, which have a row as JSON text: parsed, so that no other text is taken for a key."""

    def is_match(table: pa.Table) -> pa.Array:
        return pa.array([key.is_in(_parse_row(text)) for text in table.column(ROW).to_pylist()], pa.bool_())

    return RowMatch((ROW,), is_match)


def count_matches(file: BinaryIO, rows: RowMatch, *, by: str | None = None) -> Counter[str]:
    """How many rows of a Parquet file match, by the values of its column `by` if it has one, else under "".

    Reads the columns that are needed, a row group at a time. Raises KeyError where the file lacks one.
    """
    parquet, counts = _open(file), Counter[str]()
    missing = [name for name in rows.columns if name not in parquet.schema_arrow.names]
    if missing:
        raise KeyError(missing[0])
    more = [by] if by is not None and by in parquet.schema_arrow.names else []
    for group in range(parquet.num_row_groups):
        table = _read(parquet, group, [*rows.columns, *more])
        matches = table.filter(rows.is_match(table))
        counts.update(matches.column(by).to_pylist() if more else {"": matches.num_rows} if matches.num_rows else {})
    return counts


def write_without(file: BinaryIO, rows: RowMatch, path: str) -> int:
    """Write a Parquet file without the rows that match to a local path; returns how many it has then.

    Schema, metadata, order and compression stay, but for times of 96 bits, which are written as microseconds of UTC
    as Delta's own readers take them. Holds a row group at a time.
    """
    parquet, kept = _open(file), 0
    schema = _schema(parquet)
    codec = parquet.metadata.row_group(0).column(0).compression if parquet.num_row_groups else "SNAPPY"
    with pq.ParquetWriter(path, schema, compression="NONE" if codec == "UNCOMPRESSED" else codec) as writer:
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group).cast(schema)
            left = table.filter(pc.invert(rows.is_match(table)))
            if left.num_rows:
                writer.write_table(left)
            kept += left.num_rows
    return kept


def _open(file: BinaryIO) -> pq.ParquetFile:
    return pq.ParquetFile(pa.PythonFile(file, mode="r"), coerce_int96_timestamp_unit="us")


def _read(parquet: pq.ParquetFile, group: int, columns: list[str]) -> pa.Table:
    """Some columns of a row group; a struct of the same prefix is none of them."""
    return parquet.read_row_group(group, columns=columns).select(columns)


def _schema(parquet: pq.ParquetFile) -> pa.Schema:
    of_96_bits = {
        parquet.schema.column(i).path
        for i in range(len(parquet.schema.names))
        if parquet.schema.column(i).physical_type == "INT96"
    }
    fields = [
        field.with_type(pa.timestamp("us", "UTC")) if field.name in of_96_bits else field
        for field in parquet.schema_arrow
    ]
    return pa.schema(fields, parquet.schema_arrow.metadata)


def _parse_row(text: str | None) -> Any:
    try:
        return json.loads(text or "null", parse_float=str)
    except ValueError:
        return None
