"""Analysis of variance and its effect equal those of SciPy and statsmodels."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.stats.oneway import confint_noncentrality

from traintable.analyse import Moments
from traintable.analyse.hypothesis import anova
from traintable.analyse.hypothesis.noncentral import noncentral_f
from weights import close, confidences, moments, offsets, samples


@settings(deadline=None, max_examples=120)
@given(st.lists(samples, min_size=1, max_size=5), offsets, confidences)
def test_it_is_that_of_scipy(classes: list[list[float]], offset: float, confidence: float) -> None:
    result = anova([moments(rows, offset) for rows in classes], confidence=confidence)
    filled = [rows for rows in classes if rows]
    n = sum(map(len, filled))
    assert result.n == n
    if len(filled) < 2 or n == len(filled) or all(len({*rows}) == 1 for rows in filled):
        assert math.isnan(result.statistic) or result.statistic == math.inf
        return
    expected = stats.f_oneway(*filled)
    assert close(result.statistic, expected.statistic, absolute=1e-12)
    if expected.statistic > 0:  # SciPy's rounding can leave a little less
        assert close(result.p_value, expected.pvalue, absolute=1e-15)
    df = (len(filled) - 1, n - len(filled))
    assert result.effect is not None
    excess = df[0] * (result.statistic - 1)
    assert close(result.effect.value, max(0.0, excess / (excess + n)), absolute=1e-12)
    tail = (1 - confidence) / 2
    assert_limit(result.effect.low, n, result.statistic, df, 1 - tail)
    assert_limit(result.effect.high, n, result.statistic, df, tail)


def assert_limit(share: float, n: int, f: float, df: tuple[int, int], target: float) -> None:
    """F is as probable as a limit means it to be, or can't be even without any effect."""
    if share == 0:
        assert stats.f.cdf(f, *df) <= target + 1e-12
    elif share < 1 - 1e-6:  # else the share has not enough digits to tell the noncentrality
        assert close(mixture(f, df, share * n / (1 - share)), target, 1e-7)


def mixture(f: float, df: tuple[int, int], noncentrality: float) -> float:
    """The noncentral F distribution by definition: central ones, as often as a Poisson variable says."""
    j = np.arange(stats.poisson.ppf(1e-16, noncentrality / 2), stats.poisson.isf(1e-16, noncentrality / 2) + 1)
    x = df[0] * f / (df[0] * f + df[1])
    return float(stats.poisson.pmf(j, noncentrality / 2) @ special.betainc(df[0] / 2 + j, df[1] / 2, x))


@pytest.mark.parametrize(("f", "df"), [(3.0, (2, 57)), (10.0, (3, 20)), (250.0, (4, 400)), (1.1, (9, 5000))])
def test_the_limits_are_those_of_statsmodels(f: float, df: tuple[int, int]) -> None:
    """Near, for the inversion that statsmodels calls stops early; right by definition."""
    result = noncentral_f(f, *df, 0.9)
    np.testing.assert_allclose(result, np.nan_to_num(confint_noncentrality(f, df, alpha=0.1)), rtol=1e-3)
    for limit, target in zip(result, (0.95, 0.05), strict=True):
        assert close(mixture(f, df, limit), target, 1e-10) or (limit == 0 and mixture(f, df, 0) < target)


def test_no_variance_inside_classes() -> None:
    apart = anova([moments([1.0, 1.0]), moments([2.0, 2.0])])
    assert (apart.statistic, apart.p_value) == (math.inf, 0.0)
    assert apart.effect is not None
    assert (apart.effect.value, apart.effect.low, apart.effect.high) == (1.0, 1.0, 1.0)
    assert anova([moments([1.0, 1.0]), moments([1.0])]).effect is None


def test_the_interval_covers_the_share_of_variance_as_often_as_it_says() -> None:
    rng, trials, means = np.random.default_rng(3), 1500, np.array([0.0, 0.5, 1.0])
    between, hit = float(np.var(means)), 0
    for _ in range(trials):
        rows = rng.normal(size=(3, 30)) + means[:, None]
        of = [Moments(30, Fraction(float(r.mean())), float(r.var(ddof=1))) for r in rows]
        effect = anova(of).effect
        assert effect is not None
        hit += effect.low <= between / (between + 1) <= effect.high
    assert 0.93 < hit / trials < 0.97


def test_hundreds_of_millions_of_rows() -> None:
    classes = [Moments(100_000_000, Fraction(k, 10_000) + 10**9, 1.0) for k in range(3)]
    result = anova(classes)
    f = 100_000_000 * 2 / 10_000**2 / 2
    assert close(result.statistic, f, 1e-12)
    assert close(result.p_value, stats.f.sf(f, 2, 3e8 - 3), 1e-9)
    assert result.effect is not None
    assert result.effect.low == 0
    assert 0 < result.effect.high < 1e-6
