"""Variance inflation and condition equal those of statsmodels and NumPy, and are infinite where columns follow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from traintable.analyse.association import condition_number, vif
from traintable.arrays import Floats
from traintable.statistics import Covariance, Gram


def covariance_of(rows: Floats) -> Covariance:
    gram = Gram([f"c{i}" for i in range(len(rows))])
    gram.add(rows, [None] * len(rows))
    return gram.pairwise()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(0, 1000), st.sampled_from([0.0, 1e9]), st.sampled_from([1.0, 0.05]))
def test_they_are_those_of_statsmodels_and_numpy(width: int, seed: int, offset: float, noise: float) -> None:
    rng = np.random.default_rng(seed)
    rows = np.round((rng.normal(size=(1, 80)) + noise * rng.normal(size=(width, 80))) * 2**16) / 2**16
    covariance = covariance_of(rows + offset)
    with_constant = np.column_stack([np.ones(80), rows.T])
    expected = [variance_inflation_factor(with_constant, i + 1) for i in range(width)]
    np.testing.assert_allclose(vif(covariance), expected, rtol=1e-9)
    standard = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
    np.testing.assert_allclose(condition_number(covariance), np.linalg.cond(standard) ** 2, rtol=1e-9)


def test_columns_that_follow_from_others_are_infinite_and_no_others() -> None:
    rng = np.random.default_rng(12)
    rows = rng.normal(size=(6, 200))
    rows[2] = rows[0] - 3 * rows[1]
    rows[4] = 5.0
    factors = vif(covariance_of(rows))
    assert np.isinf(factors[:3]).all()
    assert math.isnan(factors[4])
    free = rows[[3, 5]]
    with_constant = np.column_stack([np.ones(200), rows[[0, 1, 3, 5]].T])
    assert factors[3] == pytest.approx(variance_inflation_factor(with_constant, 3), rel=1e-9)
    assert (factors[[3, 5]] < 2).all()
    assert condition_number(covariance_of(rows)) == math.inf
    assert condition_number(covariance_of(free)) < 2


def test_two_groups_that_follow() -> None:
    rng = np.random.default_rng(13)
    rows = rng.normal(size=(5, 100))
    rows[1], rows[3] = rows[0] * 1e6 + 3, -rows[2]
    factors = vif(covariance_of(rows))
    assert np.isinf(factors[:4]).all()
    assert factors[4] < 2


def test_columns_that_nearly_follow_are_large_and_finite() -> None:
    rng = np.random.default_rng(14)
    rows = rng.normal(size=(3, 500))
    rows[1] = rows[0] + 1e-5 * rows[1]
    factors = vif(covariance_of(rows))
    with_constant = np.column_stack([np.ones(500), rows.T])
    assert factors[0] == pytest.approx(variance_inflation_factor(with_constant, 1), rel=1e-4)
    assert 1e9 < factors[0] < 1e11
    assert 1e10 < condition_number(covariance_of(rows)) < 1e12


def test_no_column_that_varies() -> None:
    for rows in (np.full((2, 10), 3.0), np.zeros((0, 4)), np.zeros((2, 1))):
        covariance = covariance_of(rows)
        assert np.isnan(vif(covariance)).all()
        assert math.isnan(condition_number(covariance))


def test_a_covariance_of_pairs_that_belongs_to_no_rows() -> None:
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    covariance = Covariance(("a", "b", "c"), np.zeros(3), impossible)
    assert np.isinf(vif(covariance)).all()
    assert condition_number(covariance) == math.inf
