"""Files that one task each reads from beginning to end, because only reading tells where a record ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from traintable.addresses import is_remote, literal_path
from traintable.contract.record_columns import BLOCK, PATH, PLACE, POSITION, RAW
from traintable.ingest.formats.streams import pieces, report_unreadable
from traintable.ingest.listing import ListedFile, address_of
from traintable.ingest.records import Work
from traintable.spark.plans import parallelism
from traintable.spark.task_results import SCHEMA, TaskResult, to_batch, values_of
from traintable.spark.tasks import distribute, run_tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Numbered = tuple[pa.StringArray, np.ndarray]  # some records, and the number of each in its file
StoredFile = tuple[str, str | pa.Buffer]  # an address, and the path of a local file or the bytes of another


class Cutter(Protocol):
    """Cuts the bytes of a file into records."""

    def cut(self, content: Iterable[bytes]) -> Iterator[Numbered]:
        """The records, without what ends them, and the number of each or of the line that it begins at, from 1."""

    def count(self, content: Iterable[bytes]) -> int:
        """How many of the records count."""


@dataclass(frozen=True)
class WholeFiles:
    """The records of files, each of which one task reads a piece at a time; those on S3 it gets whole.

    Attributes
    ----------
    max_file_bytes : what a packed file may unpack to.
    """

    spark: SparkSession
    files: Sequence[ListedFile]
    cutter: Cutter
    keep_blank: bool
    max_file_bytes: int

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records."""
        read = partial(_batches, cutter=self.cutter, max_file_bytes=self.max_file_bytes)
        return self._run(lambda files: work(read(files)), schema)

    def with_positions(self, some: DataFrame, root: str) -> DataFrame:
        """`some` of the records, with their numbers; no pass."""
        return some.withColumnRenamed(PLACE, POSITION).drop(BLOCK)

    def counts(self) -> Counter[str]:
        """How many records count, by the address of their file; one pass."""
        count = partial(_count_files, cutter=self.cutter, max_file_bytes=self.max_file_bytes)
        answers = self._run(count, SCHEMA).collect()  # one row a file
        return Counter(dict(values_of(row[0] for row in answers)))

    def _run(self, work: Callable[[Iterable[StoredFile]], Iterator[pa.RecordBatch]], schema: str) -> DataFrame:
        """What `work` makes of the files, each share of them in a task of its own."""
        if is_remote(self.files[0].path):
            binary = self.spark.read.format("binaryFile").load([literal_path(file.path) for file in self.files])
            content = binary.select(F.col("_metadata.file_path").alias(PATH), F.col("content"))
            return content.mapInArrow(lambda batches: work(_stored(batches)), schema)
        n_shares = min(len(self.files), max(parallelism(self.spark), len(self.files) // 64))
        shares = distribute(self.files, lambda file: file.size, n_shares)
        return run_tasks(self.spark, shares, lambda own: work((address_of(f.path), f.path) for f in own), schema)


def _stored(batches: Iterable[pa.RecordBatch]) -> Iterator[StoredFile]:
    for batch in batches:
        for address, content in zip(batch.column(0), batch.column(1), strict=True):
            yield address.as_py(), content.as_buffer()


def _batches(files: Iterable[StoredFile], *, cutter: Cutter, max_file_bytes: int) -> Iterator[pa.RecordBatch]:
    """The records of files as `_raw`, `_path`, `_block` (0) and `_place`."""
    for address, stored in files:
        with report_unreadable(address):
            for raw, numbers in cutter.cut(pieces(stored, address, max_file_bytes)):
                n = len(raw)
                columns = [raw, pa.repeat(pa.scalar(address), n), pa.array(np.zeros(n, np.int64)), pa.array(numbers)]
                yield pa.RecordBatch.from_arrays(columns, names=[RAW, PATH, BLOCK, PLACE])


def _count_files(files: Iterable[StoredFile], *, cutter: Cutter, max_file_bytes: int) -> Iterator[pa.RecordBatch]:
    """The address of each file and how many records of it count, as results of a task."""
    count = partial(_count_file, cutter=cutter, max_file_bytes=max_file_bytes)
    yield to_batch(TaskResult.of(partial(count, *file)) for file in files)


def _count_file(address: str, stored: str | pa.Buffer, *, cutter: Cutter, max_file_bytes: int) -> tuple[str, int]:
    with report_unreadable(address):
        return address, cutter.count(pieces(stored, address, max_file_bytes))
