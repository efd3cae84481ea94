"""Ranks that the values of several classes have among all of them, in whole numbers whatever their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from traintable.analyse.hypothesis.moments import without_zero_counts
from traintable.arrays import Floats, Ints
from traintable.statistics import Weighted


@dataclass(frozen=True)
class PooledRanks:
    """The rows of all classes: their ascending `values`, how many rows have each, and how many lie `below` it."""

    values: Floats
    counts: Ints
    below: Ints

    @classmethod
    def of(cls, classes: Sequence[Weighted]) -> PooledRanks:
        """The rows of these classes together."""
        filled = [without_zero_counts(c) for c in classes]
        values, place = np.unique(np.concatenate([c.values for c in filled]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, place, np.concatenate([c.counts for c in filled]))
        return cls(values, counts, np.cumsum(counts) - counts)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    def rank_sum(self, values: Weighted) -> int:
        """Twice the sum of the ranks, mid-ranks for ties, that the rows of one of the classes have among all."""
        values = without_zero_counts(values)
        place = np.searchsorted(self.values, values.values)
        double = 2 * self.below[place] + self.counts[place] + 1
        whole = integer_type(2 * self.n * values.n)
        return int(np.dot(double.astype(whole), values.counts.astype(whole)))

    def ties(self) -> int:
        """Sum of t**3 - t over the numbers t of rows that share a value."""
        t = self.counts[self.counts > 1]
        t = t.astype(integer_type(self.n * int(t.max(initial=0)) ** 2))
        return int((t**3 - t).sum())


def integer_type(largest: int) -> np.dtype[Any]:
    """The fastest type of whole numbers that hold `largest`."""
    return np.dtype(np.int64 if largest < 2**62 else object)


def placements(values: Weighted, among: Weighted) -> tuple[Floats, Ints]:
    """For each value of `values` the share of `among` below it, ties by half, and its count."""
    values = without_zero_counts(values)
    below, up_to = (rows_below(among, values.values, side) for side in ("left", "right"))
    return (below + up_to) / (2 * among.n), values.counts


def rows_below(values: Weighted, limits: Floats, side: Literal["left", "right"]) -> Ints:
    """How many rows are below each limit ("left"), or up to it ("right")."""
    ends = np.concatenate([[0], np.cumsum(values.counts)])
    return np.asarray(ends[np.searchsorted(values.values, limits, side=side)])


def error_of_shares(classes: Sequence[Weighted]) -> float:
    """The most by which the share of all rows below a value of a class may be wrong, on average over the class."""
    filled = [c for c in classes if c.n]
    n = sum(c.n for c in filled)
    mean = sum(c.n * c.rank_error for c in filled) / max(n, 1)
    return max((c.rank_error for c in filled), default=0.0) + mean
