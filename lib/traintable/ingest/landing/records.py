"""The records of text files as they stand there, each with its file and its place in it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import functions as F

from traintable.ingest.landing.listing import FoundFile, name_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RAW, PATH, PLACE, BLOCK, POSITION = "_raw", "_path", "_place", "_block", "position"
FILE = "_file"  # what a file is called in the table
Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
_GLOB = re.compile(r"([\\*?\[\]{}])")


def lines(spark: SparkSession, files: Sequence[FoundFile], *, encoding: str) -> DataFrame:
    """The lines of files: `_raw` (text), `_path` (an address), and where a line is: `_block` and `_place` within it.

    A block is a part of a file that one task reads; places ascend within it. Lines end as Spark ends them, at LF, CRLF
    or CR; a byte order mark is none of the text. Costs no pass.
    """
    found = spark.read.text([escaped(file.path) for file in files])
    raw = F.col("value") if encoding == "utf-8" else F.decode(F.col("value").cast("binary"), encoding)
    return found.select(
        raw.alias(RAW),
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )


def multi_line_records(
    spark: SparkSession, files: Sequence[FoundFile], *, quote: str, escape: str, encoding: str
) -> DataFrame:
    """The records of CSV files in which a quoted value may hold line ends; as `lines`, `_place` being the line number.

    A file is read whole by one task, which takes its size in memory a few times over; 2 GB is the most.
    """
    found = spark.read.format("binaryFile").load([escaped(file.path) for file in files])
    rows = found.select(F.col("content"), F.col("_metadata.file_path").alias(PATH))
    signs = {b"q": re.escape(quote.encode()), b"e": re.escape(escape.encode())}
    pattern = re.compile((_RECORD if escape == quote else _ESCAPED) % signs)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for content, path in zip(batch.column(0), batch.column(1), strict=True):
                address, whole = path.as_py(), content.as_buffer().to_pybytes()
                yield _batch(pattern, gzip.decompress(whole) if address.endswith(".gz") else whole, address, encoding)

    return rows.mapInArrow(work, f"{RAW} string, {PATH} string, {BLOCK} bigint, {PLACE} bigint")


# A record is quoted stretches and others without line ends, up to a line end or the end of the file. A quote that is
# never closed reaches to the end of its line only.
_RECORD = rb"(?:[^%(q)s\r\n]+|%(q)s[^%(q)s]*%(q)s|%(q)s[^\r\n]*)*(?:\r\n|\r|\n|\Z)"

_ESCAPED = rb"(?:[^%(q)s\r\n]+|%(q)s(?:[^%(q)s%(e)s]|%(e)s.)*%(q)s|%(q)s[^\r\n]*)*(?:\r\n|\r|\n|\Z)"


def _batch(pattern: re.Pattern[bytes], content: bytes, path: str, encoding: str) -> pa.RecordBatch:
    content = content.removeprefix(b"\xef\xbb\xbf")
    raws, places, line, at = [], [], 1, 0
    while at < len(content):
        found = pattern.match(content, at)
        assert found is not None
        text = found.group()
        raws.append(text.rstrip(b"\r\n") if encoding == "utf-8" else text.decode(encoding).rstrip("\r\n").encode())
        places.append(line)
        line, at = line + len(re.findall(rb"\r\n|\r|\n", text)), found.end()
    # The bytes may be no valid text, which is for the contract to find.
    offsets = pa.array(raws, pa.binary()).view(pa.string())
    n = len(raws)
    return pa.RecordBatch.from_arrays(
        [offsets, pa.array([path] * n, pa.string()), pa.array([0] * n, pa.int64()), pa.array(places, pa.int64())],
        names=[RAW, PATH, BLOCK, PLACE],
    )


def escaped(path: str) -> str:
    """A path that Spark takes as it stands, without looking for patterns in it."""
    return _GLOB.sub(r"\\\1", path)


def path_of(address: str) -> str:
    """The path of a local file's address, as Spark gives it."""
    return re.sub("^file:/+", "/", unquote(address))


def named(address: str, root: str) -> str:
    """What the file of an address is called in the table."""
    return name_of(path_of(address), root)


def union(parts: Iterable[DataFrame]) -> DataFrame:
    """The rows of all parts, which have the same columns."""
    return reduce(lambda first, more: first.unionByName(more), parts)


@dataclass(frozen=True)
class Records:
    """Records as rows of Spark's: `_raw`, `_path`, `_block`, `_place`.

    Attributes
    ----------
    keep_blank : whether records of nothing but blanks count.
    """

    rows: DataFrame
    keep_blank: bool

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of batches of the records."""
        return self.rows.mapInArrow(work, schema)

    def blocks(self) -> DataFrame:
        """Of each block `first`, the place of its first record, and `n`, how many it has; one pass."""
        return self.rows.groupBy(PATH, BLOCK).agg(F.min(PLACE).alias("first"), F.count(F.lit(1)).alias("n"))

    def counts(self) -> DataFrame:
        """Of each file `n`, how many records count; one pass."""
        is_there = F.length(F.trim(F.col(RAW), F.lit(" \t\n\f\r"))) > 0
        counting = self.rows if self.keep_blank else self.rows.where(is_there)
        return counting.groupBy(PATH).agg(F.count(F.lit(1)).alias("n"))


def numbered(found: DataFrame, blocks: DataFrame, *, root: str) -> DataFrame:
    """`found`, some records, with the number of each in its file, from 1, in place of block and place.

    `blocks` are those of all records of their files (`Records.blocks`), computed in the same way, so that places agree;
    `found` has the names of files, `blocks` their addresses.
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
