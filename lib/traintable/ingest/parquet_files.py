"""Good rows written as Parquet files by the tasks that make them, which one commit then takes into a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from traintable.delta.data_files import FileWriter

WRITTEN = "path string, bytes bigint, n bigint, stats string"  # what a task tells of a file


def write_good(batches: Iterable[pa.RecordBatch], folder: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Write those rows whose last column (what is wrong with a row) is null as one file; what is told of it.

    No rows, no file. A file whose writing fails is removed; one that no commit takes is none of the table's.
    """
    writer = FileWriter(folder, schema)
    try:
        for rows in _good(batches, schema):
            writer.add(rows)
        file = writer.close()
    except BaseException:
        writer.abandon()
        raise
    if file is None:
        return
    told = [[file.path], [file.bytes], [file.n], [file.stats]]
    yield pa.RecordBatch.from_arrays([pa.array(column) for column in told], names=["path", "bytes", "n", "stats"])


def _good(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        *columns, wrong = batch.columns
        rows = pa.RecordBatch.from_arrays(columns, schema=schema)
        rows = rows if wrong.null_count == len(rows) else rows.filter(wrong.is_null())
        if len(rows):
            yield rows
