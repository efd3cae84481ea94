"""Tests of tables equal those of SciPy and statsmodels, and exact ones the sum over all tables of the same totals."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2

from traintable.analyse.hypothesis import chi_square, fisher, independence, is_sparse, odds_ratio
from traintable.analyse.hypothesis.freeman_halton import MAX_ROWS, freeman_halton
from traintable.arrays import Ints
from traintable.errors import ConfigError
from weights import close

tables = hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(0, 200))
squares = hnp.arrays(np.int64, (2, 2), elements=st.integers(0, 60))
small = hnp.arrays(np.int64, st.sampled_from([(2, 2), (2, 3), (3, 2), (3, 3)]), elements=st.integers(0, 3))


@settings(deadline=None)
@given(tables)
def test_chi_square_is_that_of_scipy(table: Ints) -> None:
    result = chi_square(table)
    kept = table[table.any(axis=1)][:, table.any(axis=0)]
    assert result.n == table.sum()
    if min(kept.shape) < 2:
        assert (result.statistic, result.p_value, result.effect) == (0.0, 1.0, None)
        return
    expected = stats.chi2_contingency(kept, correction=False)
    assert close(result.statistic, expected.statistic, absolute=1e-12)
    assert close(result.p_value, expected.pvalue)
    assert is_sparse(table) == (expected.expected_freq.min() < 1 or (expected.expected_freq < 5).mean() > 0.2)


@settings(deadline=None)
@given(squares)
def test_two_by_two_is_that_of_scipy_and_statsmodels(table: Ints) -> None:
    result = fisher(table)
    if min(*table.sum(axis=0), *table.sum(axis=1)) == 0:
        assert result.p_value == 1
        return
    expected = stats.fisher_exact(table)
    assert close(result.p_value, expected.pvalue)
    assert result.statistic == expected.statistic
    assert close(freeman_halton(table), expected.pvalue)
    of = stats.contingency.odds_ratio(table, kind="conditional")
    assert result.effect is not None
    assert close(result.effect.value, of.statistic)
    assert close(result.effect.low, of.confidence_interval().low)
    assert close(result.effect.high, of.confidence_interval().high)


def test_the_odds_ratio_of_many_rows_is_that_of_statsmodels() -> None:
    table = np.array([[30_000_000, 20_000_000], [10_000_000, 9_000_000]])
    result, expected = odds_ratio(table), Table2x2(table)
    assert close(result.value, expected.oddsratio)
    low, high = expected.oddsratio_confint()
    assert close(result.low, low)
    assert close(result.high, high)
    assert fisher(table).p_value == 0
    assert independence(table).test == "chi-square"


def all_tables(rows: Ints, columns: Ints) -> list[Ints]:
    """Every table of these totals."""
    free = [range(min(r, c) + 1) for r in rows[:-1].tolist() for c in columns[:-1].tolist()]
    result = []
    for cells in product(*free):
        inner = np.array(cells, np.int64).reshape(len(rows) - 1, len(columns) - 1)
        left = np.column_stack([inner, rows[:-1] - inner.sum(axis=1)])
        table = np.vstack([left, columns - left.sum(axis=0)])
        if table.min() >= 0:
            result.append(table)
    return result


@settings(deadline=None, max_examples=60)
@given(small.filter(lambda table: bool(table.any(axis=0).all() and table.any(axis=1).all())))
def test_the_exact_p_value_is_the_sum_over_all_tables(table: Ints) -> None:
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    likelihood = stats.random_table(rows, columns).pmf
    p = np.array([float(likelihood(t)) for t in all_tables(rows, columns)])
    assert close(p.sum(), 1.0)
    assert close(freeman_halton(table), float(p[p <= likelihood(table) * (1 + 1e-7)].sum()))


def test_a_larger_table_is_near_what_random_tables_give() -> None:
    table = np.array([[3, 6, 1, 5], [4, 2, 9, 1], [5, 0, 2, 2]])
    result = freeman_halton(table)
    assert result == freeman_halton(table.T)
    method = stats.MonteCarloMethod(n_resamples=5000, rng=np.random.default_rng(0))
    assert abs(result - stats.fisher_exact(table, method=method).pvalue) < 4 * math.sqrt(result / 5000)


def test_what_is_no_small_table_is_refused() -> None:
    assert fisher(np.full((2, 2), MAX_ROWS)).p_value == 1
    for table in (np.full((4, 4), 20), np.full((2, 3), MAX_ROWS)):
        with pytest.raises(ConfigError, match="Use chi_square"):
            fisher(table)


def test_independence_says_which_test_it_made() -> None:
    assert independence([[50, 60], [40, 70]]).test == "chi-square"
    assert independence([[1, 6], [4, 2]]).test == "fisher"
    assert independence([[1, 6, 1], [4, 2, 0]]).test == "fisher"
    rare = np.full((5, 5), 40)
    rare[0] = rare[:, 0] = 1
    assert is_sparse(rare)
    result = independence(rare)
    assert result.test == "chi-square, few rows"
    assert close(result.p_value, stats.chi2_contingency(rare, correction=False).pvalue)
    assert result.effect is not None


@pytest.mark.parametrize("table", [np.zeros((2, 3)), [[5, 3]], [[4], [2]], [[0, 0], [3, 4]]])
def test_one_value_or_none_is_independent_of_anything(table: object) -> None:
    for test in (chi_square, fisher, independence):
        result = test(table)  # type: ignore[arg-type]
        assert result.p_value == 1
        assert result.effect is None
    assert not is_sparse(np.zeros((2, 2)))
    assert math.isnan(fisher(np.zeros((2, 2))).statistic)


def test_hundreds_of_millions_of_rows() -> None:
    table = np.array([[1, 2, 3], [2, 2, 2]]) * 50_000_000
    result = chi_square(table)
    assert close(result.statistic, stats.chi2_contingency(table, correction=False).statistic)
    assert result.effect is not None
    assert result.effect.low < result.effect.value < result.effect.high
