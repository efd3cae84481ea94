"""Exact draws against Spark's own, which are not exact, and against windows, which are; all columns go to noop."""

from __future__ import annotations

from fractions import Fraction

from data import flights
from measure import Side, compare
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from traintable import sample, split
from traintable.sample.arguments import share_of

KEY = ["time_hour", "carrier", "flight"]
SEED, RATIO = 7, 0.01
RATIOS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def draws(spark: SparkSession, folder: str, copies: int = 30) -> None:
    """A sample of 1% of each carrier's flights, and a split of each carrier's flights in three."""
    rows = flights(spark, folder, copies)
    there = {row["carrier"]: row["count"] for row in rows.groupBy("carrier").count().collect()}
    _check_sample(rows, there)
    ours = Side(lambda: _write(sample.stratified(rows, ["carrier"], ratio=RATIO, key=KEY, seed=SEED)))
    fractions = dict.fromkeys(there, RATIO)
    peer = Side(lambda: _write(rows.sampleBy("carrier", fractions, SEED)))
    compare(spark, f"stratified sample of 1%, x{copies}, sampleBy (fractions known, not exact)", ours, peer)
    compare(
        spark, f"stratified sample of 1%, x{copies}, row_number", Side(ours.work), Side(lambda: _window(rows, there))
    )
    _check_split(rows, there)
    divided = Side(lambda: _write(split.stratified(rows, ["carrier"], RATIOS, key=KEY, seed=SEED)))

    def split_theirs() -> None:
        for part in rows.randomSplit(list(RATIOS.values()), SEED):
            _write(part)

    compare(spark, f"stratified split in three, x{copies}, randomSplit (not exact)", divided, Side(split_theirs))


def _write(rows: DataFrame) -> None:
    rows.write.format("noop").mode("overwrite").save()


def _window(rows: DataFrame, there: dict[str, int]) -> None:
    """The exact sample as one writes it by hand."""
    sizes = F.create_map(*[F.lit(part) for pair in there.items() for part in (pair[0], share_of(RATIO, pair[1]))])
    order = Window.partitionBy("carrier").orderBy(F.xxhash64(F.lit(SEED), *KEY))
    ranked = rows.withColumn("rank", F.row_number().over(order))
    _write(ranked.where(F.col("rank") <= sizes[F.col("carrier")]).drop("rank"))


def _check_sample(rows: DataFrame, there: dict[str, int]) -> None:
    """Raise unless each stratum gives as many rows as it should."""
    drawn = sample.stratified(rows, ["carrier"], ratio=RATIO, key=KEY, seed=SEED).groupBy("carrier").count()
    found = {row["carrier"]: row["count"] for row in drawn.collect()}
    assert found == {carrier: share_of(RATIO, n) for carrier, n in there.items()}


def _check_split(rows: DataFrame, there: dict[str, int]) -> None:
    """Raise unless each stratum is divided to the nearest row."""
    divided = split.stratified(rows, ["carrier"], RATIOS, key=KEY, seed=SEED).groupBy("carrier", "split").count()
    found = {(row["carrier"], row["split"]): row["count"] for row in divided.collect()}
    for carrier, n in there.items():
        before, reached = 0, Fraction(0)
        for part, ratio in RATIOS.items():
            reached += Fraction(str(ratio))
            upto = int(n * reached + Fraction(1, 2))
            assert found.get((carrier, part), 0) == upto - before
            before = upto
