"""Random values for tests of what is computed from values with counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from traintable.analyse import Moments
from traintable.arrays import Floats
from traintable.statistics import Weighted

# Sums of these and their offsets are exact, so that SciPy can be asked without the offset.
values = st.one_of(st.integers(-3, 3).map(float), st.integers(-64_000, 64_000).map(lambda n: n / 64))
samples = st.lists(values, max_size=25)
offsets = st.sampled_from([0.0, -7.0, 1e9, -(2.0**40)])
confidences = st.sampled_from([0.5, 0.9, 0.95, 0.99])


def weighted(rows: Sequence[float] | Floats, offset: float = 0.0, rank_error: float = 0.0) -> Weighted:
    """The rows, each raised by `offset`, as values with counts."""
    distinct, counts = np.unique(np.asarray(rows, np.float64) + offset, return_counts=True)
    return Weighted(distinct, counts, rank_error)


def moments(rows: Sequence[float] | Floats, offset: float = 0.0) -> Moments:
    return Moments.of(weighted(rows, offset))


def times(values: Weighted, k: int) -> Weighted:
    """Each row `k` times."""
    return Weighted(values.values, values.counts * k, values.rank_error)


def fractions(rows: Sequence[float]) -> tuple[Fraction, Fraction]:
    """Mean and sample variance, not rounded."""
    mean = sum(map(Fraction, rows), Fraction(0)) / len(rows)
    return mean, sum((Fraction(v) - mean) ** 2 for v in rows) / max(len(rows) - 1, 1)


def close(actual: float, expected: float, relative: float = 1e-9, absolute: float = 1e-300) -> bool:
    """Whether two numbers agree; NaN agrees with NaN, and infinity with itself."""
    return math.isclose(actual, expected, rel_tol=relative, abs_tol=absolute) or (
        actual != actual and expected != expected
    )
