"""Welch's test and its effects equal those of SciPy and statsmodels."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import special, stats
from statsmodels.stats.meta_analysis import effectsize_smd

from traintable.analyse import Moments
from traintable.analyse.hypothesis import hedges_g, mean_difference, welch_t
from weights import close, confidences, moments, offsets, samples


@settings(deadline=None, max_examples=150)
@given(samples, samples, offsets, confidences)
def test_it_is_that_of_scipy(a: list[float], b: list[float], offset: float, confidence: float) -> None:
    result = welch_t(moments(a, offset), moments(b, offset), confidence=confidence)
    assert result.n == len(a) + len(b)
    if min(len(a), len(b)) < 2:
        assert math.isnan(result.statistic)
        assert math.isnan(result.p_value)
        assert result.effect is None
    elif len({*a}) == len({*b}) == 1:
        expected = (math.nan, math.nan) if a[0] == b[0] else (math.copysign(math.inf, a[0] - b[0]), 0.0)
        np.testing.assert_array_equal((result.statistic, result.p_value), expected)
    else:
        expected = stats.ttest_ind(a, b, equal_var=False)
        assert close(result.statistic, expected.statistic, absolute=1e-12)
        assert close(result.p_value, expected.pvalue)
        interval = expected.confidence_interval(confidence)
        difference = mean_difference(moments(a, offset), moments(b, offset), confidence=confidence)
        scale = max(map(abs, a + b))
        assert close(difference.value, np.mean(a) - np.mean(b), absolute=1e-12 * scale)
        assert close(difference.low, interval.low, absolute=1e-12 * scale)
        assert close(difference.high, interval.high, absolute=1e-12 * scale)


@settings(deadline=None)
@given(samples, samples, offsets)
def test_the_effect_is_hedges_g(a: list[float], b: list[float], offset: float) -> None:
    result = hedges_g(moments(a, offset), moments(b, offset))
    if min(len(a), len(b)) < 2 or len({*a}) == len({*b}) == 1:
        assert np.isnan([result.value, result.low, result.high]).all()
        return
    n, df = (len(a), len(b)), len(a) + len(b) - 2
    pooled = ((n[0] - 1) * np.var(a, ddof=1) + (n[1] - 1) * np.var(b, ddof=1)) / df
    d = (np.mean(a) - np.mean(b)) / math.sqrt(pooled)
    correction = math.sqrt(math.pi) / math.sqrt(df / 2) / special.beta((df - 1) / 2, 0.5) if df > 1 else 0.0
    assert close(result.value, correction * d, absolute=1e-12)
    assert close((result.low + result.high) / 2, result.value, absolute=1e-12)
    assert result.low <= result.value <= result.high
    # statsmodels takes the usual approximation of the correction, 1 - 3 / (4 n - 9)
    g, _ = effectsize_smd(np.mean(a), np.std(a, ddof=1), n[0], np.mean(b), np.std(b, ddof=1), n[1])
    assert close(result.value, g, 0.01 if df > 6 else 0.2, absolute=1e-9)


def test_the_interval_is_that_of_hedges_and_olkin_where_variances_are_equal() -> None:
    a, b = Moments(40, Fraction(3), 4.0), Moments(25, Fraction(2), 4.0)
    result, d = hedges_g(a, b), 0.5
    error = result.value / d * math.sqrt(1 / 40 + 1 / 25 + d * d / (2 * 63))
    assert close(result.high - result.low, 2 * 1.959963984540054 * error)


@pytest.mark.parametrize(("n", "stds"), [((60, 60), (1, 1)), ((40, 120), (1, 3)), ((120, 40), (1, 3))])
def test_the_interval_of_g_covers_it_as_often_as_it_says(n: tuple[int, int], stds: tuple[float, float]) -> None:
    rng, trials = np.random.default_rng(2), 2000
    truth = 0.8 / math.sqrt(((n[0] - 1) * stds[0] ** 2 + (n[1] - 1) * stds[1] ** 2) / (sum(n) - 2))
    hit = 0
    for _ in range(trials):
        classes = [rng.normal(mean, std, k) for mean, std, k in zip((0.8, 0.0), stds, n, strict=True)]
        of = [Moments(len(c), Fraction(float(c.mean())), float(c.var(ddof=1))) for c in classes]
        effect = hedges_g(*of)
        hit += effect.low <= truth <= effect.high
    assert 0.93 < hit / trials < 0.97


def test_one_fraction_of_a_unit_far_from_zero_shows() -> None:
    a, b = np.array([0.0, 1, 2, 3]) / 2**20, np.array([1.0, 2, 3, 4]) / 2**20
    result = welch_t(moments(a, 2.0**30), moments(b, 2.0**30))
    assert close(result.statistic, stats.ttest_ind(a, b, equal_var=False).statistic, 1e-14)


def test_hundreds_of_millions_of_rows() -> None:
    a, b = Moments(300_000_000, Fraction(1), 2.0), Moments(200_000_000, Fraction(10_001, 10_000), 3.0)
    expected = stats.ttest_ind_from_stats(1, math.sqrt(2), a.n, 1.0001, math.sqrt(3), b.n, equal_var=False)
    result = welch_t(a, b)
    assert close(result.statistic, expected.statistic, 1e-9)
    assert close(result.p_value, expected.pvalue, 1e-7)
    assert result.effect is not None
    assert result.effect.low < result.effect.value < result.effect.high
    assert close(result.effect.value, -0.0001 / math.sqrt(2.4), 1e-8)


def test_infinite_variances_tell_nothing() -> None:
    assert math.isnan(welch_t(Moments(5, Fraction(1), math.inf), Moments(5, Fraction(0), 1.0)).p_value)
    assert math.isnan(mean_difference(Moments(1, Fraction(1), math.nan), Moments(5, Fraction(0), 1.0)).low)
    assert mean_difference(Moments(3, Fraction(1), 0.0), Moments(3, Fraction(0), 0.0)).low == 1.0
