"""Cramer's V, mutual information and the correlation ratio."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score
from statsmodels.formula.api import ols

from traintable.analyse.association import correlation_ratio, cramers_v, information
from traintable.arrays import Ints
from weights import close, moments, offsets, samples

tables = hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(0, 40))


def expanded(table: Ints) -> tuple[Ints, Ints]:
    """The two labels of each row."""
    a, b = (index.ravel() for index in np.indices(table.shape))
    return np.repeat(a, table.ravel()), np.repeat(b, table.ravel())


@settings(deadline=None, max_examples=120)
@given(tables)
def test_cramers_v_is_bergsmas(table: Ints) -> None:
    result = cramers_v(table)
    kept = table[table.any(axis=1)][:, table.any(axis=0)]
    if min(kept.shape) < 2:
        assert math.isnan(result.value)
        return
    (r, c), n = kept.shape, kept.sum()
    uncorrected = stats.contingency.association(kept, method="cramer")
    phi2 = max(0.0, uncorrected**2 * min(r - 1, c - 1) - (r - 1) * (c - 1) / (n - 1))
    widths = [k - (k - 1) ** 2 / (n - 1) - 1 for k in (r, c)]
    if min(widths) > 0:
        assert close(result.value, min(1.0, math.sqrt(phi2 / min(widths))), 1e-9, 1e-7)
    else:
        assert math.isnan(result.value)
    statistic = stats.chi2_contingency(kept, correction=False).statistic
    for end, target in ((result.low, 0.975), (result.high, 0.025)):
        if 0 < end < 1:
            cdf = stats.ncx2.cdf(statistic, (r - 1) * (c - 1), end**2 * n * min(r - 1, c - 1))
            assert close(float(cdf), target, 1e-6)
        elif end == 0:
            assert stats.chi2.cdf(statistic, (r - 1) * (c - 1)) <= target + 1e-9


def test_cramers_v_of_independent_columns_is_small_and_of_equal_ones_is_1() -> None:
    rng = np.random.default_rng(15)
    v = [cramers_v(np.histogram2d(*rng.integers(0, 8, (2, 300)), bins=8)[0]) for _ in range(300)]
    assert np.mean([e.value for e in v]) < 0.04  # without the correction it is 0.15
    assert np.mean([e.low == 0 for e in v]) > 0.95
    equal = cramers_v(np.diag([50, 60, 70]))
    assert equal.value == pytest.approx(1)
    assert equal.low > 0.85
    assert equal.high == 1
    assert math.isnan(cramers_v([[1, 0], [0, 1]]).value)


@settings(deadline=None, max_examples=120)
@given(tables)
def test_information_is_that_of_scikit_learn(table: Ints) -> None:
    result = information(table)
    if not table.any():
        assert np.isnan([result.nats, result.corrected, result.normalised]).all()
        return
    a, b = expanded(table)
    assert close(result.nats, mutual_info_score(a, b), absolute=1e-12)
    if len({*a}) > 1 or len({*b}) > 1:
        assert close(result.normalised, normalized_mutual_info_score(a, b), absolute=1e-12)
    else:
        assert result.normalised == 0
    seen = [len({*x}) for x in (a.tolist(), b.tolist(), zip(a.tolist(), b.tolist(), strict=True))]
    corrections = [(k - 1) / (2 * len(a)) for k in seen]
    assert close(
        result.corrected, mutual_info_score(a, b) + corrections[0] + corrections[1] - corrections[2], absolute=1e-12
    )


def test_the_correction_takes_the_bias_of_independent_columns_away() -> None:
    rng = np.random.default_rng(16)
    result = [information(np.histogram2d(*rng.integers(0, 4, (2, 300)), bins=4)[0]) for _ in range(500)]
    assert np.mean([i.nats for i in result]) > 0.013
    assert abs(np.mean([i.corrected for i in result])) < 0.0015


@settings(deadline=None, max_examples=100)
@given(st.lists(samples, min_size=1, max_size=4), offsets)
def test_eta_is_the_root_of_the_r_squared_of_a_regression_on_the_class(
    classes: list[list[float]], offset: float
) -> None:
    result = correlation_ratio([moments(rows, offset) for rows in classes])
    filled = [rows for rows in classes if rows]
    rows = [v for some in filled for v in some]
    if len(filled) < 2 or len({*rows}) == 1:
        assert math.isnan(result.value)
        return
    frame = pd.DataFrame({"y": rows, "k": [str(i) for i, some in enumerate(filled) for _ in some]})
    r2 = ols("y ~ k", frame).fit().rsquared
    assert close(result.value**2, r2, 1e-9, 1e-9)


def test_the_interval_of_eta_holds_its_ends_by_definition() -> None:
    rng = np.random.default_rng(17)
    classes = [rng.normal(size=50) + k / 3 for k in range(3)]
    result, f = correlation_ratio([moments(c) for c in classes]), stats.f_oneway(*classes).statistic
    for end, target in ((result.low, 0.975), (result.high, 0.025)):
        assert close(float(stats.ncf.cdf(f, 2, 147, end**2 * 150 / (1 - end**2))), target, 1e-7)
    one_each = correlation_ratio([moments([1.0]), moments([2.0])])
    assert one_each.value == 1
    assert math.isnan(one_each.low)
