"""What stretch of time the rows cover, where it has gaps, and how a week looks."""

from __future__ import annotations

import numpy as np

from traintable.analyse.document import Coverage
from traintable.analyse.json_values import finite
from traintable.analyse.scans.periods import DAY_SECONDS, PeriodCounts, choose_periods, iso_time, start_seconds
from traintable.arrays import Floats, Ints
from traintable.statistics import Weighted
from traintable.statistics.periods import Periods

MAX_GAPS = 50
USUAL = 0.9  # a gap is a distance above this quantile of all distances between periods that have rows
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def step_seconds(values: Weighted) -> float | None:
    """The median distance between different values that follow each other; None where they are not all known."""
    if not values.is_exact or len(values.values) < 2:
        return None
    return finite(float(np.median(np.diff(values.values))))


def describe_coverage(periods: Periods, values: Weighted, *, day_only: bool) -> Coverage | None:
    """Coverage of a column of times, or of days; None without one."""
    if not len(periods.numbers):
        return None
    step = step_seconds(values)
    shown = choose_periods(periods)
    spaced = choose_periods(periods, step or DAY_SECONDS)
    return {
        "first": iso_time(float(values.values[0]), day_only=day_only),
        "last": iso_time(float(values.values[-1]), day_only=day_only),
        "step_seconds": step,
        "period": shown.period,
        "days": dated_counts(shown.period, shown.starts, shown.counts),
        "gaps": find_gaps(spaced),
        "gap_period": spaced.period,
        "hour_of_week": periods.hour_of_week.tolist(),
        "beyond_calendar": periods.n_outside,
    }


def dated_counts(period: str, starts: Floats, counts: Ints) -> list[tuple[str, int]]:
    """Pairs of a period's start and its rows, of those that have any."""
    pairs = zip(starts.tolist(), counts.tolist(), strict=True)
    return [(iso_time(start, day_only=period != "hour"), n) for start, n in pairs if n]


def find_gaps(counts: PeriodCounts) -> list[tuple[str, str, int]]:
    """The largest unusual stretches without rows: first and last empty period as ISO text, and how many there are.

    A distance that nine of ten distances do not exceed is usual: weekends of a business week are no gaps.
    """
    distances = np.diff(counts.numbers)
    if not len(distances):
        return []
    usual = int(np.quantile(distances, USUAL, method="lower"))
    unusual = np.flatnonzero(distances > max(usual, 1))
    largest = sorted(unusual[np.argsort(-distances[unusual], kind="stable")][:MAX_GAPS].tolist())
    return [(*_empty_between(counts, i), int(distances[i]) - 1) for i in largest]


def _empty_between(counts: PeriodCounts, i: int) -> tuple[str, str]:
    """When the first and the last period begin that follow the i-th without rows."""
    ends = np.array([counts.numbers[i] + 1, counts.numbers[i + 1] - 1], np.int64)
    first, last = start_seconds(counts.period, ends).tolist()
    day_only = counts.period != "hour"
    return iso_time(float(first), day_only=day_only), iso_time(float(last), day_only=day_only)


def describe_seasons(coverage: Coverage) -> list[str]:
    """Sentences on days of the week and hours of the day that have clearly more rows than others."""
    hours: Ints = np.array(coverage["hour_of_week"], np.int64).reshape(7, 24)
    n, sentences = int(hours.sum()), []
    by_day, by_hour = hours.sum(axis=1), hours.sum(axis=0)
    if coverage["period"] in ("day", "week") and len(coverage["days"]) >= 14 and by_day.min() < 0.75 * by_day.mean():
        low, high = int(by_day.argmin()), int(by_day.argmax())
        sentences.append(
            f"{_WEEKDAYS[low]} has {by_day[low] / n:.1%} of the rows and {_WEEKDAYS[high]} {by_day[high] / n:.1%}; "
            f"in an even week each day has {1 / 7:.1%}."
        )
    if np.count_nonzero(by_hour) > 1 and by_hour.max() > 2 * n / 24:
        busiest = np.sort(np.argsort(-by_hour, kind="stable")[:8])
        share = by_hour[busiest].sum() / n
        sentences.append(f"The eight busiest hours of the day (UTC) have {share:.1%} of the rows.")
    return sentences
