"""Files that a task reads from their beginning to their end, for where a record ends is not known before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from traintable.addresses import escaped, is_remote
from traintable.contract.record_columns import BLOCK, PATH, PLACE, POSITION, RAW
from traintable.ingest.formats.streams import address_of, pieces, report_unreadable
from traintable.ingest.listing import ListedFile
from traintable.ingest.records import Work
from traintable.spark.plans import parallelism
from traintable.spark.tasks import distribute, run_tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Numbered = tuple[pa.StringArray, np.ndarray]  # some records, and the number of each in its file


class Cutter(Protocol):
    """How the bytes of a file are cut into records."""

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
        return self._per_file(read, work, schema)

    def numbered(self, found: DataFrame, root: str) -> DataFrame:
        """`found`, some of the records, with their numbers; no pass."""
        return found.withColumnRenamed(PLACE, POSITION).drop(BLOCK)

    def counts(self) -> DataFrame:
        """Of each file `n`, how many records count; one pass."""
        read = partial(_counted, cutter=self.cutter, max_file_bytes=self.max_file_bytes)
        return self._per_file(read, lambda batches: iter(batches), f"{PATH} string, n bigint")

    def _per_file(self, read: Any, work: Work, schema: str) -> DataFrame:
        """What `work` makes of that which `read` makes of the addresses of files and their bytes, or their paths."""
        if is_remote(self.files[0].path):
            found = self.spark.read.format("binaryFile").load([escaped(file.path) for file in self.files])
            content = found.select(F.col("_metadata.file_path").alias(PATH), F.col("content"))
            return content.mapInArrow(lambda batches: work(read(_contents(batches))), schema)
        n_parts = min(len(self.files), max(parallelism(self.spark), len(self.files) // 64))
        parts = distribute(self.files, lambda file: file.size, n_parts)
        return run_tasks(self.spark, parts, lambda part: work(read((address_of(f.path), f.path) for f in part)), schema)


def _contents(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.Buffer]]:
    for batch in batches:
        for address, content in zip(batch.column(0), batch.column(1), strict=True):
            yield address.as_py(), content.as_buffer()


def _batches(files: Iterable[tuple[str, Any]], *, cutter: Cutter, max_file_bytes: int) -> Iterator[pa.RecordBatch]:
    for address, stored in files:
        with report_unreadable(address):
            for raw, numbers in cutter.cut(pieces(stored, address, max_file_bytes)):
                n = len(raw)
                columns = [raw, pa.repeat(pa.scalar(address), n), pa.array(np.zeros(n, np.int64)), pa.array(numbers)]
                yield pa.RecordBatch.from_arrays(columns, names=[RAW, PATH, BLOCK, PLACE])


def _counted(files: Iterable[tuple[str, Any]], *, cutter: Cutter, max_file_bytes: int) -> Iterator[pa.RecordBatch]:
    for address, stored in files:
        with report_unreadable(address):
            n = cutter.count(pieces(stored, address, max_file_bytes))
        yield pa.RecordBatch.from_pydict({PATH: [address], "n": [n]})
