"""How many rows fall into each period of time: coverage, gaps and the pattern of a week."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics.chunk import Chunk
from traintable.statistics.packing import pack, unpack

MAX_PERIODS = 20_000
PERIODS = ("hour", "day", "month", "year")  # each falls into one of the next
HOURS_OF_WEEK = 168
_HOUR, _DAY = 3600, 86400
_THURSDAY = 3  # 1 January 1970, when a week starts on Monday


class PeriodsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; `places`, the numbers of the periods, and counts packed."""

    column: str
    period: int
    places: str
    counts: str
    hour_of_week: list[int]
    n_outside: int


class Periods:
    """Rows by period of `column`, whose values are seconds since 1970, and by hour of the week, Monday first, in UTC.

    The period is the finest of hour, day, month and year of which at most 20,000 have rows: it follows from the set
    of values alone, whatever the order of rows. Times beyond the years -9999 to 9999 are counted in `n_outside`.

    Attributes
    ----------
    period : index in `PERIODS`.
    numbers, counts : ascending numbers of the periods, from that of 1970-01-01 on, and the rows in each.
    hour_of_week : shape (168,).
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self.period = 0
        self.numbers: Ints = np.zeros(0, np.int64)
        self.counts: Ints = np.zeros(0, np.int64)
        self.hour_of_week: Ints = np.zeros(HOURS_OF_WEEK, np.int64)
        self.n_outside = 0

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        seconds = chunk.number(self.column).compact
        hours = np.floor(np.floor(seconds) / _HOUR)  # the smallest negative second by itself is -0 hours
        inside = np.abs(hours) < 365 * 24 * 9999
        if not inside.all():
            self.n_outside += int(len(hours) - inside.sum())
            hours = hours[inside]
        if len(hours):
            numbers = hours.astype(np.int64)
            self.hour_of_week += np.bincount((numbers + _THURSDAY * 24) % HOURS_OF_WEEK, minlength=HOURS_OF_WEEK)
            self._add(*np.unique(coarser(numbers, 0, self.period), return_counts=True))

    def _add(self, numbers: Ints, counts: Ints) -> None:
        self.numbers, index = np.unique(np.concatenate([self.numbers, numbers]), return_inverse=True)
        totals: Ints = np.zeros(len(self.numbers), np.int64)
        np.add.at(totals, index, np.concatenate([self.counts, counts]))
        self.counts = totals
        while len(self.numbers) > MAX_PERIODS and self.period < len(PERIODS) - 1:
            self._coarsen(self.period + 1)

    def _coarsen(self, period: int) -> None:
        if period > self.period:
            numbers, counts = coarser(self.numbers, self.period, period), self.counts
            self.numbers, self.counts, self.period = self.numbers[:0], self.counts[:0], period
            self._add(numbers, counts)

    def merge(self, other: Periods) -> None:
        """Add the rows of another state of the same column."""
        period = max(self.period, other.period)
        self._coarsen(period)
        other._coarsen(period)
        self.hour_of_week += other.hour_of_week
        self.n_outside += other.n_outside
        self._add(other.numbers, other.counts)

    def to_dict(self) -> PeriodsRecord:
        """The state as plain values for JSON."""
        return {
            "column": self.column,
            "period": self.period,
            "places": pack(self.numbers),
            "counts": pack(self.counts),
            "hour_of_week": self.hour_of_week.tolist(),
            "n_outside": self.n_outside,
        }

    @classmethod
    def from_dict(cls, state: PeriodsRecord) -> Periods:
        """The state that `to_dict` wrote."""
        periods = cls(state["column"])
        periods.period, periods.n_outside = state["period"], state["n_outside"]
        periods.numbers, periods.counts = unpack(state["places"]), unpack(state["counts"])
        periods.hour_of_week = np.array(state["hour_of_week"], np.int64)
        return periods


def coarser(numbers: Ints, period: int, other: int) -> Ints:
    """The numbers of the periods of kind `other` that periods of kind `period` fall into."""
    if period == other:
        return numbers
    days = numbers // 24 if period == 0 else starts(numbers, period).astype("datetime64[D]").astype(np.int64)
    if other == 1:
        return np.asarray(days)
    unit = "datetime64[M]" if other == 2 else "datetime64[Y]"
    return np.asarray(days.astype("datetime64[D]").astype(unit).astype(np.int64))


def starts(numbers: Ints, period: int) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """When periods of a kind begin, shape (periods,), as datetime64 in seconds."""
    unit = ("h", "D", "M", "Y")[period]
    return np.asarray(numbers.astype(f"datetime64[{unit}]").astype("datetime64[s]"))


def as_seconds(numbers: Ints, period: int) -> Floats:
    """When periods of a kind begin, in seconds since 1970; shape (periods,)."""
    return starts(numbers, period).astype(np.int64).astype(np.float64)
