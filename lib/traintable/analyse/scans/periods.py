"""Rows by the periods that suit a column of times: hours, days, weeks, months or years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics.periods import PERIODS, Periods, as_seconds, coarser

MAX_POINTS = 400
DAY_SECONDS = 86400.0
_SECONDS = {
    "hour": 3600.0,
    "day": DAY_SECONDS,
    "week": 7 * DAY_SECONDS,
    "month": 30.4 * DAY_SECONDS,
    "year": 365.0 * DAY_SECONDS,
}
_MONDAY = 4  # 5 January 1970
_FEW_DAYS = 3


@dataclass(frozen=True)
class PeriodCounts:
    """Rows by period: its name, when each period that has rows starts (seconds), its number in order, its rows."""

    period: str
    starts: Floats
    numbers: Ints
    counts: Ints


def choose_periods(periods: Periods, least_seconds: float = DAY_SECONDS) -> PeriodCounts:
    """The finest periods of at least `least_seconds` with at most 400 that have rows; hours of up to three days."""
    kinds = [PERIODS[periods.period]] if periods.period > 1 else ["day", "week"]
    kinds += [kind for kind in PERIODS[2:] if kind not in kinds and PERIODS.index(kind) >= periods.period]
    if periods.period == 0 and (periods.numbers % 24).any() and len(_regroup(periods, "day").numbers) <= _FEW_DAYS:
        kinds.insert(0, "hour")
    for kind in kinds[:-1]:
        chosen = _regroup(periods, kind)
        if len(chosen.numbers) <= MAX_POINTS and (kind == "hour" or _SECONDS[kind] >= least_seconds):
            return chosen
    return _regroup(periods, kinds[-1])


def _regroup(periods: Periods, kind: str) -> PeriodCounts:
    """The rows by coarser periods."""
    if kind == "week":
        numbers = (coarser(periods.numbers, periods.period, 1) - _MONDAY) // 7
    else:
        numbers = coarser(periods.numbers, periods.period, PERIODS.index(kind))
    present, group = np.unique(numbers, return_inverse=True)
    counts = np.bincount(group, periods.counts, len(present)).astype(np.int64)
    return PeriodCounts(kind, start_seconds(kind, present).astype(np.float64), present, counts)


def start_seconds(kind: str, numbers: Ints) -> Ints | Floats:
    """When periods of these numbers begin, in seconds since 1970; weeks begin on Mondays."""
    if kind == "week":
        return np.asarray((numbers * 7 + _MONDAY) * DAY_SECONDS)
    return as_seconds(numbers, PERIODS.index(kind))


def iso_time(seconds: float, *, day_only: bool = False) -> str:
    """A time as ISO text in UTC; whole microseconds."""
    time = np.datetime64(round(seconds * 1e6), "us")
    if day_only:
        return str(time.astype("datetime64[D]"))
    return str(time.astype("datetime64[s]" if seconds == int(seconds) else "datetime64[us]"))
