"""Exact sums of products of floating-point numbers, by splitting numbers into digits that a matrix product keeps exact.

A double is written as a sum of digits of 20 bits on a fixed grid, x = sum of d_k * 2**(20 k). The product of two digits
has at most 40 bits, so 2**13 such products add up to less than 2**53: a matrix product of at most 8,192 rows of digits
makes no rounding error, whatever order it adds in. The idea is that of Ozaki, Ogita, Oishi and Rump, "Error-free
transformations of matrix multiplication" (Numerical Algorithms 59, 2012), here on a grid that all batches share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from traintable.arrays import Floats, Ints, Objects

DIGIT_BITS = 20
MAX_ROWS = 2**13
_LARGEST_SHIFT = 1000  # 2.0**1000 and its inverse are normal doubles


def digits(values: Floats) -> Iterator[tuple[Ints, Floats]]:
    """Split finite doubles of shape (columns, rows) into pairs (k of shape (columns,), digits of that shape).

    The sum of digits * 2**(20 k) over all pairs is `values`. A column that has no digit left gives zeros.
    """
    rest = values
    while True:
        largest = np.maximum(np.max(rest, axis=1, initial=0.0), -np.min(rest, axis=1, initial=0.0))
        if not largest.any():
            return
        k = (np.frexp(largest)[1].astype(np.int64) - 1) // DIGIT_BITS
        digit = np.trunc(_times_power(rest, -DIGIT_BITS * k))
        yield k, digit
        rest = rest - _times_power(digit, DIGIT_BITS * k)


def _times_power(values: Floats, exponents: Ints) -> Floats:
    """`values` of shape (columns, rows) times 2**exponents of shape (columns,), exact where the result is normal."""
    if np.abs(exponents).max() <= _LARGEST_SHIFT:
        return np.asarray(values * np.ldexp(1.0, exponents)[:, None])
    return np.asarray(np.ldexp(values, exponents[:, None]))


def shift_left(values: Objects, bits: Objects) -> Objects:
    """Whole numbers times 2**bits, element by element; `bits` are not negative and broadcast."""
    return np.asarray(np.left_shift(values, bits), dtype=object)


def scale_integers(values: Floats | Ints, bits: Ints | int) -> Objects:
    """Whole numbers below 2**63 times 2**bits, where `bits` only matters for those that are not 0."""
    return shift_left(values.astype(np.int64).astype(object), np.where(values != 0, bits, 0).astype(object))


def ratio(numerator: int, denominator: int, exponent: int) -> float:
    """The quotient times 2**exponent, rounded once; infinite beyond the largest double."""
    if exponent >= 0:
        numerator <<= exponent
    else:
        denominator <<= -exponent
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


def exact_mean_and_variance(n: int, total: int, squares: int, exponent: int) -> tuple[float, float]:
    """Mean and sample variance from sums in units of 2**exponent and its square; NaN without enough values."""
    mean = ratio(total, n, exponent) if n else math.nan
    return mean, ratio(squares * n - total * total, n * (n - 1), 2 * exponent) if n > 1 else math.nan


def as_dyadic(value: float) -> tuple[int, int]:
    """A finite double as (n, e) with value = n * 2**e, n odd or zero."""
    n, d = value.as_integer_ratio()
    e = 1 - d.bit_length()
    while n and n % 2 == 0:
        n, e = n // 2, e + 1
    return n, e
