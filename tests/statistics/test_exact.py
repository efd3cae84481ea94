"""The digits of a number add up to it, and their products stay below what a double holds exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from traintable.statistics.exact import DIGIT_BITS, MAX_ROWS, Floats, digits, scaled

columns = hnp.arrays(np.float64, st.integers(0, 8), elements=st.floats(allow_nan=False, allow_infinity=False))


@settings(deadline=None)
@given(columns)
def test_digits_add_up_to_the_values(values: Floats) -> None:
    sums = [Fraction(0)] * len(values)
    for k, digit in digits(values):
        sums = [s + scaled(int(d), DIGIT_BITS * k) for s, d in zip(sums, digit, strict=True)]
    assert sums == [Fraction(float(v)) for v in values]


@settings(deadline=None)
@given(columns)
def test_digits_are_whole_and_short_and_fall_in_place(values: Floats) -> None:
    places = []
    for k, digit in digits(values):
        places.append(k)
        assert (digit == np.trunc(digit)).all()
        assert np.abs(digit).max() < 2**DIGIT_BITS
    assert places == sorted(set(places), reverse=True)


def test_a_full_batch_of_the_largest_products_fits_a_double() -> None:
    assert MAX_ROWS * (2**DIGIT_BITS - 1) ** 2 < 2**53
