"""Values of one column with how often each occurs: what order statistics and transformed moments are computed from."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from traintable.arrays import Floats, Ints

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Weighted:
    """Ascending `values` of shape (n,) and how often each occurs; `rank_error` is 0 where they are the column's own.

    Where they are not, each stands for the values of a narrow range, and `rank_error` is the largest share of the rows
    that one of them stands for: a quantile is right for a rank that is wrong by that much at most.
    """

    values: Floats
    counts: Ints
    rank_error: float = 0.0

    @classmethod
    def of(cls, rows: ArrayLike) -> Weighted:
        """The values of some rows, shape (rows,), none of which is missing."""
        values, counts = np.unique(np.asarray(rows, np.float64), return_counts=True)
        return cls(values, counts)

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    @cached_property
    def _ends(self) -> Ints:
        return np.cumsum(self.counts)

    @property
    def is_exact(self) -> bool:
        """Whether the values are the column's own."""
        return self.rank_error == 0.0

    def quantile(self, q: float) -> float:
        """The quantile at `q` in 0 to 1, interpolated linearly as numpy.quantile does; NaN when there are no values."""
        if self.n == 0:
            return math.nan
        rank = q * (self.n - 1)
        below = math.floor(rank)
        low, high = self._at(below), self._at(min(below + 1, self.n - 1))
        step, fraction = high - low, rank - below
        return high - step * (1 - fraction) if fraction >= 0.5 else low + step * fraction

    def _at(self, rank: int) -> float:
        return float(self.values[np.searchsorted(self._ends, rank, side="right")])

    def histogram(self, n_bins: int) -> tuple[Ints, Floats]:
        """Rows in bins of equal width, shape (n_bins,), and their edges, shape (n_bins + 1,), as numpy.histogram.

        Where the range is so narrow that edges would be equal, it is widened. Where the values are not the column's
        own, the count up to an edge is wrong by `rank_error` of the rows at most.
        """
        quarters = self.values / 4 if self.n and self.values[-1] / 2 - self.values[0] / 2 > LARGEST / 2 else self.values
        ends = (float(quarters[0]), float(quarters[-1])) if len(quarters) else None
        try:
            counts, edges = np.histogram(quarters, n_bins, ends, weights=self.counts)
        except ValueError:
            least = 8 * n_bins * float(np.spacing(np.abs(quarters).max() / 2))
            ends = (max(float(quarters[0]) - least, -LARGEST), min(float(quarters[-1]) + least, LARGEST))
            counts, edges = np.histogram(quarters, n_bins, ends, weights=self.counts)
        return counts.astype(np.int64), edges if quarters is self.values else edges * 4

    def mode(self) -> float:
        """The most frequent value, the smallest of several; NaN when there are no values."""
        return float(self.values[np.argmax(self.counts)]) if self.n else math.nan

    def mean(self) -> float:
        """Mean; NaN when there are no values."""
        if not self.n:
            return math.nan
        largest = max(abs(float(self.values[0])), abs(float(self.values[-1])))
        scale = 2.0 ** max(0, math.frexp(largest)[1] + self.n.bit_length() - 1023)  # so that the sum is a double
        return math.fsum(self.values / scale * self.counts) / self.n * scale

    def variance(self) -> float:
        """Sample variance (n - 1); NaN below two values, infinite where the sum of squares is."""
        if self.n < 2:
            return math.nan
        with np.errstate(over="ignore"), suppress(OverflowError):
            return math.fsum(self.counts * (self.values - self.mean()) ** 2) / (self.n - 1)
        return math.inf

    def plus(self, value: float, n: int) -> Weighted:
        """The rows and `n` more that have `value`."""
        if n == 0:
            return self
        index = int(np.searchsorted(self.values, value))
        if index < len(self.values) and self.values[index] == value:
            counts = self.counts.copy()
            counts[index] += n
            return Weighted(self.values, counts, self.rank_error)
        values, counts = np.insert(self.values, index, value), np.insert(self.counts, index, n)
        return Weighted(values, counts, self.rank_error)

    def mapped(self, function: Callable[[Floats], Floats]) -> Weighted:
        """The rows with `function`, which must not fall, applied to each value."""
        values, first = np.unique(function(self.values), return_index=True)
        counts = np.add.reduceat(self.counts, first) if len(first) else self.counts
        return Weighted(values, counts, self.rank_error)

    def deviations(self, centre: float) -> Weighted:
        """The rows with each value replaced by its distance from `centre`."""
        distances = np.abs(self.values - centre)
        values, index = np.unique(distances, return_inverse=True)
        counts = np.bincount(index, self.counts, len(values)).astype(np.int64)
        return Weighted(values, counts, self.rank_error and 2 * self.rank_error)
