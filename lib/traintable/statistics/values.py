"""How often each value of a numeric column occurs: exact while they are few, then counted in ranges of values.

The bits of a double, read as a whole number, are in the order of the values. When there are more than `resolution`
different values, they are counted by all but their last bit, then by all but the last two, and so on until there are
no more than `resolution` ranges. The counts are exact whatever the ranges, and the ranges that result depend on the
set of values alone: neither the order of rows nor the merging of states changes them. So a median learned from one
layout of the rows is the median of any other, to the last bit, which the usual sketches don't give. The idea of
merging neighbours of a binary subdivision is that of Shrivastava et al., "Medians and beyond" (SenSys 2004).
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.arrays import Floats, Ints
from traintable.statistics.chunk import EXACT, Chunk, NumberColumn
from traintable.statistics.distinct import SIZE, Distinct, DistinctRecord
from traintable.statistics.frequent import Frequent, FrequentRecord
from traintable.statistics.packing import pack, unpack
from traintable.statistics.weighted import Weighted

RESOLUTION = 2**16
_MAX_DENSE = 2**20  # counters of a range that is counted by position
_DENSE_FACTOR = 8  # and at most so many for a value, for each costs time too
_SIGN = np.int64(-(2**63))


class _ValuesRecord(TypedDict):
    column: str
    resolution: int
    sketches: bool
    size: int
    shift: int
    rounded: bool
    buckets: str
    counts: str
    extremes: list[str] | None


class ValuesRecord(_ValuesRecord, total=False):
    """What `to_dict` writes and `from_dict` reads; buckets and counts packed, extremes hexadecimal."""

    distinct: DistinctRecord
    frequent: FrequentRecord


class Values:
    """Counts of the values of `column` in at most `resolution` ranges.

    Attributes
    ----------
    shift : how many of the last bits of a value are left out; 0 while each value has a count of its own.
    buckets, counts : ascending codes of the ranges and how many rows are in each, shape (ranges,).
    rounded : whether there were whole numbers beyond 2**53, where one double stands for several of them.
    distinct, frequent : sketches of what ranges don't tell, kept from when the values are no longer exact.
    """

    def __init__(self, column: str, resolution: int = RESOLUTION, *, sketches: bool = False, size: int = SIZE) -> None:
        self.column, self.resolution, self.sketches = column, resolution, sketches
        self.shift, self.rounded = 0, False
        self.buckets: Ints = np.zeros(0, np.int64)
        self.counts: Ints = np.zeros(0, np.int64)
        self.min, self.max = np.inf, -np.inf
        self.distinct, self.frequent = Distinct(size), Frequent(size)

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.counts.sum())

    @property
    def is_exact(self) -> bool:
        """Whether each value has a count of its own."""
        return self.shift == 0 and not self.rounded

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        number = chunk.number(self.column)
        values = number.compact
        if not len(values):
            return
        self.min, self.max = min(self.min, float(values.min())), max(self.max, float(values.max()))
        if number.whole is not None:
            self._estimate()
            self.rounded = True
        if not self.is_exact and self.sketches:
            self._sketch(values, number)
        self._add(*count_values(values, self.shift))

    def _sketch(self, values: Floats, number: NumberColumn) -> None:
        hashes = hash_numbers(values)
        if number.whole is None:
            self.distinct.add(hashes)
        else:  # by the numbers themselves, where doubles are not
            whole = number.whole if number.present is None else number.whole[number.present]
            self.distinct.add(np.where(np.abs(values) < EXACT, hashes, hash_numbers(whole)))
        self.frequent.add(values, hashes)

    def _add(self, buckets: Ints, counts: Ints) -> None:
        self.buckets, self.counts = _unite(self.buckets, self.counts, buckets, counts)
        if len(self.buckets) > self.resolution:
            self._coarsen(bits_to_leave_out(self.buckets, self.resolution))

    def _coarsen(self, bits: int) -> None:
        """Leave out `bits` more bits of each value."""
        if not bits:
            return
        self._estimate()
        self.shift += bits
        self.buckets, self.counts = _sum_equal(self.buckets >> bits, self.counts)

    def _estimate(self) -> None:
        """Begin the sketches with the values that were exact so far."""
        if self.is_exact and self.sketches:
            values = decode(self.buckets)
            self.distinct.add(hash_numbers(values))
            self.frequent.add_counts(values, self.counts)

    def merge(self, other: Values) -> None:
        """Add the rows of another state of the same column and resolution."""
        self.min, self.max = min(self.min, other.min), max(self.max, other.max)
        shift = max(self.shift, other.shift)
        self._coarsen(shift - self.shift)
        other._coarsen(shift - other.shift)
        if self.rounded != other.rounded:
            for state in (self, other):
                state._estimate()
                state.rounded = True
        self.distinct.merge(other.distinct)
        self.frequent.merge(other.frequent)
        self._add(other.buckets, other.counts)

    def starts(self) -> Floats:
        """Where the ranges start, ascending, shape (ranges,): the values themselves while each has its own count."""
        starts = decode(self.buckets << self.shift)
        if len(starts):
            starts[0] = self.min
        return starts

    def weighted(self) -> Weighted:
        """The values with their counts; one in the middle stands for a range of several."""
        if self.shift == 0:
            values = decode(self.buckets)
            several = self.counts[np.abs(values) >= EXACT].max(initial=0) if self.rounded else 0
            return Weighted(values, self.counts, float(several / max(1, self.n)))
        middle = (self.buckets << self.shift) + (np.int64(1) << (self.shift - 1))
        zero = (self.buckets == 0) & (self.shift <= 52)  # all that shares its leading bits is below 1e-307
        values = np.where(zero, 0.0, decode(middle))
        values[0], values[-1] = self.min, self.max
        return Weighted(values, self.counts, float(self.counts[~zero].max(initial=0) / self.n))

    def n_distinct(self) -> tuple[float, float]:
        """The number of different values and its relative standard error, 0 when it is exact.

        NaN when there are too many to count each and no `sketches`.
        """
        if self.is_exact:
            return float(len(self.buckets)), 0.0
        return self.distinct.estimate() if self.sketches else (np.nan, np.nan)

    def most_frequent(self, n: int) -> tuple[list[tuple[float, int]], int]:
        """At most `n` of the most frequent values with their counts, and by how much a count may be too low.

        None when there are too many to count each and no `sketches`. A double that stands for several whole numbers is
        not among them.
        """
        if not self.is_exact:
            if not self.sketches:
                return [], int(self.counts.max())
            top, error = self.frequent.top(self.frequent.capacity if self.rounded else n)
            return [pair for pair in top if not (self.rounded and abs(pair[0]) >= EXACT)][:n], error
        order = np.argsort(-self.counts, kind="stable")[:n]
        values = decode(self.buckets[order])
        return [(float(v), int(c)) for v, c in zip(values, self.counts[order], strict=True)], 0

    def to_dict(self) -> ValuesRecord:
        """The state as plain values for JSON."""
        state: ValuesRecord = {
            "column": self.column,
            "resolution": self.resolution,
            "sketches": self.sketches,
            "size": self.distinct.size,
            "shift": self.shift,
            "rounded": self.rounded,
            "buckets": pack(self.buckets),
            "counts": pack(self.counts),
            "extremes": [self.min.hex(), self.max.hex()] if len(self.buckets) else None,
        }
        if not self.is_exact and self.sketches:
            state |= {"distinct": self.distinct.to_dict(), "frequent": self.frequent.to_dict()}
        return state

    @classmethod
    def from_dict(cls, state: ValuesRecord) -> Values:
        """The state that `to_dict` wrote."""
        values = cls(state["column"], state["resolution"], sketches=state["sketches"], size=state["size"])
        values.shift, values.rounded = state["shift"], state["rounded"]
        values.buckets, values.counts = unpack(state["buckets"]), unpack(state["counts"])
        if state["extremes"]:
            values.min, values.max = (float.fromhex(text) for text in state["extremes"])
        if "distinct" in state:
            values.distinct = Distinct.from_dict(state["distinct"])
            values.frequent = Frequent.from_dict(state["frequent"])
        return values


def encode(values: Floats) -> Ints:
    """Whole numbers in the order of the values, one for each; shape (rows,)."""
    bits = values.view(np.int64)
    return np.asarray(np.where(bits < 0, ~bits ^ _SIGN, bits))


def decode(codes: Ints) -> Floats:
    """The values that `encode` gave these codes."""
    return np.asarray(np.where(codes < 0, ~(codes ^ _SIGN), codes)).view(np.float64)


def hash_numbers(values: Floats | Ints) -> Ints:
    """A 64-bit hash of each value, as signed whole numbers (the finaliser of splitmix64, Steele et al., 2014)."""
    bits = values.view(np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31))).view(np.int64)


def count_values(values: Floats, shift: int) -> tuple[Ints, Ints]:
    """Ascending codes without their last `shift` bits, and how many of the values have each."""
    if shift == 0:
        low, high = float(values.min()), float(values.max())
        if high - low < min(_MAX_DENSE, max(2**12, _DENSE_FACTOR * len(values))) and np.array_equal(
            values, np.rint(values)
        ):
            counts = np.bincount((values - low).astype(np.int64))
            present = np.flatnonzero(counts)
            return encode(np.asarray(present + low, np.float64)), counts[present]
        return _count_by_hash(values)
    codes = encode(values) >> shift
    low_code, high_code = int(codes.min()), int(codes.max())
    if high_code - low_code < min(_MAX_DENSE, _DENSE_FACTOR * len(codes)):
        counts = np.bincount(codes - low_code)
        present = np.flatnonzero(counts)
        return present + low_code, counts[present]
    return _count_by_binade(codes, shift)


def _count_by_hash(values: Floats) -> tuple[Ints, Ints]:
    some = values[:2048]
    if len(np.unique(some)) > 0.9 * len(some):  # then sorting is faster
        return _sum_equal(np.sort(encode(values)), np.ones(len(values), np.int64))
    counts = pc.value_counts(pa.array(values))
    codes = encode(np.asarray(counts.field(0)))
    order = np.argsort(codes)
    return codes[order], np.asarray(counts.field(1))[order]


def _count_by_binade(codes: Ints, shift: int) -> tuple[Ints, Ints]:
    """Count codes that lie far apart: those of each sign and power of 2 are close together."""
    width = 52 - shift
    if width < 0:
        return _sum_equal(np.sort(codes), np.ones(len(codes), np.int64))
    binade = (codes >> width) + 2048
    present = np.flatnonzero(np.bincount(binade, minlength=4096))
    if len(present) << width > min(4 * _MAX_DENSE, _DENSE_FACTOR * len(codes)):
        return _sum_equal(np.sort(codes), np.ones(len(codes), np.int64))
    start = np.zeros(4096, np.int64)
    start[present] = (np.arange(len(present)) << width) - ((present - 2048) << width)
    counts = np.bincount(codes + start[binade])
    occupied = np.flatnonzero(counts)
    return occupied - start[present[occupied >> width]], counts[occupied]


def bits_to_leave_out(buckets: Ints, limit: int) -> int:
    """The least number of bits to leave out of ascending codes so that at most `limit` different ones are left."""
    low, high = 1, 64
    while low < high:
        middle = (low + high) // 2
        shifted = buckets >> middle
        if 1 + np.count_nonzero(shifted[1:] != shifted[:-1]) <= limit:
            high = middle
        else:
            low = middle + 1
    return low


def _unite(a: Ints, a_counts: Ints, b: Ints, b_counts: Ints) -> tuple[Ints, Ints]:
    if not len(a):
        return b, b_counts
    if len(a) == len(b) and np.array_equal(a, b):
        return a, a_counts + b_counts
    both = np.concatenate([a, b])
    order = np.argsort(both, kind="stable")
    return _sum_equal(both[order], np.concatenate([a_counts, b_counts])[order])


def _sum_equal(ascending: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Different codes of an ascending array, and the sum of the counts of each."""
    if not len(ascending):
        return ascending, counts
    first = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    return ascending[first], np.add.reduceat(counts, first)
