"""Draws are fair: over 2,000 seeds rows, and pairs of rows, are drawn as often as they should be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sampling import SEEDS, fairness, inclusion, of_seeds
from scipy.stats import chi2, chisquare, norm, poisson

from traintable import sample
from traintable.sample import keyed_hash
from traintable.sample.bootstrap import poisson as poisson_of
from traintable.sample.systematic import is_drawn

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N, DRAWN = 24, 6
MOST = 4.5  # standard deviations; a fair draw goes beyond once in 100,000 times


def own_seed() -> Any:
    """The seed of each row is what its column says."""
    return F.col("seed")


def as_bigint(seed: int) -> Any:
    """A seed of the type that the column of seeds has."""
    return F.lit(seed).cast("long")


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_seeds(spark, N, {"g": ["a"] * 4 + [None] * 8 + ["c"] * 12}).cache()


def fixed(rng: np.random.Generator, sizes: dict[int, int]) -> Any:
    """Samples of each stratum (size -> drawn) by NumPy, shape (seeds, rows)."""
    parts = []
    for size, n in sizes.items():
        order = rng.random((SEEDS, size)).argsort(axis=1)
        parts.append(order < n)
    return np.hstack(parts)


def check(included: Any, expected: Callable[[np.random.Generator], Any]) -> None:
    found = fairness(included, expected)
    assert max(map(abs, found.values())) < MOST, found


def test_a_sample_of_fixed_size_draws_rows_and_pairs_alike(rows: DataFrame) -> None:
    found = sample.stratified(rows, ["seed"], SEEDS * DRAWN, allocation="equal", key=["id"], seed=own_seed())
    included = inclusion(found.select("seed", "id").toPandas(), N)
    assert (included.sum(axis=1) == DRAWN).all()
    check(included, lambda rng: fixed(rng, {N: DRAWN}))


def test_strata_are_drawn_independently(rows: DataFrame) -> None:
    found = sample.stratified(rows, ["seed", "g"], ratio=0.25, key=["id"], seed=own_seed())
    check(
        inclusion(found.select("seed", "id").toPandas(), N),
        lambda rng: np.hstack([fixed(rng, {4: 1}), fixed(rng, {8: 2}), fixed(rng, {12: 3})]),
    )


def test_a_reservoir_draws_the_same_rows(rows: DataFrame) -> None:
    """Also by its probabilities: their inverses add up to the number of rows, on average."""
    found = sample.reservoir(rows, DRAWN, by=["seed"], key=["id"], seed=own_seed()).toPandas()
    exact = sample.stratified(rows, ["seed"], SEEDS * DRAWN, allocation="equal", key=["id"], seed=own_seed()).toPandas()
    np.testing.assert_array_equal(inclusion(found, N), inclusion(exact, N))
    totals = (1 / found["inclusion_probability"]).groupby(found["seed"]).sum()
    assert abs(totals.mean() - N) < MOST * totals.std() / SEEDS**0.5


def test_the_check_of_fairness_finds_what_is_unfair(rows: DataFrame) -> None:
    rng = np.random.default_rng(1)
    by_turns = np.array([np.roll(np.arange(N) % (N // DRAWN) == 0, seed) for seed in rng.integers(0, N, SEEDS)])
    assert abs(fairness(by_turns, lambda g: fixed(g, {N: DRAWN}), 50)["pairs"]) > 100
    favoured = (rng.random((SEEDS, N)) * np.where(np.arange(N) == 3, 0.7, 1)).argsort(axis=1).argsort(axis=1) < DRAWN
    assert abs(fairness(favoured, lambda g: fixed(g, {N: DRAWN}), 50)["rows"]) > 10


WEIGHTS = [1.0, 2.0, 3.0, 0.5, 8.0, 0.0, 1.0]


def successive(n: int) -> Any:
    """The exact chance of each row to be among `n` drawn one after another, in proportion to what weights are left."""
    chances = np.zeros(len(WEIGHTS))
    for order in permutations([i for i, w in enumerate(WEIGHTS) if w], n):
        left, chance = sum(WEIGHTS), 1.0
        for i in order:
            chance, left = chance * WEIGHTS[i] / left, left - WEIGHTS[i]
        chances[list(order)] += chance
    return chances


def test_weights_decide_how_often_a_row_is_drawn(spark: SparkSession) -> None:
    rows = of_seeds(spark, len(WEIGHTS), {"w": WEIGHTS})
    found = sample.reservoir(rows, 3, by=["seed"], weight="w", key=["id"], seed=own_seed()).toPandas()
    counts, expected = inclusion(found, len(WEIGHTS)).sum(axis=0), SEEDS * successive(3)
    assert counts[5] == 0
    assert (np.abs(counts - expected) <= MOST * np.sqrt(expected * (1 - expected / SEEDS))).all()
    totals = (found["w"] / found["inclusion_probability"]).groupby(found["seed"]).sum()
    assert abs(totals.mean() - sum(WEIGHTS)) < MOST * totals.std() / SEEDS**0.5
    counted = (1 / found["inclusion_probability"]).groupby(found["seed"]).sum()
    assert abs(counted.mean() - 6) < MOST * counted.std() / SEEDS**0.5


def test_groups_are_drawn_alike(spark: SparkSession) -> None:
    groups = of_seeds(spark, N).withColumn("draw", keyed_hash(["id"], seed=own_seed(), purpose="clusters")).toPandas()
    lowest = groups.groupby("seed")["draw"].rank() <= DRAWN
    check(inclusion(groups[lowest], N), lambda rng: fixed(rng, {N: DRAWN}))
    rows = spark.range(5 * N).selectExpr("id AS row", "CAST(id % 24 AS BIGINT) AS id")
    for seed in (3, 4):
        found = sample.cluster(rows, ["id"], DRAWN, seed=as_bigint(seed)).toPandas()
        expected = set(groups[lowest & (groups["seed"] == seed)]["id"])
        assert (set(found["id"]), len(found)) == (expected, 5 * DRAWN)


def test_a_systematic_start_is_uniform_and_each_row_is_drawn_from_n_starts(spark: SparkSession) -> None:
    starts = F.pmod(keyed_hash((), seed=own_seed(), purpose="systematic start"), F.lit(N))
    counts = of_seeds(spark, 1).select(starts.alias("start")).toPandas()["start"].value_counts()
    assert chisquare(counts.reindex(range(N), fill_value=0)).pvalue > 1e-4
    for n, size in ((6, 24), (7, 24), (24, 24), (1, 24), (17, 23)):
        grid = spark.range(size * size).selectExpr(f"id DIV {size} AS start", f"id % {size} AS place")
        found = grid.where(is_drawn(F.col("place"), n, size, F.col("start"))).toPandas()
        assert (found.groupby("place").size() == n).all()
        assert (found.groupby("start").size() == n).all()
        gaps = found.sort_values(["start", "place"]).groupby("start")["place"].diff().dropna()
        assert gaps.empty or gaps.max() - gaps.min() <= 1
        assert sorted(set(found["place"])) == list(range(size))


def test_whole_numbers_of_places_do_not_overflow(spark: SparkSession) -> None:
    size, n, start = 4 * 10**12, 3 * 10**9, 123_456_789_012
    places = [0, 1, 1332, 1333, 1334, size - 1, 2 * 10**12]
    frame = spark.createDataFrame([(place,) for place in places], "place long")
    found = frame.select(is_drawn(F.col("place"), n, size, F.lit(start)).alias("drawn")).toPandas()["drawn"]
    assert found.tolist() == [(place * n + start) % size < n for place in places]


def test_poisson_weights_are_poisson_and_independent(spark: SparkSession) -> None:
    n = 60_000
    first, second = (
        spark.range(n).select("id", poisson_of(keyed_hash(["id"], seed=5, purpose=f"bootstrap {r}")).alias("k"))
        for r in (0, 1)
    )
    weights = first.toPandas()["k"].to_numpy()
    observed = np.bincount(np.minimum(weights, 6), minlength=7)
    expected = np.r_[poisson.pmf(range(6), 1), poisson.sf(5, 1)] * n
    assert chisquare(observed, expected).pvalue > 1e-4
    table = np.histogram2d(np.minimum(weights, 3), np.minimum(second.toPandas()["k"], 3), bins=4)[0]
    independent = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    assert chi2.sf(((table - independent) ** 2 / independent).sum(), 9) > 1e-4
    drawn = sample.bootstrap(spark.range(n), key=["id"], seed=5).toPandas()
    pd.testing.assert_series_equal(drawn.set_index("id")["weight"].sort_index(), nonzero(weights), check_names=False)


def nonzero(weights: Any) -> pd.Series:
    return pd.Series(weights[weights > 0], pd.Index(np.flatnonzero(weights), name="id"), dtype="int64")


def test_weights_of_n_draws_are_those_of_n_draws(spark: SparkSession) -> None:
    size, n = 3_000, 30_000
    rows = spark.range(size).repartition(3)
    replicates = []
    for replicate in (0, 1):
        found = sample.bootstrap(rows, n, key=["id"], seed=9, replicate=replicate).toPandas()
        weights = found.set_index("id")["weight"].reindex(range(size), fill_value=0).to_numpy()
        assert weights.sum() == n
        statistic = chisquare(weights)
        assert 1e-4 < statistic.pvalue < 1 - 1e-4
        replicates.append(weights)
    correlation = np.corrcoef(*replicates)[0, 1]
    assert abs(correlation) < norm.isf(1e-5) / size**0.5


def test_draws_for_other_purposes_are_independent(rows: DataFrame) -> None:
    exact = sample.stratified(rows, ["seed"], SEEDS * DRAWN, allocation="equal", key=["id"], seed=own_seed())
    kept = exact.withColumn("other", keyed_hash(["id"], seed=own_seed(), purpose="split")).toPandas()
    lower = (kept["other"] < 0).sum()
    assert abs(lower - len(kept) / 2) < MOST * len(kept) ** 0.5 / 2
