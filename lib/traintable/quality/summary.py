"""The distribution of each feature of train, counted while rows are written, for drift between versions.

A number is counted in the bin that the leading bits of its 32-bit form name: its sign, its power of two and three bits
of its fraction. Bins are the same for all tables: counts of several tasks add up, and those of two versions can be
compared, whatever the order and layout of rows.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

FRACTION_BITS = 3
_BINS = 2 ** (9 + FRACTION_BITS)  # sign and exponent have 9 bits
_SHIFT = 23 - FRACTION_BITS

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


class _Counts(TypedDict):
    rows: int
    not_finite: int


class FeatureDescription(_Counts, total=False):
    """The distribution of a feature; all but the counts of rows are missing where no value is finite."""

    zeros: float
    least: float
    quarter: float
    median: float
    three_quarters: float
    greatest: float


@dataclass
class FeatureSummary:
    """How often the values of features occur, shape (features, bins), and how many are not finite, shape (features,).

    >>> import numpy as np
    >>> summary = FeatureSummary.empty(["x"])
    >>> summary.add(np.array([[0.0], [1.0], [2.0], [np.nan]]))
    >>> summary.describe()["x"]["rows"], summary.describe()["x"]["median"], summary.describe()["x"]["not_finite"]
    (4, 1.0, 1)
    """

    names: tuple[str, ...]
    counts: Ints
    not_finite: Ints

    @classmethod
    def empty(cls, names: Sequence[str]) -> FeatureSummary:
        """The summary of no rows."""
        return cls(tuple(names), np.zeros((len(names), _BINS), np.int64), np.zeros(len(names), np.int64))

    def add(self, values: Numbers) -> None:
        """Add rows, shape (rows, features); null is NaN. Costs a pass over them in memory."""
        with np.errstate(over="ignore"):
            single = values.astype(np.float32, copy=False)
        bins = np.ascontiguousarray((_bits(single) >> _SHIFT).astype(np.uint16).T)
        finite = np.isfinite(values)
        is_finite = None if finite.all() else np.ascontiguousarray(finite.T)
        for i, column in enumerate(bins):  # feature by feature, whose counts are near each other in memory
            finite_bins = column if is_finite is None else column[is_finite[i]]
            self.not_finite[i] += len(column) - len(finite_bins)
            counts = np.bincount(finite_bins)
            self.counts[i, : len(counts)] += counts

    def merge(self, other: FeatureSummary) -> None:
        """Add the counts of another summary of the same features."""
        self.counts += other.counts
        self.not_finite += other.not_finite

    def to_bytes(self) -> bytes:
        """Compressed JSON; the same for the same rows."""
        features = {}
        for name, row, n_not_finite in zip(self.names, self.counts, self.not_finite, strict=True):
            (bins,) = np.nonzero(row)
            features[name] = {"bins": bins.tolist(), "counts": row[bins].tolist(), "not_finite": int(n_not_finite)}
        text = json.dumps({"fraction_bits": FRACTION_BITS, "features": features}, separators=(",", ":"))
        return gzip.compress(text.encode(), mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes) -> FeatureSummary:
        """The summary that `to_bytes` wrote."""
        features = json.loads(gzip.decompress(content))["features"]
        summary = cls.empty(tuple(features))
        for i, feature in enumerate(features.values()):
            summary.counts[i, feature["bins"]] = feature["counts"]
            summary.not_finite[i] = feature["not_finite"]
        return summary

    def describe(self) -> dict[str, FeatureDescription]:
        """Of each feature the rows, the share of zeros, and quantiles, at most an eighth of their value too near 0."""
        low, high, order = bins_in_order()
        nearest_zero = np.where(low < 0, high, low)
        zero = _bits(np.zeros(1, np.float32))[0] >> _SHIFT
        descriptions = {}
        for name, counts, n_not_finite in zip(self.names, self.counts, self.not_finite, strict=True):
            n = int(counts.sum())
            description: FeatureDescription = {"rows": n + int(n_not_finite), "not_finite": int(n_not_finite)}
            if n:
                up_to = np.cumsum(counts[order])
                values = [float(nearest_zero[np.searchsorted(up_to, max(1, np.ceil(q * n)))]) for q in _QUANTILES]
                description["zeros"] = int(counts[zero]) / n
                description["least"], description["quarter"], description["median"] = values[:3]
                description["three_quarters"], description["greatest"] = values[3:]
            descriptions[name] = description
        return descriptions


def _bits(values: Floats) -> NDArray[np.uint32]:
    """The bits of numbers, -0 taken for 0."""
    return np.ascontiguousarray(values + np.float32(0)).view(np.uint32)


def bins_in_order() -> tuple[Doubles, Doubles, Ints]:
    """The bounds of all bins (least, greatest value) and the bins themselves, in the order of their values."""
    half = _BINS // 2
    with np.errstate(invalid="ignore"):
        near = (np.arange(half + 1, dtype=np.uint32) << _SHIFT).view(np.float32).astype(np.float64)
    near[~np.isfinite(near)] = 2.0**128  # no finite value is in these bins
    near[half] = 2.0**128
    bins = np.arange(_BINS)
    low, high = np.concatenate([-near[:0:-1], near[:-1]]), np.concatenate([-near[-2::-1], near[1:]])
    return low, high, np.concatenate([bins[half:][::-1], bins[:half]])
