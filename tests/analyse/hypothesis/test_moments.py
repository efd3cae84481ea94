"""Moments of values with counts are those of exact fractions, whatever the offset and the size of the values."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.analyse.hypothesis.moments import (
    Moments,
    distances_from,
    exact_mean,
    fraction_of,
    standard_scores,
    sums_of_squares,
)
from traintable.statistics import Weighted
from traintable.statistics.summary import Sums
from weights import close, fractions, moments, samples, weighted

anything = st.lists(
    st.floats(-1e308, 1e308) | st.sampled_from([0.0, 5e-324, 1.7e308, -1.7e308, 1e9 + 0.1]), max_size=15
)


@settings(deadline=None)
@given(anything)
def test_the_mean_is_exact(rows: list[float]) -> None:
    result = weighted([v + 0.0 for v in rows])
    assert exact_mean(result) == (fractions(rows)[0] if rows else 0)
    assert Moments.of(result).n == len(rows)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e150, 1e150, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-100), max_size=15)
)
def test_the_variance_is_that_of_fractions(rows: list[float]) -> None:
    result = moments(rows).variance
    if len(rows) < 2:
        assert math.isnan(result)
    else:
        assert close(result, float(fractions(rows)[1]), 1e-12)


def test_a_variance_beyond_the_largest_double_is_infinite() -> None:
    assert moments([1.7e308, -1.7e308]).variance == math.inf
    assert moments([1.7e308, 1.7e308]).variance == 0
    distance, unit = distances_from(weighted([1.7e308, -1.7e308]), Fraction(0))
    assert np.isfinite(distance).all()
    assert [Fraction(d) * Fraction(2) ** unit for d in distance.tolist()] == [Fraction(-1.7e308), Fraction(1.7e308)]


def test_noise_on_a_huge_offset_keeps_its_moments() -> None:
    rows = np.random.default_rng(0).normal(size=2000) + 1e9
    mean, variance = fractions(rows.tolist())
    result = moments(rows)
    assert result.mean == mean
    assert close(result.variance, float(variance), 1e-14)
    scores = standard_scores(weighted(rows), mean, math.sqrt(variance))
    exact = [float((Fraction(v) - mean) / Fraction(math.sqrt(variance))) for v in np.unique(rows).tolist()]
    np.testing.assert_allclose(scores, exact, rtol=1e-14)


def test_hundreds_of_millions_of_rows_are_weighed_not_repeated() -> None:
    result = Moments.of(Weighted(np.array([1e9, 1e9 + 1]), np.array([300_000_000, 100_000_000])))
    assert result.mean == 1_000_000_000 + Fraction(1, 4)
    assert close(result.variance, 3 / 16 * 4e8 / (4e8 - 1), 1e-15)


def test_values_that_occur_in_no_row_count_for_nothing() -> None:
    assert Moments.of(Weighted(np.array([-1e300, 1.0, 3.0]), np.array([0, 1, 1]))) == moments([1.0, 3.0])
    assert moments([]).mean == 0


def test_sums_of_a_scan_give_the_same() -> None:
    sums = Sums(["a", "b"])
    rows = np.random.default_rng(1).normal(size=(2, 500)) + np.array([[1e9], [-3.0]])
    sums.n += 500
    sums._add(rows)
    for name, row in zip("ab", rows, strict=True):
        result, expected = Moments.of_sums(sums, name), moments(row)
        assert (result.n, result.mean) == (expected.n, expected.mean)
        assert close(result.variance, expected.variance, 1e-14)


@settings(deadline=None)
@given(st.lists(samples, max_size=4))
def test_sums_of_squares_add_up_to_that_of_all_rows(classes: list[list[float]]) -> None:
    between, within = sums_of_squares([moments(rows, 1e9) for rows in classes])
    rows = [v for some in classes for v in some]
    total = float(fractions(rows)[1]) * (len(rows) - 1) if rows else 0.0
    assert close(float(between) + within, total, 1e-12)


def test_a_share_of_what_no_double_holds() -> None:
    assert fraction_of(Fraction(10) ** 400, 1.0) == 1.0
    assert fraction_of(Fraction(1), 1.0) == 0.5
    assert fraction_of(Fraction(0), 1.0) == 0.0
    assert math.isnan(fraction_of(Fraction(0), 0.0))
    assert math.isnan(fraction_of(Fraction(1), math.inf))


def test_the_rank_error_stays_with_the_moments() -> None:
    assert Moments.of(weighted([1.0, 2.0], rank_error=0.01)).rank_error == 0.01
    assert pytest.approx(0.5) == Moments.of(weighted([1.0, 2.0])).variance
