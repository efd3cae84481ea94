"""Read a training table without Spark: which version passed the gate, the next ones as they come, and the rows.

Tables lie at a local path or on S3 (`s3a://bucket/prefix`). A version is read as it was published, whatever has been
written to the table since, for as long as its files are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLITS, nearest
from traintable.delta.opened import Opened, open_version, partition_of, require_path
from traintable.errors import ConfigError
from traintable.reading._gated import follow, newest_gated, passed_gate

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["batches", "follow", "newest_gated", "passed_gate"]


def batches(
    table: str,
    version: int | None = None,
    *,
    split: str,
    columns: Sequence[str] | None = None,
    batch_size: int = 65_536,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one split of a version, at most `batch_size` at a time, without loading the table.

    Parameters
    ----------
    version : by default the newest that passed the gate. Readers that share the work must name the same.
    columns : by default all, in the table's order.
    shard : (i, n) gives the i-th of n readers, from 0, its row groups: every n-th, in the order of file names. All n
        together get each row once; a reader beyond the number of row groups gets none.

    The order is the same each time. Memory: the columns of one row group as stored (Spark's have up to 128 MB), and a
    few batches. Each reader opens the footers of all files of the split. deltalake works in no process that was forked
    from one where it has been used, so PyTorch's DataLoader needs `multiprocessing_context="spawn"`.

    Raises ConfigError for a split, column, batch size or shard that can't be, and InputMissing when the table or the
    version is not there, or goes while it is read.

    >>> from traintable.delta.table import Table
    >>> manifest = {"traintable": "0.1.0", "gate": {"refusals": []}, "rows": {"published": {"train": 3}}}
    >>> rows = spark.range(3).selectExpr("id", "'train' AS split")
    >>> Table(f"{folder}/t").append(rows, partition_by=["split"], metadata=manifest)
    0
    >>> sorted(i for batch in batches(f"{folder}/t", split="train", columns=["id"]) for i in batch["id"].to_pylist())
    [0, 1, 2]
    """
    import pyarrow as pa

    require_path(table)
    if batch_size < 1:
        raise _wrong("batch_size", "1 or more", batch_size, "Give a number of rows.")
    if not 0 <= shard[0] < shard[1]:
        raise _wrong("shard", "(i, n) with 0 <= i < n", shard, "The first of n readers is (0, n).")
    version = newest_gated(table) if version is None else version
    opened = open_version(table, version)
    schema = opened.schema
    known = {*SPLITS, *opened.splits}
    if split not in known:
        raise _wrong("split", f"a split of {table}", f"'{split}'", nearest(split, known))
    for name in columns or ():
        if name not in schema.names:
            raise _wrong("columns", f"a column of {table}", f"'{name}'", nearest(name, schema.names))
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    return iter(_Stream(opened, split, schema, batch_size, shard))


@dataclass(frozen=True)
class _Stream:
    """The batches of a split, whose files are read one after the other: nothing is under way between two of them."""

    opened: Opened
    split: str
    schema: pa.Schema
    batch_size: int
    shard: tuple[int, int]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        number = 0
        try:
            for file in self.opened.splits.get(self.split, []):
                with self.opened.filesystem.open_input_file(file.path) as source:
                    parquet = ParquetFile(source, pre_buffer=True)
                    for group in range(parquet.num_row_groups):
                        if number % self.shard[1] == self.shard[0]:
                            yield from self._group(parquet, group, partition_of(file))
                        number += 1
        except (OSError, ArrowException) as error:
            raise self.opened.unreadable(error) from error

    def _group(self, parquet: Any, group: int, partition: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        stored = [name for name in self.schema.names if name in parquet.schema_arrow.names]
        for batch in parquet.iter_batches(self.batch_size, row_groups=[group], columns=stored):
            yield self._shaped(batch, partition)

    def _shaped(self, batch: pa.RecordBatch, partition: dict[str, Any]) -> pa.RecordBatch:
        """A batch with all columns of the schema; one that the file has not is of one value, or null."""
        import pyarrow as pa

        columns = [
            batch[field.name].cast(field.type)
            if field.name in batch.schema.names
            else pa.repeat(pa.scalar(partition.get(field.name), field.type), batch.num_rows)
            for field in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _wrong(where: str, expected: str, found: object, remedy: str) -> ConfigError:
    return ConfigError(where=where, expected=expected, found=str(found), remedy=remedy)
