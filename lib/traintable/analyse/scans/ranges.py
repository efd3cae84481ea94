"""The values of a column as ranges by which a second scan can count rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics import Coding, Weighted
from traintable.statistics.values import Values


@dataclass(frozen=True)
class Ranges:
    """Ascending ranges of the values of a column: where each starts, a value that stands for it, and its rows."""

    column: str
    starts: Floats
    weighted: Weighted

    @classmethod
    def of(cls, values: Values, limit: int) -> Ranges:
        """At most `limit` ranges of about equally many rows; one for each value where there are no more."""
        starts = values.starts()
        if not len(starts):
            return cls(values.column, starts, Weighted(np.zeros(0), np.zeros(0, np.int64)))
        weighted = values.weighted()
        if len(starts) <= limit:
            return cls(values.column, starts, weighted)
        return cls(values.column, *_merge(starts, weighted, limit))

    @property
    def coding(self) -> Coding:
        """The code of a value: 1 for the first range."""
        return Coding.of_ranges(self.column, self.starts)

    def mid_ranks(self) -> Floats:
        """The mean rank of the values in each range, counted from 1; shape (ranges,)."""
        ends = np.cumsum(self.weighted.counts)
        return np.asarray(ends - (self.weighted.counts - 1) / 2)

    def subset(self, counts: Ints) -> Weighted:
        """Some of the rows, of which `counts`, shape (ranges,), lie in each range."""
        present = np.flatnonzero(counts)
        return Weighted(self.weighted.values[present], counts[present], self.weighted.rank_error)

    def bin_coding(self, n: int) -> Coding:
        """Codes by at most `n` bins of about equally many rows; each value for itself where there are no more."""
        if len(self.starts) <= n:
            return self.coding
        return Coding.of_ranges(self.column, _merge(self.starts, self.weighted, n)[0])

    def histogram(self, edges: Sequence[float] | Floats, counts: Ints) -> Ints:
        """Of some rows, `counts` in each range, how many fall between edges, as numpy.histogram has it."""
        binned, _ = np.histogram(self.weighted.values, np.asarray(edges, np.float64), weights=counts)
        return np.asarray(binned.astype(np.int64))


def _merge(starts: Floats, weighted: Weighted, limit: int) -> tuple[Floats, Weighted]:
    """At most `limit` ranges of about equally many rows: the range in which each share of the rows ends begins none."""
    rows_below = np.cumsum(weighted.counts) - weighted.counts
    group = rows_below * limit // weighted.n
    first = np.flatnonzero(np.diff(group, prepend=-1))
    counts = np.add.reduceat(weighted.counts, first)
    sizes = np.diff(np.append(first, len(starts)))
    middle = weighted.values[np.minimum(first + sizes // 2, len(starts) - 1)]
    is_single = (sizes == 1) & weighted.is_exact
    error = float(counts[~is_single].max(initial=0) / weighted.n)
    return starts[first], Weighted(middle, counts, error)
