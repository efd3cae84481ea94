"""The rows that are measured on: the flights many times over, and a wide table."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

ROOT = Path(__file__).parent.parent.parent
JITTERED = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
WIDE_ROWS, WIDE_NUMBERS, WIDE_CATEGORIES = 500_000, 190, 10


def flights(spark: SparkSession, folder: str, copies: int) -> DataFrame:
    """All flights of the warehouse `copies` times over, as Parquet files.

    Each copy's measured numbers are moved by a hash of less than half a minute, and its flight numbers differ.
    """
    path = f"{folder}/x{copies}"
    if not Path(path).exists():
        rows = spark.read.format("delta").load(str(ROOT / "data/warehouse/flights"))
        rows = rows.crossJoin(F.broadcast(spark.range(copies).withColumnRenamed("id", "copy")))
        moved = {name: F.col(name) + _hash("copy", "time_hour", "carrier", "flight", F.lit(name)) for name in JITTERED}
        moved["flight"] = F.col("flight") + 10_000 * F.col("copy")
        rows.withColumns(moved).drop("copy").repartition(8).write.parquet(path)
    return spark.read.parquet(path)


def wide(spark: SparkSession, folder: str) -> DataFrame:
    """500,000 rows of 190 numbers, of which each fifth column has 5% nulls, and 10 categories of 20 values."""
    path = f"{folder}/wide"
    if not Path(path).exists():
        common = _hash("id", F.lit("common"))
        columns = []
        for i in range(WIDE_NUMBERS):
            value = common * (i % 7) + _hash("id", F.lit(i)) * (i + 1)
            columns.append(
                (F.when(_hash("id", F.lit(f"null {i}")) > -0.45, value) if i % 5 == 0 else value).alias(f"x{i}")
            )
        for i in range(WIDE_CATEGORIES):
            columns.append(F.concat(F.lit("v"), F.pmod(F.xxhash64("id", F.lit(f"c {i}")), F.lit(20))).alias(f"c{i}"))
        spark.range(0, WIDE_ROWS, 1, 8).select(*columns).write.parquet(path)
    return spark.read.parquet(path)


def _hash(*parts: object) -> F.Column:
    """A number from -0.5 to 0.5 that a hash of the parts gives."""
    return F.pmod(F.xxhash64(*parts), F.lit(1_000_001)) / F.lit(1e6) - 0.5
