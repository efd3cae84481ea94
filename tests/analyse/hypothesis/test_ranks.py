"""Tests of ranks equal those that SciPy makes of the rows one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.nonparametric import rank_compare_2indep

from traintable.analyse.hypothesis import auc, kruskal_wallis, ks_2samp, mann_whitney
from traintable.analyse.hypothesis.pooled_ranks import PooledRanks
from traintable.statistics import Weighted
from weights import close, confidences, offsets, samples, times, weighted


@settings(deadline=None, max_examples=150)
@given(samples, samples, offsets)
def test_mann_whitney_is_that_of_scipy(a: list[float], b: list[float], offset: float) -> None:
    result = mann_whitney(weighted(a, offset), weighted(b, offset))
    if not a or not b:
        assert math.isnan(result.p_value)
        assert result.effect is None
        return
    if len({*a, *b}) == 1:
        assert result.p_value == 1
        return
    expected = stats.mannwhitneyu(a, b)
    assert result.statistic == expected.statistic
    assert close(result.p_value, expected.pvalue)
    assert result.n == len(a) + len(b)


def test_few_rows_without_ties_have_the_exact_p_value() -> None:
    a, b = [1.0, 4.0, 6.0], [2.0, 3.0, 7.0, 8.0, 9.0]
    result = mann_whitney(weighted(a), weighted(b))
    assert result.test == "mann-whitney, exact"
    assert close(result.p_value, stats.mannwhitneyu(a, b, method="exact").pvalue)
    many = mann_whitney(weighted([0.5]), weighted(np.arange(500.0)))
    assert many.test == "mann-whitney, normal"
    assert close(many.p_value, stats.mannwhitneyu([0.5], np.arange(500), method="asymptotic").pvalue)


@settings(deadline=None, max_examples=120)
@given(samples.filter(bool), samples.filter(bool), offsets, confidences)
def test_the_area_is_that_of_scikit_learn_and_its_interval_that_of_statsmodels(
    a: list[float], b: list[float], offset: float, confidence: float
) -> None:
    result = auc(weighted(a, offset), weighted(b, offset), confidence=confidence)
    assert close(result.value, roc_auc_score([1] * len(a) + [0] * len(b), a + b), absolute=1e-12)
    if min(len(a), len(b)) < 2:
        assert math.isnan(result.low)
        return
    expected = rank_compare_2indep(a, b, use_t=True)
    if expected.var > 1e-20:
        low, high = expected.conf_int(alpha=1 - confidence)
        assert close(result.low, max(low, 0.0), absolute=1e-12)
        assert close(result.high, min(high, 1.0), absolute=1e-12)
    else:
        assert math.isnan(result.low)
        assert math.isnan(result.high)


@settings(deadline=None, max_examples=150)
@given(st.lists(samples, min_size=1, max_size=5), offsets)
@example([[0.0] * 6 + [1.0] * 3 + [-2.0] * 2 + [1 / 64, 2 / 64], [1.0] * 5 + [-1.0] * 6 + [1 / 64]], 0.0)
def test_kruskal_wallis_is_that_of_scipy(classes: list[list[float]], offset: float) -> None:
    result = kruskal_wallis([weighted(rows, offset) for rows in classes])
    filled = [rows for rows in classes if rows]
    rows = [v for some in filled for v in some]
    if len(filled) < 2 or len({*rows}) == 1:
        assert math.isnan(result.p_value)
        return
    expected = stats.kruskal(*filled)
    assert close(result.statistic, expected.statistic, absolute=1e-12)
    if result.statistic:
        assert close(result.p_value, expected.pvalue)
    else:  # that of SciPy is off by rounding, 1e-14, and its p-value by the root of that
        assert result.p_value == 1
    assert result.effect is not None
    ranks = stats.rankdata(rows)
    of = np.split(ranks, np.cumsum([len(some) for some in filled])[:-1])
    between = sum(len(r) * (r.mean() - ranks.mean()) ** 2 for r in of)
    assert close(result.effect.value, between / ((ranks - ranks.mean()) ** 2).sum(), absolute=1e-12)
    if len(rows) > len(filled) and result.effect.value < 1 - 1e-9:  # the interval of an F test of the ranks
        f = stats.f_oneway(*of).statistic
        cdf = stats.ncf.cdf(
            f, len(of) - 1, len(rows) - len(of), result.effect.high * len(rows) / (1 - result.effect.high)
        )
        assert close(float(cdf), 0.025, 1e-6) or result.effect.high == 0


def test_classes_fully_apart() -> None:
    result = kruskal_wallis([weighted([1.0, 1.0]), weighted([2.0, 2.0])])
    assert result.effect is not None
    assert (result.effect.value, result.effect.low) == (1.0, 1.0)
    assert kruskal_wallis([weighted([1.0]), weighted([2.0])]).effect is not None


def test_hundreds_of_millions_of_rows_in_whole_numbers() -> None:
    rng = np.random.default_rng(4)
    a, b = weighted(rng.integers(0, 50, 400)), weighted(rng.integers(1, 51, 500))
    k = 1_000_000
    result = mann_whitney(times(a, k), times(b, k))
    u = sum(int(n) * int(m) * (2 * (x > y) + (x == y)) for (x, n), (y, m) in product(pairs(a), pairs(b)))
    assert result.statistic == u * k**2 / 2
    assert result.effect is not None
    assert close(result.effect.value, u / 2 / (400 * 500), 1e-14)
    assert result.p_value < 1e-300
    few = kruskal_wallis([a, b])
    many = kruskal_wallis([times(a, k), times(b, k)])
    assert many.effect is not None
    assert few.effect is not None
    # Between and all squares of ranks grow alike but for the ranks' own variance inside a tie.
    assert close(many.effect.value, few.effect.value, 1e-2)
    assert close(many.statistic, many.effect.value * (900 * k - 1), 1e-12)
    assert many.effect.low < many.effect.value < many.effect.high


def pairs(values: Weighted) -> list[tuple[float, int]]:
    return list(zip(values.values.tolist(), values.counts.tolist(), strict=True))


def test_the_interval_of_epsilon_squared_covers_it_as_often_as_it_says() -> None:
    rng, trials, shift, hit = np.random.default_rng(5), 400, 0.7, 0
    big = [rng.normal(size=200_000) + d for d in (0.0, shift, 2 * shift)]
    effect = kruskal_wallis([weighted(rows) for rows in big]).effect
    assert effect is not None
    for _ in range(trials):
        result = kruskal_wallis([weighted(rng.normal(size=40) + d) for d in (0.0, shift, 2 * shift)]).effect
        assert result is not None
        hit += result.low <= effect.value <= result.high
    assert 0.91 < hit / trials < 0.99


@pytest.mark.parametrize("bits", [46, 48])
def test_ranges_of_values_are_wrong_by_their_rank_error_at_most(bits: int) -> None:
    from traintable.statistics.values import decode, encode

    rng = np.random.default_rng(bits)
    for _ in range(20):
        rows = rng.normal(size=300), rng.normal(size=200) + rng.normal()
        coarse = []
        for some in rows:
            codes, counts = np.unique(encode(some) >> bits, return_counts=True)
            middle = decode((codes << bits) + (np.int64(1) << (bits - 1)))
            coarse.append(Weighted(middle, counts, float(counts.max() / len(some))))
        result, exact = mann_whitney(*coarse), auc(*map(weighted, rows))
        assert result.rank_error == coarse[0].rank_error + coarse[1].rank_error
        assert result.effect is not None
        assert abs(result.effect.value - exact.value) <= result.rank_error
        assert kruskal_wallis(coarse).rank_error > 0


@pytest.mark.parametrize("k", [1, 2**20, 2**34])
def test_whole_numbers_of_any_size_give_the_same(k: int) -> None:
    """Up to 64 bits and beyond them."""
    a, b = weighted([1.0, 2.0, 2.0, 5.0]), weighted([0.0, 2.0, 6.0])
    assert mann_whitney(times(a, k), times(b, k)).statistic == 6 * k * k
    assert PooledRanks.of([times(a, k), times(b, k)]).ties() == sum((n * k) ** 3 - n * k for n in (1, 1, 3, 1, 1))
    assert ks_2samp(times(a, k * 10_000), times(b, k * 10_000)).statistic == 1 / 3
