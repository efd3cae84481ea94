"""How many different values there are, estimated from the smallest of their hashes."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np

from traintable.arrays import Ints
from traintable.statistics.packing import pack, unpack

SIZE = 4096


class DistinctRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; hashes packed."""

    size: int
    hashes: str


class Distinct:
    """The `size` smallest different hashes of the values seen.

    The number of values follows from how densely the hashes lie, with a relative standard error of 1 / sqrt(size - 2),
    1.6% of 4,096; exact below `size`. The state depends on the set of values alone. Bar-Yossef et al., "Counting
    distinct elements in a data stream" (RANDOM 2002); the unbiased estimate is that of Beyer et al. (SIGMOD 2007).
    """

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.hashes: Ints = np.zeros(0, np.int64)

    def add(self, hashes: Ints) -> None:
        """Add values by their hashes."""
        if len(self.hashes) == self.size:
            hashes = hashes[hashes < self.hashes[-1]]
        if len(hashes):
            both = np.sort(np.concatenate([self.hashes, hashes]))
            self.hashes = both[np.append(True, both[1:] != both[:-1])][: self.size]

    def merge(self, other: Distinct) -> None:
        """Add the values of another state."""
        self.add(other.hashes)

    def estimate(self) -> tuple[float, float]:
        """The number of different values and its relative standard error, 0 when it is exact."""
        if len(self.hashes) < self.size:
            return float(len(self.hashes)), 0.0
        largest = (float(self.hashes[-1]) + 2.0**63) / 2.0**64
        return (self.size - 1) / largest, 1 / math.sqrt(self.size - 2)

    def to_dict(self) -> DistinctRecord:
        """The state as plain values for JSON."""
        return {"size": self.size, "hashes": pack(self.hashes)}

    @classmethod
    def from_dict(cls, state: DistinctRecord) -> Distinct:
        """The state that `to_dict` wrote."""
        distinct = cls(state["size"])
        distinct.hashes = unpack(state["hashes"])
        return distinct
