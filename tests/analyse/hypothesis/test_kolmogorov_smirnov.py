"""The tests of Kolmogorov, Smirnov and Lilliefors equal those that SciPy and statsmodels make of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.diagnostic import lilliefors as statsmodels_lilliefors

from traintable.analyse.hypothesis import ks_1samp, ks_2samp, lilliefors
from traintable.analyse.hypothesis.lilliefors import lilliefors_p_value
from traintable.arrays import Floats
from traintable.statistics import Weighted
from weights import close, offsets, samples, times, weighted


@settings(deadline=None, max_examples=120)
@given(samples, st.sampled_from([0.0, 1.5, -300.0]), st.sampled_from([0.5, 2.0, 500.0]), offsets)
def test_one_sample_is_that_of_scipy(rows: list[float], mean: float, std: float, offset: float) -> None:
    result = ks_1samp(weighted(rows, offset), mean + offset, std)
    if not rows:
        assert math.isnan(result.p_value)
        return
    expected = stats.kstest(rows, "norm", args=(mean, std))
    assert close(result.statistic, expected.statistic)
    assert close(result.p_value, expected.pvalue)


@settings(deadline=None, max_examples=120)
@given(samples, samples, offsets)
def test_two_samples_are_those_of_scipy(a: list[float], b: list[float], offset: float) -> None:
    result = ks_2samp(weighted(a, offset), weighted(b, offset))
    if not a or not b:
        assert math.isnan(result.p_value)
        return
    expected = stats.ks_2samp(a, b)
    assert close(result.statistic, expected.statistic, absolute=1e-15)
    assert close(result.p_value, expected.pvalue)


def test_many_rows_are_tested_as_scipy_does() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=12_000).round(2), rng.normal(0.02, 1, 9_000).round(2)
    result, expected = ks_2samp(weighted(a), weighted(b)), stats.ks_2samp(a, b)
    assert close(result.statistic, expected.statistic, 1e-12)
    assert close(result.p_value, expected.pvalue)
    assert ks_2samp(weighted(b), weighted(a)).p_value == result.p_value


def test_hundreds_of_millions_of_rows() -> None:
    a = Weighted(np.array([1.0, 2.0]), np.array([300_000_000, 300_000_000]))
    b = Weighted(np.array([1.0, 2.0]), np.array([200_010_000, 199_990_000]))
    result = ks_2samp(a, b)
    assert result.statistic == 10_000 / 400_000_000
    assert close(result.p_value, stats.kstwobign.sf(2.5e-5 * math.sqrt(2.4e8)), 1e-3)
    assert result.effect is not None
    assert result.effect.low == 0
    assert ks_1samp(a, 1.5, 0.5).p_value == 0


def test_degenerate_parameters_give_no_result() -> None:
    for mean, std in ((0.0, 0.0), (0.0, math.nan), (math.inf, 1.0), (0.0, math.inf)):
        assert math.isnan(ks_1samp(weighted([1.0, 2.0]), mean, std).p_value)


def test_the_interval_holds_the_distance_at_least_as_often_as_it_says() -> None:
    rng, trials = np.random.default_rng(7), 500
    truth = 2 * stats.norm.cdf(0.25) - 1  # of two normal distributions half a standard deviation apart
    hits = [0, 0]
    for _ in range(trials):
        a, b = weighted(rng.normal(size=80)), weighted(rng.normal(0.5, 1, 120))
        for i, effect in enumerate((ks_2samp(a, b).effect, ks_1samp(a, 0.5, 1.0).effect)):
            assert effect is not None
            hits[i] += effect.low <= truth <= effect.high
    assert min(hits) / trials > 0.95


@settings(deadline=None, max_examples=100)
@given(samples.filter(lambda rows: len(rows) > 3 and len({*rows}) > 1), offsets)
def test_the_distance_of_lilliefors_is_that_of_statsmodels(rows: list[float], offset: float) -> None:
    assert close(lilliefors(weighted(rows, offset)).statistic, statsmodels_lilliefors(rows)[0])


@pytest.mark.parametrize("n", [10, 50, 400, 3000])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.normal(size=n) + 6 / n**0.5 * rng.exponential(size=n),
        lambda rng, n: rng.uniform(size=n),
    ],
)
def test_the_p_value_of_lilliefors_is_near_that_of_statsmodels(
    n: int, draw: Callable[[np.random.Generator, int], Floats]
) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        rows = draw(rng, n)
        result, expected = lilliefors(weighted(rows)).p_value, statsmodels_lilliefors(rows, pvalmethod="table")[1]
        assert close(max(result, 0.001), expected, 0.1, 0.01)


def test_p_values_of_lilliefors_are_even_where_rows_are_normal() -> None:
    rng = np.random.default_rng(8)
    p = [lilliefors(weighted(rng.normal(size=150))).p_value for _ in range(4000)]
    assert stats.kstest(p, "uniform").statistic < 0.026
    falling = [lilliefors_p_value(d) for d in np.linspace(0.2, 4, 400)]
    assert sorted(falling, reverse=True) == falling
    assert 0 < falling[-1] < 1e-30
    assert falling[0] == 1


def test_fitted_parameters_need_lilliefors() -> None:
    rng = np.random.default_rng(9)
    rows = rng.normal(size=200) + 0.35 * rng.exponential(size=200) * 3
    result = weighted(rows)
    assert ks_1samp(result, float(rows.mean()), float(rows.std(ddof=1))).p_value > 5 * lilliefors(result).p_value


def test_lilliefors_without_enough_values() -> None:
    assert math.isnan(lilliefors(weighted([1.0, 2.0, 3.0])).p_value)
    assert math.isnan(lilliefors(weighted([1.0] * 9)).p_value)
    many = lilliefors(times(weighted([1.0, 2.0, 3.0, 4.0]), 100_000_000))
    assert many.p_value == 0
