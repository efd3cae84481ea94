"""Number, exact mean and variance of the rows of a class, and their distances from the mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from traintable.arrays import Floats
from traintable.statistics import Weighted
from traintable.statistics.summary import Sums

_LARGE = 2.0**1000  # the difference of two numbers below it is a double


@dataclass(frozen=True)
class Moments:
    """Number, mean and sample variance (n - 1) of some rows.

    The mean is a fraction: the double nearest to a mean of 1e9 is off by up to 6e-8, which is too much when means are
    subtracted. `rank_error` is that of the `Weighted` that they come from.
    """

    n: int
    mean: Fraction
    variance: float
    rank_error: float = 0.0

    @classmethod
    def of(cls, values: Weighted) -> Moments:
        """The moments of values with counts."""
        values = without_zero_counts(values)
        n, mean = values.n, exact_mean(values)
        if n < 2:
            return cls(n, mean, math.nan, values.rank_error)
        distance, unit = distances_from(values, mean)
        squares = math.fsum(values.counts * distance * distance)
        return cls(n, mean, _times_power(squares / (n - 1), 2 * unit), values.rank_error)

    @classmethod
    def of_sums(cls, sums: Sums, column: str) -> Moments:
        """The moments of a column whose exact sums a scan has learned."""
        return cls(*sums.fractions(column))


def exact_mean(values: Weighted) -> Fraction:
    """The mean, not rounded; 0 without values."""
    if not values.n:
        return Fraction(0)
    share, exponent = np.frexp(values.values)
    whole = np.ldexp(share, 53).astype(np.int64).astype(object) * values.counts.astype(object)
    lowest = int(exponent.min())
    order = np.argsort(exponent, kind="stable")
    exponents, first = np.unique(exponent[order], return_index=True)
    sums = np.add.reduceat(whole[order], first).tolist()
    total = sum(s << (e - lowest) for s, e in zip(sums, exponents.tolist(), strict=True))
    return Fraction(total, values.n) * Fraction(2) ** (lowest - 53)


def distances_from(values: Weighted, mean: Fraction) -> tuple[Floats, int]:
    """How far each value is from `mean` in units of 2**unit, each below 1 and rounded about once; and the unit."""
    down = 0 if np.abs(values.values).max(initial=0.0) < _LARGE else 2
    near = mean / 2**down
    high = float(near)
    distance = (np.ldexp(values.values, -down) - high) - float(near - Fraction(high))
    unit = int(np.frexp(np.abs(distance).max(initial=0.0))[1])
    return np.ldexp(distance, -unit), unit + down


def standard_scores(values: Weighted, mean: Fraction, std: float) -> Floats:
    """How many `std` each value is above `mean`, shape of `values`."""
    distance, unit = distances_from(values, mean)
    share, exponent = math.frexp(std)
    with np.errstate(over="ignore"):
        return np.ldexp(distance / share, unit - exponent)


def sums_of_squares(classes: Sequence[Moments]) -> tuple[Fraction, float]:
    """Sums of squares of one-way analysis of variance: of the classes' means, weighted by rows, and inside classes."""
    filled = [c for c in classes if c.n]
    n = sum(c.n for c in filled)
    grand = sum((c.n * c.mean for c in filled), Fraction(0)) / max(n, 1)
    between = sum((c.n * (c.mean - grand) ** 2 for c in filled), Fraction(0))
    return between, math.fsum((c.n - 1) * c.variance for c in filled if c.n > 1)


def fraction_of(part: Fraction, rest: float) -> float:
    """`part` / (`part` + `rest`), also where a double can't hold them; NaN for 0 of 0 and where `rest` isn't finite."""
    if not math.isfinite(rest) or (part == 0 and rest == 0):
        return math.nan
    return float(part / (part + Fraction(rest)))


def as_float(fraction: Fraction) -> float:
    """The nearest double; infinite beyond the largest."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def without_zero_counts(values: Weighted) -> Weighted:
    """The values that occur in some row."""
    kept = values.counts > 0
    return values if kept.all() else Weighted(values.values[kept], values.counts[kept], values.rank_error)


def _times_power(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf
