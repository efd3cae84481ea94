"""Ranks that the values of several classes have among all of them, in whole numbers whatever their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from traintable.analyse.hypothesis.moments import present
from traintable.arrays import Floats, Ints
from traintable.statistics import Weighted


@dataclass(frozen=True)
class Pooled:
    """The rows of all classes: their ascending `values`, how many rows have each, and how many lie `below` it."""

    values: Floats
    counts: Ints
    below: Ints

    @classmethod
    def of(cls, classes: Sequence[Weighted]) -> Pooled:
        """The rows of these classes together."""
        parts = [present(c) for c in classes]
        values, place = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, place, np.concatenate([part.counts for part in parts]))
        return cls(values, counts, np.cumsum(counts) - counts)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    def rank_sum(self, values: Weighted) -> int:
        """Twice the sum of the ranks, mid-ranks for ties, that the rows of one of the classes have among all."""
        own = present(values)
        place = np.searchsorted(self.values, own.values)
        double = 2 * self.below[place] + self.counts[place] + 1
        whole = whole_type(2 * self.n * own.n)
        return int(np.dot(double.astype(whole), own.counts.astype(whole)))

    def ties(self) -> int:
        """Sum of t**3 - t over the numbers t of rows that share a value."""
        t = self.counts[self.counts > 1]
        t = t.astype(whole_type(self.n * int(t.max(initial=0)) ** 2))
        return int((t**3 - t).sum())


def whole_type(largest: int) -> np.dtype[Any]:
    """The fastest type of whole numbers that hold `largest`."""
    return np.dtype(np.int64 if largest < 2**62 else object)


def placements(values: Weighted, among: Weighted) -> tuple[Floats, Ints]:
    """For each value of `values` the share of `among` below it, ties by half, and its count."""
    own = present(values)
    below, up_to = (rows_below(among, own.values, side) for side in ("left", "right"))
    return (below + up_to) / (2 * among.n), own.counts


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
