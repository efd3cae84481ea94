"""Records as they stand in files, each with its file and its place in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pyarrow as pa
from pyspark.sql import functions as F

from traintable.addresses import literal_path
from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, POSITION, RAW
from traintable.ingest.listing import ListedFile, name_at

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class CountedBlock(NamedTuple):
    """A part of a file: its address, where it starts, the place of the first record in it, and how many there are."""

    path: str
    block: int
    first: int
    n: int


class Records(Protocol):
    """The records of some files, the same whenever they are computed."""

    @property
    def keep_blank(self) -> bool:
        """Whether records of nothing but blanks count."""

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records: `_raw`, `_path`, `_block`, `_place`."""

    def with_positions(self, some: DataFrame, root: str) -> DataFrame:
        """`some` of the records, with their `position` in place of `_block` and `_place`."""

    def counts(self) -> Counter[str]:
        """How many records count, by the address of their file; raises UnreadableFiles."""


@dataclass(frozen=True)
class SparkRecords:
    """Records that are rows of Spark's: `_raw`, `_path`, `_block`, `_place`.

    Attributes
    ----------
    keep_blank : whether records of nothing but blanks count.
    max_bytes : a record of more bytes always counts, for there may be more of it than was read.
    """

    rows: DataFrame
    keep_blank: bool
    max_bytes: int = 0

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records."""
        return self.rows.mapInArrow(work, schema)

    def with_positions(self, some: DataFrame, root: str) -> DataFrame:
        """`some` of the records, with the number of each in its file; one pass."""
        grouped = self.rows.groupBy(PATH, BLOCK).agg(F.min(PLACE), F.count(F.lit(1)))
        blocks = [CountedBlock(*row) for row in grouped.collect()]  # one row a block that a task reads
        return with_positions(some, blocks, root=root)

    def counts(self) -> Counter[str]:
        """How many records count, by the address of their file; one pass."""
        is_blank = F.length(F.trim(F.col(RAW), F.lit(" \t\n\f\r"))) == 0
        counts = ~is_blank | (F.octet_length(RAW) > self.max_bytes)
        records = self.rows if self.keep_blank else self.rows.where(counts)
        return Counter({row[0]: int(row[1]) for row in records.groupBy(PATH).count().collect()})  # one row a file


def spark_lines(
    spark: SparkSession, files: Sequence[ListedFile], *, keep_blank: bool, encoding: str, max_bytes: int
) -> SparkRecords:
    """The lines of files: `_raw` (text), `_path` (an address), and where a line is: `_block` and `_place` within it.

    A block is a part of a file that one task reads; places ascend within it. Lines end at LF, CRLF or CR; a byte order
    mark is none of the text. Costs no pass.
    """
    lines = spark.read.text([literal_path(file.path) for file in files])
    raw = F.col("value") if encoding == "utf-8" else F.decode(F.col("value").cast("binary"), encoding)
    rows = lines.select(
        raw.alias(RAW),
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )
    return SparkRecords(rows, keep_blank, max_bytes)


def union(parts: Iterable[DataFrame]) -> DataFrame:
    """The rows of all parts, which have the same columns."""
    return reduce(lambda first, more: first.unionByName(more), parts)


def with_positions(some: DataFrame, blocks: Iterable[CountedBlock], *, root: str) -> DataFrame:
    """Some records, with the number of each in its file, from 1, as `position` in place of `_block` and `_place`.

    `blocks` are all that their files have; places must be computed in the same way as those of the records.
    """
    shifts: dict[tuple[str, int], int] = {}  # block -> what to add to a place in it
    n_before: Counter[str] = Counter()
    for block in sorted(blocks):
        name = name_at(block.path, root)
        shifts[name, block.block] = n_before[name] + 1 - block.first
        n_before[name] += block.n
    added = some.sparkSession.createDataFrame(
        [(name, block, shift) for (name, block), shift in shifts.items()], "name string, block bigint, shift bigint"
    )
    same = (F.col(FILE) == F.col("name")) & (F.col(BLOCK) == F.col("block"))
    rows = some.join(F.broadcast(added), same)
    return rows.withColumn(POSITION, F.col(PLACE) + F.col("shift")).drop("name", "block", "shift", BLOCK, PLACE)
