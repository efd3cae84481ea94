"""Records as they stand in files, each with its file and its place in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import functions as F

from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, POSITION, RAW
from traintable.ingest.listing import name_in_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def path_of(address: str) -> str:
    """The path of a local file's address, as Spark gives it."""
    return re.sub("^file:/+", "/", unquote(address))


def named(address: str, root: str) -> str:
    """What the file of an address is called in the table."""
    return name_in_table(path_of(address), root)


def union(parts: Iterable[DataFrame]) -> DataFrame:
    """The rows of all parts, which have the same columns."""
    return reduce(lambda first, more: first.unionByName(more), parts)


class Records(Protocol):
    """The records of some files, the same whenever they are computed."""

    @property
    def keep_blank(self) -> bool:
        """Whether records of nothing but blanks count."""

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records: `_raw`, `_path`, `_block`, `_place`."""

    def numbered(self, found: DataFrame, root: str) -> DataFrame:
        """`found`, some of the records, with their `position` in place of `_block` and `_place`."""

    def counts(self) -> DataFrame:
        """How many records count (`n`) of each file (`_path`), or of parts of it."""


@dataclass(frozen=True)
class SparkRecords:
    """Records that are rows of Spark's: `_raw`, `_path`, `_block`, `_place`.

    Attributes
    ----------
    max_bytes : of more bytes a record is none of nothing but blanks.
    """

    rows: DataFrame
    keep_blank: bool
    max_bytes: int = 0

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records."""
        return self.rows.mapInArrow(work, schema)

    def numbered(self, found: DataFrame, root: str) -> DataFrame:
        """`found`, some of the records, with the number of each in its file; one pass."""
        blocks = self.rows.groupBy(PATH, BLOCK).agg(F.min(PLACE).alias("first"), F.count(F.lit(1)).alias("n"))
        return numbered(found, blocks, root=root)

    def counts(self) -> DataFrame:
        """Of each file `n`, how many records count; one pass."""
        is_there = (F.length(F.trim(F.col(RAW), F.lit(" \t\n\f\r"))) > 0) | (F.octet_length(RAW) > self.max_bytes)
        counting = self.rows if self.keep_blank else self.rows.where(is_there)
        return counting.groupBy(PATH).agg(F.count(F.lit(1)).alias("n"))


def numbered(found: DataFrame, blocks: DataFrame, *, root: str) -> DataFrame:
    """`found`, some records, with the number of each in its file, from 1, in place of block and place.

    `blocks` has of each block of their files `first`, the place of its first record, and `n`, how many it has; places
    must be computed in the same way as those of `found`, which has the names of files, `blocks` their addresses.
    """
    shifts: dict[tuple[str, int], int] = {}  # block -> what to add to a place in it
    n_before: dict[str, int] = {}
    for row in sorted(blocks.collect(), key=lambda row: (row[PATH], row[BLOCK])):  # one row a block
        name = named(row[PATH], root)
        shifts[name, row[BLOCK]] = n_before.get(name, 0) + 1 - row["first"]
        n_before[name] = n_before.get(name, 0) + row["n"]
    added = found.sparkSession.createDataFrame(
        [(name, block, shift) for (name, block), shift in shifts.items()], "name string, block bigint, shift bigint"
    )
    same = (F.col(FILE) == F.col("name")) & (F.col(BLOCK) == F.col("block"))
    rows = found.join(F.broadcast(added), same)
    return rows.withColumn(POSITION, F.col(PLACE) + F.col("shift")).drop("name", "block", "shift", BLOCK, PLACE)
