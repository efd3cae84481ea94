"""Rows worked on by the tasks that read them: good ones written as Parquet files, which one commit takes into a table.

What a task did, refuses or can't read is the result that it answers the driver with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from functools import partial
from typing import Any

import pyarrow as pa

from traintable.delta.data_files import FileWriter
from traintable.spark.task_results import TaskResult, to_batch


def write_good(batches: Iterable[pa.RecordBatch], folder: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Write those rows whose last column (what is wrong with a row) is null as one file; a result that names the file.

    No rows, no file, and a result without a value. A file whose writing fails is removed; one that no commit takes
    does not belong to the table.
    """
    yield to_batch([TaskResult.of(partial(_write_good, batches, folder, schema))])


def check_records(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read all rows, and answer with a result without a value unless one is refused or a file can't be read."""

    def read_all() -> None:
        for _ in batches:
            pass

    yield to_batch([TaskResult.of(read_all)])


def _write_good(batches: Iterable[pa.RecordBatch], folder: str, schema: pa.Schema) -> tuple[Any, ...] | None:
    """The fields of the file that was written (`Written`); None where there was no row."""
    writer = FileWriter(folder, schema)
    try:
        for rows in _good(batches, schema):
            writer.add(rows)
        file = writer.close()
    except BaseException:
        writer.abandon()
        raise
    return None if file is None else astuple(file)


def _good(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        *columns, wrong = batch.columns
        rows = pa.RecordBatch.from_arrays(columns, schema=schema)
        rows = rows if wrong.null_count == len(rows) else rows.filter(wrong.is_null())
        if len(rows):
            yield rows
