"""How far the distributions of features in two versions are apart, from their summaries.

Each version fits its medians, means and scales anew, so a value that many rows share, such as an imputed one, moves a
little from night to night. Rows are therefore not counted between hard bounds, which such a value could cross: each
counts around its place, partly on this side of a bound and partly on the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traintable.analyse.drift.columns import psi_of_counts
from traintable.quality.summary import FeatureSummary, bins_in_order

N_GROUPS = 10  # of about equally many rows of the previous version
TOLERANCE = 0.25  # standard deviations to either side over which a row counts

_OUTLIERS = 0.001  # share of the rows at each end that make no deviation greater
_ENDS, _NORMAL = 0.05, 3.29  # the middle 90% of a normal distribution are 3.29 standard deviations wide

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def drift(previous: FeatureSummary, new: FeatureSummary) -> dict[str, float]:
    """The population stability index of each feature of both versions, in groups of equally many rows of the first.

    Values in the same bin stay together. Values outside the range of the first version, by more than a bin and twice
    the tolerance, make two more groups. Features that only one version has are left out. Costs no pass.

    >>> import numpy as np
    >>> previous, new = FeatureSummary.empty(["x"]), FeatureSummary.empty(["x"])
    >>> values = np.linspace(-1, 1, 1000, dtype=np.float32)[:, None]
    >>> previous.add(values)
    >>> new.add(values + 0.5)
    >>> drift(previous, previous), round(drift(previous, new)["x"], 1)
    ({'x': 0.0}, 1.5)
    """
    low, high, order = bins_in_order()
    references = dict(zip(previous.names, previous.counts[:, order], strict=True))
    indexes = {}
    for name, counts in zip(new.names, new.counts[:, order], strict=True):
        reference = references.get(name)
        if reference is not None and reference.any() and counts.any():
            indexes[name] = _Reference(reference, low, high).index(counts)
    return indexes


class _Reference:
    """The groups that the rows of a feature make: `counts` of all bins, whose bounds are `low` and `high`."""

    def __init__(self, counts: Ints, low: Doubles, high: Doubles) -> None:
        self.low, self.high, self.counts = low, high, counts
        (self.at,) = np.nonzero(counts)
        self.up_to = np.cumsum(counts[self.at])
        self.tolerance = TOLERANCE * self._deviation()
        self.bounds = self._bounds()

    def _deviation(self) -> float:
        """A standard deviation that a few outliers do not increase."""
        values, weights = (self.low[self.at] + self.high[self.at]) / 2, self.counts[self.at]

        def quantile(q: float) -> float:
            return float(values[np.searchsorted(self.up_to, q * self.up_to[-1])])

        clipped = np.clip(values, quantile(_OUTLIERS), quantile(1 - _OUTLIERS))
        mean = np.average(clipped, weights=weights)
        whole = float(np.sqrt(np.average((clipped - mean) ** 2, weights=weights)))
        middle = (quantile(1 - _ENDS) - quantile(_ENDS)) / _NORMAL
        return min(whole, middle) if middle > 0 else whole

    def _bounds(self) -> Doubles:
        """The bounds between groups of equally many rows, halfway between their outermost bins.

        A bin with as many rows as a group is a group of its own, with all values up to twice the tolerance from it, and
        those of the bins next to it.
        """
        counts, n = self.counts[self.at], self.up_to[-1]
        (last,) = np.nonzero(np.diff((self.up_to - counts) * N_GROUPS // n))
        bounds = (self.high[self.at[last]] + self.low[self.at[last + 1]]) / 2
        heavy = self.at[counts * N_GROUPS >= n]
        width = np.pad(self.high - self.low, 1)
        starts = self.low[heavy] - 2 * np.maximum(self.tolerance, width[heavy])
        ends = self.high[heavy] + 2 * np.maximum(self.tolerance, width[heavy + 2])
        between = (self.high[heavy[:-1]] + self.low[heavy[1:]]) / 2
        starts[1:], ends[:-1] = np.maximum(starts[1:], between), np.minimum(ends[:-1], between)
        is_near = ((bounds[:, None] > starts) & (bounds[:, None] < ends)).any(axis=1)
        return np.unique(np.concatenate([starts, bounds[~is_near], ends]))

    def index(self, counts: Ints) -> float:
        """The population stability index of rows with these counts."""
        first, last, bins = self.at[0], self.at[-1], np.arange(len(counts))
        is_below = (bins < first - 1) & (self.high < self.low[first] - 2 * self.tolerance)
        is_above = (bins > last + 1) & (self.low > self.high[last] + 2 * self.tolerance)
        expected, within = self._shares(self.counts), np.where(is_below | is_above, 0, counts)
        shares = self._shares(within) * (within.sum() / counts.sum())
        below, above = (counts[beyond].sum() / counts.sum() for beyond in (is_below, is_above))
        return float(psi_of_counts([0, *expected, 0], [below, *shares, above]))

    def _shares(self, counts: Ints) -> Doubles:
        """The shares of rows in the groups, each row counting around its place.

        It counts evenly over its bin, and on either side over the tolerance, or over the bin's width if that is more.
        """
        (at,) = np.nonzero(counts)
        if not len(at):
            return np.zeros(len(self.bounds) + 1)
        low, high = self.low[at], self.high[at]
        around = np.maximum(self.tolerance, high - low)
        ends = np.concatenate([low - around, high + around])
        density = counts[at] / counts.sum() / (high - low + 2 * around)
        order = np.argsort(ends, kind="stable")
        steps = np.cumsum(np.concatenate([density, -density])[order])
        below = np.concatenate([[0.0], np.cumsum(steps[:-1] * np.diff(ends[order]))])
        return np.diff(np.concatenate([[0.0], np.interp(self.bounds, ends[order], below), [1.0]]))
