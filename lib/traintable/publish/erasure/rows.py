"""Rows of Parquet files: how many are meant, and the file without them."""

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
class Rows:
    """How to know the rows that are meant.

    Attributes
    ----------
    columns : what has to be read of a file.
    meant : for each row of these columns whether it is.
    """

    columns: tuple[str, ...]
    meant: Callable[[pa.Table], pa.Array]


def by_columns(key: Key) -> Rows:
    """Rows of a training table, which have the key's columns."""
    return Rows(tuple(key.values), key.rows)


def by_text(key: Key) -> Rows:
    """Rows of a quarantine, which have a row as JSON text: parsed, so that no other text is taken for a key."""

    def meant(table: pa.Table) -> pa.Array:
        return pa.array([key.is_in(_parsed(text)) for text in table.column(ROW).to_pylist()], pa.bool_())

    return Rows((ROW,), meant)


def count(file: BinaryIO, rows: Rows, *, by: str | None = None) -> Counter[str]:
    """How many rows of a Parquet file are meant, by the values of its column `by` if it has one, else under "".

    Reads the columns that are needed, a row group at a time. Raises KeyError where the file has them not.
    """
    parquet, found = _opened(file), Counter[str]()
    missing = [name for name in rows.columns if name not in parquet.schema_arrow.names]
    if missing:
        raise KeyError(missing[0])
    more = [by] if by is not None and by in parquet.schema_arrow.names else []
    for group in range(parquet.num_row_groups):
        table = _read(parquet, group, [*rows.columns, *more])
        meant = table.filter(rows.meant(table))
        found.update(meant.column(by).to_pylist() if more else {"": meant.num_rows} if meant.num_rows else {})
    return found


def write_without(file: BinaryIO, rows: Rows, path: str) -> int:
    """Write a Parquet file without the rows that are meant to a local path; returns how many it has then.

    Schema, metadata, order and compression stay, but for times of 96 bits, which are written as microseconds of UTC
    as Delta's own readers take them. Holds a row group at a time.
    """
    parquet, kept = _opened(file), 0
    schema = _schema(parquet)
    codec = parquet.metadata.row_group(0).column(0).compression if parquet.num_row_groups else "SNAPPY"
    with pq.ParquetWriter(path, schema, compression="NONE" if codec == "UNCOMPRESSED" else codec) as writer:
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group).cast(schema)
            left = table.filter(pc.invert(rows.meant(table)))
            if left.num_rows:
                writer.write_table(left)
            kept += left.num_rows
    return kept


def _opened(file: BinaryIO) -> pq.ParquetFile:
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


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null", parse_float=str)
    except ValueError:
        return None
