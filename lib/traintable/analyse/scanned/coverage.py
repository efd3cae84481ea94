"""What stretch of time the rows cover, where it has gaps, and how a week looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics import Weighted
from traintable.statistics.periods import PERIODS, Periods, as_seconds, coarser

MAX_POINTS = 400
MAX_GAPS = 50
USUAL = 0.9  # a gap is a distance above this quantile of all distances between periods that have rows
_DAY = 86400.0
_SECONDS = {"hour": 3600.0, "day": _DAY, "week": 7 * _DAY, "month": 30.4 * _DAY, "year": 365.0 * _DAY}
_MONDAY = 4  # 5 January 1970
_FEW_DAYS = 3


@dataclass(frozen=True)
class Shown:
    """Rows by period: its name, when each period that has rows starts (seconds), its number in order, its rows."""

    period: str
    starts: Floats
    places: Ints
    counts: Ints


def shown_periods(periods: Periods, least_seconds: float = _DAY) -> Shown:
    """The finest periods of at least `least_seconds` with at most 400 that have rows; hours of up to three days."""
    kinds = [PERIODS[periods.period]] if periods.period > 1 else ["day", "week"]
    kinds += [kind for kind in PERIODS[2:] if kind not in kinds and PERIODS.index(kind) >= periods.period]
    if periods.period == 0 and (periods.numbers % 24).any() and len(_regrouped(periods, "day").places) <= _FEW_DAYS:
        kinds.insert(0, "hour")
    for kind in kinds:
        found = _regrouped(periods, kind)
        if kind == kinds[-1] or (
            len(found.places) <= MAX_POINTS and (kind == "hour" or _SECONDS[kind] >= least_seconds)
        ):
            break
    return found


def _regrouped(periods: Periods, kind: str) -> Shown:
    """The rows by coarser periods."""
    if kind == "week":
        days = coarser(periods.numbers, periods.period, 1)
        places = (days - _MONDAY) // 7
        starts = (places * 7 + _MONDAY) * _DAY
    else:
        places = coarser(periods.numbers, periods.period, PERIODS.index(kind))
        starts = as_seconds(places, PERIODS.index(kind))
    found, first, place = np.unique(places, return_index=True, return_inverse=True)
    counts = np.bincount(place, periods.counts, len(found)).astype(np.int64)
    return Shown(kind, starts[first].astype(np.float64), found, counts)


def iso(seconds: float, *, day_only: bool = False) -> str:
    """A time as ISO text in UTC; whole microseconds."""
    moment = np.datetime64(round(seconds * 1e6), "us")
    if day_only:
        return str(moment.astype("datetime64[D]"))
    return str(moment.astype("datetime64[s]" if seconds == int(seconds) else "datetime64[us]"))


def step_seconds(values: Weighted) -> float | None:
    """The median distance between different values that follow each other; None where they are not all known."""
    if not values.is_exact or len(values.values) < 2:
        return None
    return float(np.median(np.diff(values.values)))


def describe(periods: Periods, values: Weighted, *, day_only: bool) -> dict[str, Any] | None:
    """Coverage of a column of times, or of days; None without one."""
    if not len(periods.numbers):
        return None
    step = step_seconds(values)
    shown = shown_periods(periods)
    spaced = shown_periods(periods, step or _DAY)
    return {
        "first": iso(float(values.values[0]), day_only=day_only),
        "last": iso(float(values.values[-1]), day_only=day_only),
        "step_seconds": step,
        "period": shown.period,
        "days": points(shown.period, shown.starts, shown.counts),
        "gaps": gaps(spaced),
        "gap_period": spaced.period,
        "hour_of_week": periods.hour_of_week.tolist(),
        "beyond_calendar": periods.n_outside,
    }


def points(period: str, starts: Floats, counts: Ints) -> list[list[Any]]:
    """Pairs of a period's start and its rows, of those that have any."""
    pairs = zip(starts.tolist(), counts.tolist(), strict=True)
    return [[iso(start, day_only=period != "hour"), n] for start, n in pairs if n]


def gaps(shown: Shown) -> list[list[Any]]:
    """The largest unusual stretches without rows: first and last empty period as ISO text, and how many there are.

    A distance that nine of ten distances do not exceed is usual: weekends of a business week are no gaps.
    """
    distances = np.diff(shown.places)
    if not len(distances):
        return []
    usual = int(np.quantile(distances, USUAL, method="lower"))
    found = np.flatnonzero(distances > max(usual, 1))
    largest = sorted(found[np.argsort(-distances[found], kind="stable")][:MAX_GAPS].tolist())
    return [[*_empty_between(shown, i), int(distances[i]) - 1] for i in largest]


def _empty_between(shown: Shown, i: int) -> tuple[str, str]:
    """When the first and the last period begin that follow the i-th without rows."""
    first, last = int(shown.places[i]) + 1, int(shown.places[i + 1]) - 1
    places = np.array([first, last], np.int64)
    if shown.period == "week":
        starts = (places * 7 + _MONDAY) * _DAY
    else:
        starts = as_seconds(places, PERIODS.index(shown.period))
    day_only = shown.period != "hour"
    return iso(float(starts[0]), day_only=day_only), iso(float(starts[1]), day_only=day_only)


def seasons(coverage: Mapping[str, Any]) -> list[str]:
    """Sentences on days of the week and hours of the day that have clearly more rows than others."""
    hours: Ints = np.array(coverage["hour_of_week"], np.int64).reshape(7, 24)
    n, found = int(hours.sum()), []
    by_day, by_hour = hours.sum(axis=1), hours.sum(axis=0)
    if coverage["period"] in ("day", "week") and len(coverage["days"]) >= 14 and by_day.min() < 0.75 * by_day.mean():
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        low, high = int(by_day.argmin()), int(by_day.argmax())
        found.append(
            f"{names[low]} has {by_day[low] / n:.1%} of the rows and {names[high]} {by_day[high] / n:.1%}; "
            f"an even week has {1 / 7:.1%} a day."
        )
    if np.count_nonzero(by_hour) > 1 and by_hour.max() > 2 * n / 24:
        busiest = np.sort(np.argsort(-by_hour, kind="stable")[:8])
        found.append(f"The eight busiest hours of the day (UTC) have {by_hour[busiest].sum() / n:.1%} of the rows.")
    return found
