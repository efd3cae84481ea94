"""The test of a correlation equals that of SciPy."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from traintable.analyse.association import correlation_test
from weights import close


@settings(deadline=None)
@given(st.integers(3, 40), st.integers(0, 10_000))
def test_the_test_of_a_correlation_is_that_of_scipy(n: int, seed: int) -> None:
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    expected = stats.pearsonr(x, y)
    result = correlation_test(float(expected.statistic), n)
    assert close(result.p_value, expected.pvalue, 1e-8)
    assert result.effect is not None
    if n > 3:
        low, high = expected.confidence_interval()
        assert close(result.effect.low, low)
        assert close(result.effect.high, high)
    ranks = stats.spearmanr(x, y)
    if abs(ranks.statistic) < 1 - 1e-9:
        assert close(correlation_test(float(ranks.statistic), n, method="spearman").p_value, ranks.pvalue, 1e-8)


def test_correlations_at_the_edge() -> None:
    assert correlation_test(1.0, 10).p_value == 0
    assert math.isnan(correlation_test(math.nan, 10).p_value)
    assert math.isnan(correlation_test(0.5, 2).p_value)
    many = correlation_test(1e-4, 400_000_000)
    assert close(many.p_value, 2 * stats.norm.sf(1e-4 * 20_000), 1e-6)
    narrow, wide = correlation_test(0.6, 50).effect, correlation_test(0.6, 50, method="spearman").effect
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > narrow.high - narrow.low


def test_the_interval_of_spearman_covers_it_as_often_as_it_says() -> None:
    rng, hit = np.random.default_rng(11), 0
    truth = 6 / math.pi * math.asin(0.6 / 2)  # of normal values with a correlation of 0.6
    for _ in range(600):
        x, y = rng.normal(size=(2, 60))
        effect = correlation_test(float(stats.spearmanr(x, 0.6 * x + 0.8 * y).statistic), 60, method="spearman").effect
        assert effect is not None
        hit += effect.low <= truth <= effect.high
    assert 0.92 < hit / 600 < 0.98
