"""The most frequent values of a column that has too many to count each of them."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.arrays import Floats, Ints

SHARE = 0.001
CAPACITY = 4096
_LANES = 2**16


class FrequentRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; of numbers the values are hexadecimal."""

    counts: list[list[Any]]
    error: int
    capacity: int


class Frequent:
    """Values that are frequent in some batch, with counts that are too low by `error` at most.

    Of each batch a value counts if it makes up 0.1% of it, and at most `capacity` values are kept, half of them when
    there are more. So `error` stays near 0.1% of the rows, or near 2 / capacity of them where that is more, and any
    value that is more frequent than `error` is kept. The bound is that of lossy counting (Manku and Motwani, VLDB
    2002).
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.counts: dict[Any, int] = {}
        self.error = 0

    def add(self, values: Floats, hashes: Ints) -> None:
        """Add the rows of a batch: their values and the hashes of these."""
        least = max(1, int(SHARE * len(values)))
        lane = hashes & (_LANES - 1)
        crowded = np.bincount(lane, minlength=_LANES) >= least
        likely = crowded[lane]
        counts = pc.value_counts(pa.array(values[likely]))
        self.add_counts(np.asarray(counts.field(0)), np.asarray(counts.field(1)), least, complete=bool(likely.all()))

    def add_counts(self, values: Any, counts: Ints, least: int = 1, *, complete: bool = True) -> None:
        """Add values with their counts, of which those below `least` are left out, or have been if not `complete`."""
        if len(counts) > self.capacity:
            half = self.capacity // 2
            least = max(least, int(np.partition(counts, -half)[-half]) + 1)
        kept = np.flatnonzero(counts >= least)
        for i in kept:
            value = values[i].item() if isinstance(values, np.ndarray) else values[i]
            self.counts[value] = self.counts.get(value, 0) + int(counts[i])
        if not complete or len(kept) < len(counts):
            self.error += least - 1
        self._bound()

    def _bound(self) -> None:
        if len(self.counts) > self.capacity:
            ranked = sorted(self.counts.items(), key=lambda pair: -pair[1])
            self.error += ranked[self.capacity // 2][1]
            self.counts = dict(ranked[: self.capacity // 2])

    def merge(self, other: Frequent) -> None:
        """Add the rows of another state."""
        self.error += other.error
        for value, n in other.counts.items():
            self.counts[value] = self.counts.get(value, 0) + n
        self._bound()

    def top(self, n: int) -> tuple[list[tuple[Any, int]], int]:
        """At most `n` values that are certainly more frequent than those left out, and the error of their counts."""
        ranked = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(value, count) for value, count in ranked[:n] if count > self.error], self.error

    def to_dict(self) -> FrequentRecord:
        """The state as plain values for JSON."""
        return {
            "counts": [[v.hex() if isinstance(v, float) else v, n] for v, n in self.counts.items()],
            "error": self.error,
            "capacity": self.capacity,
        }

    @classmethod
    def from_dict(cls, state: FrequentRecord, *, numbers: bool = True) -> Frequent:
        """The state that `to_dict` wrote, of a column of numbers or of text."""
        frequent = cls(state["capacity"])
        frequent.counts = {float.fromhex(v) if numbers else v: n for v, n in state["counts"]}
        frequent.error = state["error"]
        return frequent
