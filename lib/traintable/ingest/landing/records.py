"""The records of text files as they stand there, each with its file and its place in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F

from traintable.ingest.landing.listing import FoundFile

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

RAW, PATH, PLACE, BLOCK, POSITION = "_raw", "_path", "_place", "_block", "position"
_GLOB = re.compile(r"([\\*?\[\]{}])")


def lines(spark: SparkSession, files: Sequence[FoundFile], *, encoding: str) -> DataFrame:
    """The lines of files: `_raw` (text), `_path`, and where a line is: `_block` and `_place` within it.

    A block is a part of a file that one task reads; places ascend within it. Lines end as Spark ends them, at LF, CRLF
    or CR; a byte order mark is none of the text. Costs no pass.
    """
    found = spark.read.text([escaped(file.path) for file in files])
    raw = F.col("value") if encoding == "utf-8" else F.decode(F.col("value").cast("binary"), encoding)
    return found.select(
        raw.alias(RAW),
        path_of(F.col("_metadata.file_path")).alias(PATH),
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )


def multi_line_records(spark: SparkSession, files: Sequence[FoundFile], *, quote: str, encoding: str) -> DataFrame:
    """The records of CSV files in which a quoted value may hold line ends; as `lines`, `_place` being the line number.

    A file is read whole by one task, which takes its size in memory a few times over; 2 GB is the most.
    """
    found = spark.read.format("binaryFile").load([escaped(file.path) for file in files])
    rows = found.select(F.col("content"), path_of(F.col("_metadata.file_path")).alias(PATH))
    pattern = re.compile(_RECORD % {b"q": re.escape(quote.encode())})

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for content, path in zip(batch.column(0), batch.column(1), strict=True):
                yield _batch(pattern, content.as_buffer().to_pybytes(), path.as_py(), encoding)

    return rows.mapInArrow(work, f"{RAW} string, {PATH} string, {BLOCK} bigint, {PLACE} bigint")


# A record is quoted stretches and others without line ends, up to a line end or the end of the file. A quote that is
# never closed reaches to the end of its line only.
_RECORD = rb"(?:[^%(q)s\r\n]+|%(q)s[^%(q)s]*%(q)s|%(q)s[^\r\n]*)*(?:\r\n|\r|\n|\Z)"


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


def path_of(address: Column) -> Column:
    """The path of an address as `_metadata` gives it: of a local file without its scheme, and nothing percent-encoded.

    A plus stands for itself in it.
    """
    decoded = F.url_decode(F.replace(address, F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(decoded, "^file:/+", "/")


def numbered(found: DataFrame, of: DataFrame) -> DataFrame:
    """`found`, some of the records `of`, with the number of each in its file, from 1, in place of block and place.

    Both are computed from the same files in the same way, so that their places agree. Costs a pass over `of` that
    counts the records of each block.
    """
    blocks = of.groupBy(PATH, BLOCK).agg(F.min(PLACE).alias("first"), F.count(F.lit(1)).alias("n"))
    joined = F.broadcast(blocks.withColumnsRenamed({PATH: "path", BLOCK: "block"}))
    before = (
        blocks.groupBy(PATH)
        .agg(F.sort_array(F.collect_list(F.struct(BLOCK, "n"))).alias("blocks"))
        .withColumnRenamed(PATH, "path")
    )
    rows = found.join(joined, (F.col(PATH) == F.col("path")) & (F.col(BLOCK) == F.col("block"))).drop(
        "path", "block", "n"
    )
    rows = rows.join(F.broadcast(before), F.col(PATH) == F.col("path")).drop("path")
    earlier = F.aggregate(
        "blocks",
        F.lit(0).cast("bigint"),
        lambda total, block: F.when(block[BLOCK] < F.col(BLOCK), total + block["n"]).otherwise(total),
    )
    place = F.col(PLACE) - F.col("first") + earlier + F.lit(1)
    return rows.withColumn(POSITION, place).drop("first", "blocks", BLOCK, PLACE)
