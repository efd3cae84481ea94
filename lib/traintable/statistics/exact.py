"""Exact sums of products of floating-point numbers, by splitting numbers into digits that a matrix product keeps exact.

A double is written as a sum of digits of 20 bits on a fixed grid, x = sum of d_k * 2**(20 k). The product of two digits
has at most 40 bits, so 2**13 such products add up to less than 2**53: a matrix product of at most 8,192 rows of digits
makes no rounding error, whatever order it adds in. The idea is that of Ozaki, Ogita, Oishi and Rump, "Error-free
transformations of matrix multiplication" (Numerical Algorithms 59, 2012), here on a grid that all batches share.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

DIGIT_BITS = 20
MAX_ROWS = 2**13

Floats = NDArray[np.float64]


def digits(values: Floats) -> Iterator[tuple[int, Floats]]:
    """Split finite doubles of shape (rows,) into pairs (k, digits of shape (rows,)) whose scaled sum is `values`."""
    rest = values
    largest = float(np.max(np.abs(rest), initial=0.0))
    while largest > 0.0:
        k = (int(np.frexp(largest)[1]) - 1) // DIGIT_BITS
        digit = np.trunc(np.ldexp(rest, -DIGIT_BITS * k))
        yield k, digit
        rest = rest - np.ldexp(digit, DIGIT_BITS * k)
        largest = float(np.max(np.abs(rest), initial=0.0))


def scaled(total: int, exponent: int) -> Fraction:
    """`total * 2**exponent` as a fraction."""
    return Fraction(total) * Fraction(2) ** exponent
