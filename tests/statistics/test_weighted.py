"""Values with counts give what NumPy gives of the values repeated."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.arrays import Floats, Ints
from traintable.statistics import Weighted

rows = st.lists(
    st.one_of(st.floats(-1e100, 1e100), st.integers(-3, 3).map(float), st.sampled_from([0.1, 1e9 + 0.1, 5e-324])),
    max_size=20,
)
shares = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))


def weighted(values: Sequence[float]) -> Weighted:
    found, counts = np.unique(np.array(values, dtype=np.float64) + 0.0, return_counts=True)
    return Weighted(found, counts)


def repeated(values: Weighted) -> Floats:
    return np.repeat(values.values, values.counts)


@settings(deadline=None)
@given(rows, shares)
def test_a_quantile_is_that_of_numpy_to_the_last_bit(values: list[float], q: float) -> None:
    expected = np.quantile(values, q) if values else math.nan
    np.testing.assert_array_equal(weighted(values).quantile(q), expected)


@settings(deadline=None)
@given(rows)
def test_a_histogram_is_that_of_numpy(values: list[float]) -> None:
    for n in (1, 7, 30):
        found = weighted(values).histogram(n)
        try:
            expected, edges = np.histogram(values, n)
        except ValueError:  # too narrow a range to cut
            check_histogram(values, n, *found)
            continue
        np.testing.assert_array_equal(found[0], expected)
        np.testing.assert_array_equal(found[1], edges)


def check_histogram(values: list[float], n: int, counts: Ints, edges: Floats) -> None:
    """Whether bins are n, one after the other, and each value is in its own."""
    assert len(counts) == n
    assert (np.diff(edges) > 0).all()
    place = np.minimum(np.searchsorted(edges, values, side="right") - 1, n - 1)
    np.testing.assert_array_equal(counts, np.bincount(place, minlength=n))


@pytest.mark.parametrize(
    "values",
    [
        [1e17] * 3,
        [-1e300] * 2,
        [np.finfo(float).max] * 2,
        [0.0, 5e-324],
        [1e9, np.nextafter(1e9, 2e9), 1e9],
        [-1.7e308, 0.0, 1.7e308],
        [-np.finfo(float).max, np.finfo(float).max],
    ],
)
@pytest.mark.parametrize("n", [1, 7, 30])
@pytest.mark.filterwarnings("error")
def test_a_range_is_widened_until_it_can_be_cut(values: list[float], n: int) -> None:
    with np.errstate(over="ignore"):
        check_histogram(values, n, *weighted(values).histogram(n))


def nearly(found: float, expected: float, scale: float) -> bool:
    return found == pytest.approx(expected, rel=1e-9, abs=1e-14 * scale)


@settings(deadline=None)
@given(rows)
def test_mean_variance_and_mode_are_those_of_the_rows(values: list[float]) -> None:
    found = weighted(values)
    assert found.n == len(values)
    assert found.is_exact
    largest = max(map(abs, values), default=0.0)
    if values:
        assert nearly(found.mean(), math.fsum(values) / len(values), largest)
        counts = Counter(values)
        assert found.mode() == min(v for v in counts if counts[v] == max(counts.values()))
    else:
        assert np.isnan([found.mean(), found.mode(), found.quantile(0.5)]).all()
    if len(values) > 1:
        assert nearly(found.variance(), np.var(values, ddof=1), largest**2)
    else:
        assert math.isnan(found.variance())


def test_small_noise_on_a_huge_offset_keeps_its_variance() -> None:
    near = np.random.default_rng(0).normal(size=1000)
    values = near + 1e9
    assert weighted(values.tolist()).variance() == pytest.approx(np.var(values - 1e9, ddof=1), rel=1e-9)


@pytest.mark.parametrize(
    ("values", "mean", "variance"),
    [
        ([1e308] * 3, 1e308, 0.0),
        ([1e308, 1.2e308, 1.2e308, 1e308], 1.1e308, math.inf),
        ([-1.7e308] * 2 + [1.7e308] * 2, 0.0, math.inf),
        ([5e-324] * 4, 5e-324, 0.0),
        ([3e153, -3e153] * 9, 0.0, 9e306 / 17 * 18),
        ([1e154, -1e154] * 9, 0.0, math.inf),  # as numpy.var
    ],
)
@pytest.mark.filterwarnings("error")
def test_the_largest_numbers_do_not_fail(values: list[float], mean: float, variance: float) -> None:
    assert weighted(values).mean() == pytest.approx(mean, rel=1e-15)
    assert weighted(values).variance() == pytest.approx(variance, rel=1e-12)


@settings(deadline=None)
@given(rows, st.one_of(st.floats(-5, 5), st.sampled_from([0.0, -0.0, 1.0, 0.1])), st.integers(0, 4))
def test_plus_adds_rows_of_one_value(values: list[float], value: float, n: int) -> None:
    before = weighted(values)
    kept = before.counts.copy()
    after = before.plus(value, n)
    np.testing.assert_array_equal(repeated(after), np.sort([*values, *[value] * n]))
    assert len(set(after.values.tolist())) == len(after.values)
    np.testing.assert_array_equal(before.counts, kept)


@settings(deadline=None)
@given(rows, st.sampled_from([np.sign, np.cbrt, np.floor, np.arctan, lambda v: np.clip(v, -1, 1), lambda v: v * 0]))
def test_mapped_applies_a_function_to_each_row(values: list[float], function: Callable[[Floats], Floats]) -> None:
    found = weighted(values).mapped(function)
    np.testing.assert_array_equal(repeated(found), np.sort(function(np.array(values, dtype=np.float64))))
    assert (np.diff(found.values) > 0).all()


def test_the_error_of_ranks_stays() -> None:
    some = Weighted(np.array([1.0, 2.0]), np.array([3, 4]), rank_error=0.1)
    assert not some.is_exact
    for other in (some.plus(1.0, 2), some.plus(1.5, 2), some.mapped(np.sqrt)):
        assert other.rank_error == 0.1
