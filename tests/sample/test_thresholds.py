"""Cuts let exactly as many rows, or as much, through as they should; NumPy counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from scipy.stats import binom

from frames import of_pandas, of_rows
from traintable.errors import ConfigError
from traintable.sample import keyed_hash
from traintable.sample import thresholds as module
from traintable.sample.draw import HIGHEST, LOWEST, share_below
from traintable.sample.lowest import draw_bound
from traintable.sample.thresholds import thresholds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SIZES = [0, 1, 2, 3, 5, 8, 40, 300, 5000]


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Strata of all sizes, one of them null, with sizes of rows of which many are 0."""
    rng = np.random.default_rng(3)
    stratum = np.repeat(np.arange(len(SIZES)), SIZES).astype(object)
    stratum[stratum == 4] = None
    frame = pd.DataFrame({"id": np.arange(len(stratum)), "s": pd.array(stratum, "Int64")})
    frame["bytes"] = np.where(rng.random(len(frame)) < 0.3, 0, rng.integers(1, 900, len(frame)))
    drawn = of_pandas(spark, frame).withColumn("draw", keyed_hash(["id"], seed=1, purpose="test"))
    return drawn.repartition(3).cache()


@pytest.fixture(scope="module")
def frame(rows: DataFrame) -> pd.DataFrame:
    return rows.toPandas().sort_values("draw")


def strata(frame: pd.DataFrame) -> dict[tuple[str | None, ...], pd.DataFrame]:
    groups = frame.groupby("s", dropna=False)
    return {(None if pd.isna(s) else str(int(s)),): group for s, group in groups}


@pytest.mark.parametrize("bits", [12, 3, 1])
def test_so_many_rows_lie_up_to_a_cut(
    bits: int, rows: DataFrame, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BITS", bits)
    targets = {s: [0, 1, len(g) // 3, len(g) // 2, len(g)] for s, g in strata(frame).items()}
    cuts = thresholds(rows, ["s"], targets, key=["id"], draw=F.col("draw"), where="test")
    for stratum, group in strata(frame).items():
        assert [int((group["draw"] <= cut).sum()) for cut in cuts[stratum]] == targets[stratum]
    everything = thresholds(rows, [], {(): [777]}, key=["id"], draw=F.col("draw"), where="test")
    assert (frame["draw"] <= everything[()][0]).sum() == 777


@pytest.mark.parametrize("bits", [12, 2])
def test_as_many_rows_as_fit_lie_up_to_a_cut(
    bits: int, rows: DataFrame, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BITS", bits)
    targets = {}
    for stratum, group in strata(frame).items():
        total = int(group["bytes"].sum())
        reached = int(group["bytes"].cumsum().iloc[len(group) // 2])  # met to the byte
        targets[stratum] = [0, 1, reached, max(0, reached - 1), total // 3, total, total + 10]
    cuts = thresholds(rows, ["s"], targets, key=["id"], draw=F.col("draw"), size=F.col("bytes"), where="test")
    for stratum, group in strata(frame).items():
        expected = [int((group["bytes"].cumsum() <= target).sum()) for target in targets[stratum]]
        assert [int((group["draw"] <= cut).sum()) for cut in cuts[stratum]] == expected


def test_a_stratum_without_rows_and_no_targets(rows: DataFrame) -> None:
    assert thresholds(rows, ["s"], {}, key=["id"], draw=F.col("draw"), where="test") == {}
    found = thresholds(rows, ["s"], {("77",): [0, 5]}, key=["id"], draw=F.col("draw"), where="test")
    assert found == {("77",): [HIGHEST, HIGHEST]}


def test_rows_that_draw_alike_are_shown(spark: SparkSession) -> None:
    twice = of_rows(spark, "`the id` int", [(i // 2,) for i in range(20)])
    draw = keyed_hash(["the id"], seed=1, purpose="test")
    with pytest.raises(ConfigError, match=r"differ in the id, found \(\d,\) 2 times; \(\d,\) 2 times; \(\d,\) 2 times"):
        thresholds(twice, [], {(): [7]}, key=["the id"], draw=draw, where="test")
    with pytest.raises(ConfigError, match=r"whose different keys have the same 64-bit hash\. Take another seed"):
        thresholds(spark.range(4), [], {(): [2]}, key=["id"], draw=F.lit(5).cast("long"), where="test")


def test_extreme_draws_are_cut_too(spark: SparkSession) -> None:
    draws = [LOWEST, LOWEST + 1, -1, 0, HIGHEST - 1, HIGHEST]
    rows = of_rows(spark, "draw bigint", [(draw,) for draw in draws])
    cuts = thresholds(rows, [], {(): [1, 2, 3, 4, 5, 6]}, key=["draw"], draw=F.col("draw"), where="test")[()]
    assert [sum(draw <= cut for draw in draws) for cut in cuts] == [1, 2, 3, 4, 5, 6]


def test_the_share_below_a_draw_has_all_its_digits(spark: SparkSession) -> None:
    draws = [LOWEST, LOWEST + 1, LOWEST + 12345, LOWEST + 2**40 + 1, -1, 0, 2**62 + 7, HIGHEST]
    rows = of_rows(spark, "draw bigint", [(draw,) for draw in draws])
    found = rows.select(share_below(F.col("draw")).alias("share")).toPandas()["share"]
    expected = np.array([(draw - LOWEST + 0.5) for draw in draws], np.float64) / 2.0**64
    exact: list[Any] = [(2 * (draw - LOWEST) + 1) / 2**65 for draw in draws]
    np.testing.assert_allclose(found[:-1], exact[:-1], rtol=1e-15)
    np.testing.assert_allclose(expected[4:-1], exact[4:-1], rtol=1e-15)
    assert found.min() > 0
    assert found.iloc[-1] == 1 - 2.0**-53


@pytest.mark.parametrize("n", [1, 2, 7, 100, 5_000, 10**6])
@pytest.mark.parametrize("factor", [1, 2, 30, 10**4, 10**7])
def test_the_bound_lets_enough_rows_through(n: int, factor: int) -> None:
    size = n * factor
    found = draw_bound(n, size)
    if found == HIGHEST:
        return
    share = (found - LOWEST) / 2**64
    assert binom.cdf(n - 1, size, share) < 1e-15
    assert share * size < n + 80 + 12 * n**0.5
