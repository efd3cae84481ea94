"""Periods that do not look like those before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from traintable.analyse.anomalies.period_counts import UNIT, PeriodCounter
from traintable.analyse.document import Period
from traintable.arrays import Floats, Ints

WINDOW = 28  # periods whose differences say what is usual
FEWEST = 14
N_COMPARABLE = 4  # periods of the same place in the season that say what is expected
LIMIT = 6.0
FOLLOWS_TIME = 0.9  # of a column's variance lies between periods, as that of the month does
MOST = 1e6  # z of what never differed before
LEAST_MEAN, LEAST_SHARE, LEAST_ROWS = 0.1, 0.02, 0.134  # smaller differences do not matter, however certain
MAX_REASONS = 5
_TO_SIGMA = 1.4826  # of a median absolute deviation, for a normal distribution


@dataclass(frozen=True)
class Series:
    """One statistic of one column, or of the rows as a whole, by period.

    Attributes
    ----------
    values : shape (periods,), NaN where there is nothing to compute it of.
    errors : shape (periods,); the standard error of each by sampling alone.
    least : the smallest difference that matters, or the share of what is expected where it `is_relative`.
    """

    column: str | None
    statistic: str
    values: Floats
    errors: Floats
    least: float
    is_relative: bool = False


def score_periods(counter: PeriodCounter, counts: Ints) -> list[Period]:
    """Score each period by the largest distance of a statistic from what is usual.

    Statistics are the number of rows (its square root, for a steady variance: Anscombe, 1948), and of each column the
    share of missing values, the mean, and the share of each of its most frequent values and of all others. What is
    expected of a period is the median of the last four in the same place of the season (the same weekday of days, the
    same hour of hours; of longer periods the four before). Its difference from that is compared with the differences of
    up to 28 periods before it: z is the distance from their median, in units of the median absolute deviation scaled to
    a standard deviation (Iglewicz and Hoaglin, "How to detect and handle outliers", 1993), or of the standard error by
    sampling where that is larger. A difference that does not matter has z = 0: below a tenth of the distance of the
    quartiles, 2 points of a share, a quarter of the rows. A period is strange where a z is 6 or more; the first
    periods, with fewer than 14 differences before them, have no score. What only follows time, so that nine tenths of
    its variance lie between periods, is not compared, nor the number of rows of the last period, which may go on.

    `counts` are those of `PeriodCounter.count` over all rows, shape (periods, width).
    """
    all_series = list(_all_series(counter, counts))
    distances = np.stack([_distances(series, counter.grid.season) for series in all_series])
    names = counter.grid.names()
    return [_period(name, int(counts[t, 0]), all_series, distances[:, t]) for t, name in enumerate(names)]


def _period(name: str, n_rows: int, all_series: list[Series], distances: Floats) -> Period:
    """A period with the statistics that are far from what is usual, the farthest first."""
    sizes = np.abs(np.nan_to_num(distances))
    ranked = [i for i in np.argsort(-sizes, kind="stable").tolist() if sizes[i] >= LIMIT]
    columns = dict.fromkeys(all_series[i].column for i in ranked)
    return {
        "period": name,
        "rows": n_rows,
        "score": None if np.isnan(distances).all() else float(sizes.max()),
        "is_strange": bool(ranked),
        "columns": [column for column in columns if column is not None],
        "because": [
            {"column": all_series[i].column, "statistic": all_series[i].statistic, "z": float(distances[i])}
            for i in ranked[:MAX_REASONS]
        ],
    }


def _all_series(counter: PeriodCounter, counts: Ints) -> Iterator[Series]:
    """The statistics that are compared, from the counts in the order in which `PeriodCounter.count` has them."""
    n_rows = counts[:, 0]
    root = np.append(2 * np.sqrt(n_rows[:-1] + 0.375), np.nan)
    yield Series(None, "rows", root, np.ones(len(n_rows)), LEAST_ROWS, is_relative=True)
    first = 1
    for number in counter.numbers:
        yield from _number_series(number.column, counter.spread[number.column], counts[:, first : first + 2], n_rows)
        first += 2
    for column, frequent in counter.categories.items():
        width = 2 + len(frequent)
        yield from _category_series(column, frequent, counts[:, first : first + width], n_rows)
        first += width


def _number_series(column: str, spread: float, counts: Ints, n_rows: Ints) -> Iterator[Series]:
    """The share of missing values of a number, and its mean in quartile distances."""
    present, total = counts.T
    yield _share_series(column, "missing", n_rows - present, n_rows)
    mean = _divide(total / UNIT, present)
    if not _follows_time(mean, present, spread**2):
        errors = _divide(np.full(len(n_rows), spread), np.sqrt(present))
        yield Series(column, "mean", mean, errors, LEAST_MEAN)


def _category_series(column: str, frequent: tuple[str, ...], counts: Ints, n_rows: Ints) -> Iterator[Series]:
    """The share of missing values of a category, of each of its frequent values, and of all others."""
    statistics = ("missing", *(f"share of {value!r}" for value in frequent), "share of all others")
    for statistic, n in zip(statistics, counts.T, strict=True):
        series, overall = _share_series(column, statistic, n, n_rows), n.sum() / max(1, n_rows.sum())
        if not _follows_time(series.values, n_rows, overall * (1 - overall)):
            yield series


def _follows_time(values: Floats, n: Ints, variance: float) -> bool:
    """Whether nearly all the variance of a column lies between periods, as that of a month or a running number does."""
    occurs = n > 0
    if variance <= 0 or not occurs.any():
        return False
    centre = np.average(values[occurs], weights=n[occurs])
    return bool(np.average((values[occurs] - centre) ** 2, weights=n[occurs]) >= FOLLOWS_TIME * variance)


def _share_series(column: str, statistic: str, n: Ints, n_rows: Ints) -> Series:
    """A share with its standard error, which two more rows on either side keep above 0 (Agresti and Coull, 1998)."""
    smooth = (n + 2) / (n_rows + 4)
    errors = np.sqrt(smooth * (1 - smooth) / (n_rows + 4))
    return Series(column, statistic, _divide(n.astype(np.float64), n_rows), errors, LEAST_SHARE)


def _divide(a: Floats, b: Ints | Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.full(len(a), np.nan), where=b > 0))


def _distances(series: Series, season: int) -> Floats:
    """Z of each period; 0 where the difference does not matter, NaN where too few are before it."""
    values = series.values
    differences, z = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for t, value in enumerate(values):
        comparable = _present(values[[t - k * season for k in range(1, N_COMPARABLE + 1) if t >= k * season]])
        if np.isnan(value) or len(comparable) < 2:
            continue
        expected = float(np.median(comparable))
        differences[t] = value - expected
        earlier = _present(differences[max(0, t - WINDOW) : t])
        if len(earlier) >= FEWEST:
            least = series.least * (abs(expected) if series.is_relative else 1.0)
            z[t] = _robust_z(differences[t], earlier, series.errors[t], least)
    return z


def _present(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _robust_z(difference: float, earlier: Floats, error: float, least: float) -> float:
    """The distance of a difference from the median of earlier ones, in standard deviations; 0 where below `least`."""
    centre = np.median(earlier)
    distance = difference - centre
    if abs(distance) < least:
        return 0.0
    deviation = _TO_SIGMA * float(np.median(np.abs(earlier - centre)))
    scale = max(deviation, error * np.sqrt(1 + 1 / N_COMPARABLE))
    return float(distance / scale) if scale > 0 else float(np.sign(distance) * MOST)
