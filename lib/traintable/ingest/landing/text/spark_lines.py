"""The lines of files that Spark reads: those on S3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.ingest.landing.listing import FoundFile
from traintable.ingest.landing.records import BLOCK, PATH, PLACE, RAW, SparkRecords, escaped

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def spark_lines(
    spark: SparkSession, files: Sequence[FoundFile], *, keep_blank: bool, encoding: str, max_bytes: int
) -> SparkRecords:
    """The lines of files: `_raw` (text), `_path` (an address), and where a line is: `_block` and `_place` within it.

    A block is a part of a file that one task reads; places ascend within it. Lines end at LF, CRLF or CR; a byte order
    mark is none of the text. Costs no pass.
    """
    found = spark.read.text([escaped(file.path) for file in files])
    raw = F.col("value") if encoding == "utf-8" else F.decode(F.col("value").cast("binary"), encoding)
    rows = found.select(
        raw.alias(RAW),
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )
    return SparkRecords(rows, keep_blank, max_bytes)
