"""Digits add up to their number, their products stay below what a double holds exactly, and ratios are rounded once."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chunks import EDGES, finite
from traintable.arrays import Floats
from traintable.statistics.exact import (
    DIGIT_BITS,
    MAX_ROWS,
    as_dyadic,
    digits,
    exact_mean_and_variance,
    ratio,
    scale_integers,
    shift_left,
)

tables = hnp.arrays(np.float64, st.tuples(st.integers(0, 3), st.integers(0, 6)), elements=finite)


def times_power(n: int, exponent: int) -> Fraction:
    return Fraction(n) * Fraction(2) ** exponent


def rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@settings(deadline=None)
@given(tables)
@example(np.array([EDGES, EDGES[::-1], [0.0] * len(EDGES), [-1e308] * len(EDGES)]))
def test_digits_are_whole_and_short_and_add_up_to_the_values(values: Floats) -> None:
    sums = [[Fraction(0)] * values.shape[1] for _ in range(len(values))]
    places: list[list[int]] = [[] for _ in sums]
    for k, digit in digits(values):
        assert digit.shape == values.shape
        assert (digit == np.trunc(digit)).all()
        assert np.abs(digit).max(initial=0) < 2**DIGIT_BITS
        for i, row in enumerate(digit):
            if row.any():
                places[i].append(int(k[i]))
                sums[i] = [s + times_power(int(d), DIGIT_BITS * int(k[i])) for s, d in zip(sums[i], row, strict=True)]
    assert sums == [[Fraction(float(v)) for v in row] for row in values]
    assert all(place == sorted(set(place), reverse=True) for place in places)


def test_no_values_have_no_digits() -> None:
    for shape in ((0, 0), (0, 3), (3, 0), (2, 2)):
        assert list(digits(np.zeros(shape))) == []


def test_a_full_batch_of_the_largest_products_fits_a_double() -> None:
    assert MAX_ROWS * (2**DIGIT_BITS - 1) ** 2 < 2**53


@settings(deadline=None)
@given(st.integers(), st.integers(1, 10**30), st.integers(-2200, 2200))
def test_a_ratio_is_rounded_once(numerator: int, denominator: int, exponent: int) -> None:
    exact = times_power(numerator, exponent) / denominator
    assert ratio(numerator, denominator, exponent) == rounded(exact)


def test_a_ratio_beyond_the_doubles_is_infinite() -> None:
    assert [ratio(n, 3, 2000) for n in (7, -7, 0)] == [math.inf, -math.inf, 0.0]
    assert ratio(-7, 3, -2000) == 0.0


@settings(deadline=None)
@given(finite)
def test_dyadic_is_the_number_in_lowest_terms(value: float) -> None:
    n, e = as_dyadic(value)
    assert times_power(n, e) == Fraction(value)
    assert n % 2 == 1 or n == 0


@settings(deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), max_size=6), st.integers(-1100, 500))
def test_mean_and_variance_are_those_of_fractions(values: list[int], exponent: int) -> None:
    found = exact_mean_and_variance(len(values), sum(values), sum(v * v for v in values), exponent)
    exact = [times_power(v, exponent) for v in values]
    mean = sum(exact) / Fraction(len(exact)) if exact else Fraction(0)
    expected = [rounded(mean) if exact else math.nan, math.nan]
    if len(exact) > 1:
        expected[1] = rounded(sum(((v - mean) ** 2 for v in exact), Fraction(0)) / (len(exact) - 1))
    np.testing.assert_array_equal(found, expected)


def test_whole_numbers_are_shifted_without_limit_and_zeros_not_at_all() -> None:
    assert scale_integers(np.array([3.0, 0.0, -(2.0**62)]), np.array([100, -5, 1])).tolist() == [3 << 100, 0, -(2**63)]
    assert scale_integers(np.array([2, 0]), 3).tolist() == [16, 0]
    assert shift_left(np.array([1, -1], dtype=object), np.array([70, 0], dtype=object)).tolist() == [2**70, -1]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_no_dyadic_number(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        as_dyadic(value)
