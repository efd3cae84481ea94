"""Correlations from covariances equal those that SciPy and pandas make of the rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from traintable.analyse.association import MidRanks, correlation_test, pearson, spearman
from traintable.statistics import Gram, Weighted
from traintable.statistics.exact import Floats
from weights import close, samples, weighted


def gram_of(rows: Floats) -> Gram:
    """Rows of shape (columns, rows); NaN is missing."""
    gram = Gram([f"c{i}" for i in range(len(rows))])
    present = ~np.isnan(rows)
    gram.add(np.where(present, rows, 0.0), [None if p.all() else p for p in present])
    return gram


def ranked(rows: Floats) -> Floats:
    of = [MidRanks.of(weighted(row[~np.isnan(row)])) for row in rows]
    return np.stack([ranks(row) for ranks, row in zip(of, rows, strict=True)])


@pytest.fixture(scope="module")
def rows() -> Floats:
    rng = np.random.default_rng(10)
    rows = rng.normal(size=(5, 400))
    rows[1] += rows[0]
    rows[2] = np.round(rows[2] + rows[1])  # ties
    rows[3] = 7.0
    rows[4] = 1e9 - rows[0] / 1000
    return rows


def test_pearson_is_that_of_pandas(rows: Floats) -> None:
    shifted = rows.copy()
    shifted[4] -= 1e9
    expected = pd.DataFrame(shifted.T).corr().to_numpy()
    found = pearson(gram_of(rows).pairwise())
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert np.isnan(found[3]).all()
    assert np.abs(np.nan_to_num(found)).max() <= 1


def test_spearman_is_that_of_scipy(rows: Floats) -> None:
    found = spearman(gram_of(ranked(rows)).pairwise())
    varied = [0, 1, 2, 4]
    expected = stats.spearmanr(rows[varied].T).statistic
    np.testing.assert_allclose(found[np.ix_(varied, varied)], expected, rtol=1e-9)
    assert np.isnan(found[3]).all()


def test_rows_without_a_value_have_no_rank(rows: Floats) -> None:
    holed = rows.copy()
    holed[1, ::3] = np.nan
    ranks = ranked(holed)
    np.testing.assert_array_equal(np.isnan(ranks), np.isnan(holed))
    both = ~np.isnan(holed[1])
    found = spearman(gram_of(ranks[:, both]).pairwise())
    assert close(found[1, 0], np.corrcoef(stats.rankdata(holed[0])[both], stats.rankdata(holed[1][both]))[0, 1])


@settings(deadline=None)
@given(samples)
def test_mid_ranks_are_those_of_scipy(rows: list[float]) -> None:
    ranks = MidRanks.of(weighted(rows))
    np.testing.assert_array_equal(ranks(np.array(rows)), stats.rankdata(rows))
    assert np.isnan(ranks(np.array([np.nan]))).all()


def test_mid_ranks_of_ranges_lie_between() -> None:
    ranks = MidRanks.of(Weighted(np.array([1.0, 2.0, 4.0]), np.array([2, 2, 6]), 0.6))
    np.testing.assert_array_equal(ranks(np.array([0.0, 1.0, 1.5, 3.0, 9.0])), [1.5, 1.5, 2.5, 5.5, 7.5])
    assert ranks.rank_error == 0.6
    assert np.isnan(MidRanks.of(weighted([]))(np.array([1.0]))).all()


@settings(deadline=None)
@given(st.integers(3, 40), st.integers(0, 10_000))
def test_the_test_of_a_correlation_is_that_of_scipy(n: int, seed: int) -> None:
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    expected = stats.pearsonr(x, y)
    found = correlation_test(float(expected.statistic), n)
    assert close(found.p_value, expected.pvalue, 1e-8)
    assert found.effect is not None
    if n > 3:
        low, high = expected.confidence_interval()
        assert close(found.effect.low, low)
        assert close(found.effect.high, high)
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
