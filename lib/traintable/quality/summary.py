"""What each feature of the published rows is like, learned while they are written, for drift between versions.

A number is counted in the bin that the leading bits of its 32-bit form name: its sign, its power of two and three bits
of its fraction. Bins are the same for all tables, so counts of parts of a table add up and those of two versions can be
compared, in any order and layout, to the last count.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRACTION_BITS = 3
_BINS = 2 ** (9 + FRACTION_BITS)  # sign and exponent have 9 bits
_SHIFT = 23 - FRACTION_BITS

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class FeatureSummary:
    """Counts of the values of features, shape (features, bins), and of their values that are no finite numbers."""

    names: tuple[str, ...]
    counts: Ints
    not_finite: Ints

    @classmethod
    def empty(cls, names: Sequence[str]) -> FeatureSummary:
        """Of no rows."""
        return cls(tuple(names), np.zeros((len(names), _BINS), np.int64), np.zeros(len(names), np.int64))

    def add(self, values: Numbers) -> None:
        """Add rows, shape (rows, features); null is NaN. Costs a pass over them in memory."""
        with np.errstate(over="ignore"):
            single = values.astype(np.float32, copy=False)
        bins = np.ascontiguousarray((_bits(single) >> _SHIFT).astype(np.uint16).T)
        finite = np.isfinite(values)
        is_finite = None if finite.all() else np.ascontiguousarray(finite.T)
        for i, column in enumerate(bins):  # one by one, for the counts of one feature are near each other in memory
            known = column if is_finite is None else column[is_finite[i]]
            self.not_finite[i] += len(column) - len(known)
            found = np.bincount(known)
            self.counts[i, : len(found)] += found

    def merge(self, other: FeatureSummary) -> None:
        """Add the rows of another one of the same features."""
        self.counts += other.counts
        self.not_finite += other.not_finite

    def to_bytes(self) -> bytes:
        """Compressed JSON; the same for the same rows."""
        features = {}
        for name, row, wrong in zip(self.names, self.counts, self.not_finite, strict=True):
            (found,) = np.nonzero(row)
            features[name] = {"bins": found.tolist(), "counts": row[found].tolist(), "not_finite": int(wrong)}
        text = json.dumps({"fraction_bits": FRACTION_BITS, "features": features}, separators=(",", ":"))
        return gzip.compress(text.encode(), mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes) -> FeatureSummary:
        """What `to_bytes` has made."""
        features = json.loads(gzip.decompress(content))["features"]
        found = cls.empty(tuple(features))
        for i, known in enumerate(features.values()):
            found.counts[i, known["bins"]] = known["counts"]
            found.not_finite[i] = known["not_finite"]
        return found

    def described(self) -> dict[str, dict[str, Any]]:
        """Of each feature the rows, the share of zeros, and quantiles to within an eighth of a value."""
        low, high, order = bins_in_order()
        nearest_zero = np.where(low < 0, high, low)
        zero = _bits(np.zeros(1, np.float32))[0] >> _SHIFT
        told = {}
        for name, row, wrong in zip(self.names, self.counts, self.not_finite, strict=True):
            n = int(row.sum())
            found: dict[str, Any] = {"rows": n + int(wrong), "not_finite": int(wrong)}
            if n:
                below = np.cumsum(row[order])
                found_at = {q: np.searchsorted(below, max(1, np.ceil(q * n))) for q in (0, 0.25, 0.5, 0.75, 1)}
                at = {q: nearest_zero[place] for q, place in found_at.items()}
                names = ("least", "quarter", "median", "three_quarters", "greatest")
                found |= {"zeros": int(row[zero]) / n}
                found |= {key: float(value) for key, value in zip(names, at.values(), strict=True)}
            told[name] = found
        return told


def _bits(values: Floats) -> NDArray[np.uint32]:
    """The bits of numbers, -0 taken for 0."""
    return np.ascontiguousarray(values + np.float32(0)).view(np.uint32)


def bins_in_order() -> tuple[Doubles, Doubles, Ints]:
    """The bounds of all bins (least, greatest value) and the bins themselves, in the order of their values."""
    half = _BINS // 2
    with np.errstate(invalid="ignore"):
        near = (np.arange(half + 1, dtype=np.uint32) << _SHIFT).view(np.float32).astype(np.float64)
    near[~np.isfinite(near)] = 2.0**128  # what lies there is in no bin
    near[half] = 2.0**128
    bins = np.arange(_BINS)
    low, high = np.concatenate([-near[:0:-1], near[:-1]]), np.concatenate([-near[-2::-1], near[1:]])
    return low, high, np.concatenate([bins[half:][::-1], bins[:half]])
