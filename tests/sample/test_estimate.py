"""Estimates are those of the textbooks' formulas, and their intervals hold the truth as often as they say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from sampling import SEEDS, of_seeds
from scipy import stats

from frames import of_pandas
from traintable import sample
from traintable.errors import ConfigError
from traintable.sample import keyed_hash
from traintable.sample.estimate import Estimate, StratumSums, estimate_from_sums, sums_by_stratum

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N, DRAWN = 60, 20
P = "inclusion_probability"
RNG = np.random.default_rng(2)
GROUP = np.array(["a"] * 30 + ["b"] * 20 + ["c"] * 10)
Y = np.where(GROUP == "a", 100, np.where(GROUP == "b", 130, 160)) + RNG.normal(0, 20, N)
CLUSTER = np.repeat(np.arange(20), 3)
W = Y * np.exp(RNG.normal(0, 0.3, N))


UNKNOWN = "CASE WHEN y < 9.5 THEN NULL WHEN y > 12 THEN DOUBLE('NaN') ELSE y END"


def reach(estimate: Estimate, freedom: int, confidence: float = 0.95) -> None:
    t = stats.t.ppf((1 + confidence) / 2, freedom)
    assert estimate.high - estimate.value == pytest.approx(t * estimate.standard_error)
    assert estimate.value - estimate.low == pytest.approx(t * estimate.standard_error)


@pytest.fixture(scope="module")
def drawn(spark: SparkSession) -> pd.DataFrame:
    """A stratified sample by hand: 8 of 40, 5 of 25, all 3 of 3; one y is missing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"s.t": ["a"] * 8 + [None] * 5 + ["c"] * 3, "y": rng.normal(10, 2, 16)})
    frame[P] = [8 / 40] * 8 + [5 / 25] * 5 + [1.0] * 3
    frame["word"] = rng.choice(["x", "z"], 16)
    frame["cluster"] = [0, 0, 0, 1, 1, 2, 2, 3, 0, 0, 1, 1, 1, 0, 0, 0]
    return frame


def test_a_simple_sample_by_hand(spark: SparkSession, drawn: pd.DataFrame) -> None:
    part = drawn[drawn["s.t"] == "a"]
    rows = of_pandas(spark, part)
    mean = sample.estimate(rows, "y")
    assert mean.value == pytest.approx(part["y"].mean())
    assert mean.standard_error == pytest.approx(np.sqrt((1 - 0.2) * part["y"].var() / 8))
    reach(mean, 7)
    total = sample.estimate(rows, "y", statistic="total", confidence=0.8)
    assert (total.value, total.standard_error) == (
        pytest.approx(40 * mean.value),
        pytest.approx(40 * mean.standard_error),
    )
    reach(total, 7, 0.8)
    share = sample.estimate(rows, "word", statistic="share", value="x")
    p = (part["word"] == "x").mean()
    assert (share.value, share.n) == (pytest.approx(p), 8)
    assert share.standard_error == pytest.approx(np.sqrt((1 - 0.2) * p * (1 - p) / 7))


def test_a_stratified_sample_by_hand(spark: SparkSession, drawn: pd.DataFrame) -> None:
    rows = of_pandas(spark, drawn).repartition(3)
    sizes = {"a": 40, "?": 25, "c": 3}
    groups = drawn.groupby(drawn["s.t"].fillna("?"))["y"]
    value = sum(sizes[s] * y.mean() for s, y in groups)
    variance = sum(sizes[s] ** 2 * (1 - len(y) / sizes[s]) * y.var() / len(y) for s, y in groups)
    total = sample.estimate(rows, "y", statistic="total", strata=["s.t"])
    mean = sample.estimate(rows, "y", strata=["s.t"])
    assert (total.value, mean.value) == (pytest.approx(value), pytest.approx(value / 68))
    assert total.standard_error == pytest.approx(np.sqrt(variance))
    assert mean.standard_error == pytest.approx(np.sqrt(variance) / 68)
    reach(total, 16 - 3)


def test_a_sample_of_clusters_by_hand(spark: SparkSession, drawn: pd.DataFrame) -> None:
    frame = drawn.iloc[:8].assign(**{P: 4 / 10})
    rows = of_pandas(spark, frame)
    totals, counts = frame.groupby("cluster")["y"].sum(), frame.groupby("cluster").size()
    total = sample.estimate(rows, "y", statistic="total", clusters=["cluster"])
    assert total.value == pytest.approx(10 * totals.mean())
    assert total.standard_error == pytest.approx(10 * np.sqrt((1 - 0.4) * totals.var() / 4))
    reach(total, 3)
    mean = sample.estimate(rows, "y", clusters=["cluster"])
    ratio = totals.sum() / counts.sum()
    assert mean.value == pytest.approx(ratio)
    residual = (totals - ratio * counts) ** 2  # Cochran (1977), 6.3: the ratio of cluster totals
    expected = np.sqrt((1 - 0.4) * residual.sum() / 3 / 4) / counts.mean()
    assert mean.standard_error == pytest.approx(expected)


def test_rows_without_a_value_have_no_part(spark: SparkSession, drawn: pd.DataFrame) -> None:
    frame = drawn.iloc[:8].copy()
    rows = of_pandas(spark, frame).withColumn(
        "y", F.expr("CASE WHEN y < 9.5 THEN NULL WHEN y > 12 THEN 'NaN' ELSE y END")
    )
    kept = frame["y"].between(9.5, 12)
    assert 1 < kept.sum() < 8
    mean, total = sample.estimate(rows, "y"), sample.estimate(rows, "y", statistic="total")
    z = np.where(kept, frame["y"], 0.0)
    assert total.standard_error == pytest.approx(40 * np.sqrt(0.8 * z.var(ddof=1) / 8))
    residual = np.where(kept, frame["y"] - frame["y"][kept].mean(), 0.0)  # Cochran (1977), 2.13: a domain
    assert mean.value == pytest.approx(frame["y"][kept].mean())
    assert mean.standard_error == pytest.approx(np.sqrt(0.8 * residual.var(ddof=1) / 8) / kept.mean())
    null = sample.estimate(rows, "y", statistic="share")
    assert null.value == pytest.approx((frame["y"] < 9.5).mean())


def test_what_tells_nothing(spark: SparkSession, drawn: pd.DataFrame) -> None:
    rows = of_pandas(spark, drawn)
    empty = sample.estimate(rows.limit(0), "y")
    assert np.isnan([empty.value, empty.standard_error, empty.low]).all()
    assert empty.n == 0
    whole = sample.estimate(rows.where("`s.t` = 'c'"), "y", strata=["s.t"])
    assert (whole.standard_error, whole.low) == (0.0, whole.value)
    with pytest.raises(ConfigError, match="1 strata with only one"):
        sample.estimate(rows.where("cluster < 3 AND y IS NOT NULL").limit(1), "y", strata=["s.t"])
    for wrong, message in (
        ({"statistic": "median"}, "mean, total, share"),
        ({"value": 3}, "`value` only with 'share'"),
        ({"confidence": 95}, "between 0 and 1"),
        ({"strata": ["st"]}, r"Did you mean 's\.t'"),
    ):
        with pytest.raises(ConfigError, match=message):
            sample.estimate(rows, "y", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="a sample with a column"):
        sample.estimate(rows.drop(P), "y")


@pytest.fixture(scope="module")
def population(spark: SparkSession) -> DataFrame:
    columns: dict[str, Any] = {"y": Y, "g": GROUP, "c": CLUSTER, "w": W, "late": Y > 120}
    return of_seeds(spark, N, columns).cache()


def estimates(found: DataFrame, column: str, statistic: Any, strata: list[str], **options: Any) -> list[Estimate]:
    """An estimate from the sample of each seed; one job."""
    given_ranks = options.pop("given_ranks", False)
    sums: dict[int, list[StratumSums]] = defaultdict(list)
    for stratum, of_stratum in sums_by_stratum(found, column, statistic=statistic, strata=["seed", *strata], **options):
        sums[stratum[0]].append(of_stratum)
    assert len(sums) == SEEDS
    return [estimate_from_sums(parts, statistic, given_ranks=given_ranks) for parts in sums.values()]


def check(found: list[Estimate], truth: float, *, most: float = 0.97) -> None:
    """Nearly unbiased, with the right variance on average, and intervals that hold the truth."""
    values = np.array([e.value for e in found])
    assert abs(values.mean() - truth) < 4 * values.std() / len(values) ** 0.5 + 0.002 * abs(truth)
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert 0.93 <= covered <= most
    assert 0.9 < np.mean([e.standard_error**2 for e in found]) / values.var() < 1.12


TRUTHS = {"mean": Y.mean(), "total": Y.sum(), "share": (Y > 120).mean()}


@pytest.mark.parametrize("statistic", TRUTHS)
def test_intervals_of_simple_and_stratified_samples(statistic: str, population: DataFrame) -> None:
    options: dict[str, Any] = {"key": ["id"], "seed": F.col("seed")}
    column, value = ("late", True) if statistic == "share" else ("y", None)
    most = 0.985 if statistic == "share" else 0.97  # shares of 20 rows are few values
    simple = sample.stratified(population, ["seed"], SEEDS * DRAWN, allocation="equal", **options)
    check(estimates(simple, column, statistic, [], value=value), TRUTHS[statistic], most=most)
    by_group = sample.stratified(population, ["seed", "g"], ratio=0.4, **options)
    check(estimates(by_group, column, statistic, ["g"], value=value), TRUTHS[statistic], most=most)


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("statistic", ["mean", "total"])
def test_intervals_of_reservoirs(weight: str | None, statistic: str, population: DataFrame) -> None:
    found = sample.reservoir(population, DRAWN, by=["seed"], weight=weight, key=["id"], seed=F.col("seed"))  # type: ignore[arg-type]
    check(estimates(found, "y", statistic, [], given_ranks=True), TRUTHS[statistic])


@pytest.mark.parametrize("statistic", ["mean", "total"])
def test_intervals_of_clusters(statistic: str, population: DataFrame) -> None:
    m, n = 20, 12
    groups = population.select("seed", "c").distinct()
    draws = groups.withColumn("d", keyed_hash(["c"], seed=F.col("seed"), purpose="clusters")).toPandas()  # type: ignore[arg-type]
    lowest = draws[draws.groupby("seed")["d"].rank() <= n][["seed", "c"]]
    chosen = population.sparkSession.createDataFrame(pa.Table.from_pandas(lowest, preserve_index=False))
    whole = population.join(F.broadcast(chosen), ["seed", "c"]).withColumn(P, F.lit(n / m))
    check(estimates(whole, "y", statistic, [], clusters=["c"]), TRUTHS[statistic])
    two = sample.reservoir(whole.drop(P), 2, by=["seed", "c"], key=["id"], seed=F.col("seed"))  # type: ignore[arg-type]
    two = two.withColumn(P, F.lit(n / m * 2 / 3))
    found = estimates(two, "y", statistic, [], clusters=["c"])
    covered = np.mean([e.low <= TRUTHS[statistic] <= e.high for e in found])
    assert 0.93 <= covered <= 0.99  # a little too wide, as it says
