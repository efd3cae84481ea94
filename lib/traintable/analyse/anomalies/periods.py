"""Periods that do not look like those before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from traintable.analyse.anomalies.cells import UNIT, Cells
from traintable.arrays import Floats, Ints

WINDOW = 28  # periods whose differences say what is usual
FEWEST = 14
LIKE = 4  # periods of the same place in the season that say what is expected
LIMIT = 6.0
FOLLOWS = 0.9  # of a column's variance lies between periods: it follows time, as the month does
MOST = 1e6  # z of what never differed before
LEAST_MEAN, LEAST_SHARE, LEAST_ROWS = 0.1, 0.02, 0.134  # smaller differences are no news however certain
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


def strange_periods(cells: Cells, counts: Ints) -> list[dict[str, Any]]:
    """Each period with its score, the largest distance of a statistic from what is usual, and what is strange of it.

    Statistics are the number of rows (its square root, for a steady variance: Anscombe, 1948), and of each column the
    share of missing values, the mean, and the share of each of its most frequent words and of all others. What is
    expected of a period is the median of the last four in the same place of the season (the same weekday of days, the
    same hour of hours; of longer periods the four before). Its difference from that is compared with the differences of
    up to 28 periods before it: z is the distance from their median, in units of the median absolute deviation scaled to
    a standard deviation (Iglewicz and Hoaglin, "How to detect and handle outliers", 1993), or of the standard error by
    sampling where that is larger. A difference that does not matter has z = 0: below a tenth of the distance of the
    quartiles, 2 points of a share, a quarter of the rows. A period is strange where a z is 6 or more; the first
    periods, with fewer than 14 differences before them, have no score. What only follows time, so that nine tenths of
    its variance lie between periods, is not compared, nor the number of rows of the last period, which may go on.

    `counts` are those of `Cells.counted` over all rows, shape (periods, cells).
    """
    series = list(_series(cells, counts))
    distances = np.stack([_distances(one, cells.grid.season) for one in series])
    return [_period(name, int(counts[t, 0]), series, distances[:, t]) for t, name in enumerate(cells.grid.names())]


def _period(name: str, n_rows: int, series: list[Series], distances: Floats) -> dict[str, Any]:
    sizes = np.abs(np.nan_to_num(distances))
    ranked = [i for i in np.argsort(-sizes, kind="stable").tolist() if sizes[i] >= LIMIT]
    columns = dict.fromkeys(series[i].column for i in ranked)
    return {
        "period": name,
        "rows": n_rows,
        "score": None if np.isnan(distances).all() else float(sizes.max()),
        "is_strange": bool(ranked),
        "columns": [column for column in columns if column is not None],
        "because": [
            {"column": series[i].column, "statistic": series[i].statistic, "z": float(distances[i])}
            for i in ranked[:MAX_REASONS]
        ],
    }


def _series(cells: Cells, counts: Ints) -> Iterator[Series]:
    n = counts[:, 0]
    rows = np.append(2 * np.sqrt(n[:-1] + 0.375), np.nan)
    yield Series(None, "rows", rows, np.ones(len(n)), LEAST_ROWS, is_relative=True)
    column = 1
    for code in cells.numbers:
        present, total = counts[:, column], counts[:, column + 1]
        yield _share(code.column, "missing", n - present, n)
        mean, spread = _divided(total / UNIT, present), cells.spread[code.column]
        if not _follows(mean, present, spread**2):
            yield Series(code.column, "mean", mean, _divided(np.full(len(n), spread), np.sqrt(present)), LEAST_MEAN)
        column += 2
    for name, words in cells.words.items():
        for i, word in enumerate(("missing", *(f"share of {word!r}" for word in words), "share of all others")):
            share, overall = _share(name, word, counts[:, column + i], n), counts[:, column + i].sum() / max(1, n.sum())
            if not _follows(share.values, n, overall * (1 - overall)):
                yield share
        column += 2 + len(words)


def _follows(values: Floats, n: Ints, variance: float) -> bool:
    """Whether periods tell nearly all that a column varies, as they tell the month or a running number."""
    there = n > 0
    if variance <= 0 or not there.any():
        return False
    centre = np.average(values[there], weights=n[there])
    return bool(np.average((values[there] - centre) ** 2, weights=n[there]) >= FOLLOWS * variance)


def _share(column: str, statistic: str, some: Ints, n: Ints) -> Series:
    """A share with its standard error, which two rows more on either side keep above 0 (Agresti and Coull, 1998)."""
    smooth = (some + 2) / (n + 4)
    return Series(
        column, statistic, _divided(some.astype(np.float64), n), np.sqrt(smooth * (1 - smooth) / (n + 4)), LEAST_SHARE
    )


def _divided(a: Floats, b: Ints | Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.full(len(a), np.nan), where=b > 0))


def _distances(series: Series, season: int) -> Floats:
    """Z of each period; 0 where the difference does not matter, NaN where too few are before it."""
    values = series.values
    differences, found = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for t, value in enumerate(values):
        like = values[[t - k * season for k in range(1, LIKE + 1) if t >= k * season]]
        like = like[~np.isnan(like)]
        if np.isnan(value) or len(like) < 2:
            continue
        expected = float(np.median(like))
        differences[t] = value - expected
        before = differences[max(0, t - WINDOW) : t]
        before = before[~np.isnan(before)]
        if len(before) >= FEWEST:
            least = series.least * (abs(expected) if series.is_relative else 1.0)
            found[t] = _distance(differences[t], before, series.errors[t], least)
    return found


def _distance(difference: float, before: Floats, error: float, least: float) -> float:
    centre = np.median(before)
    distance = difference - centre
    if abs(distance) < least:
        return 0.0
    scale = max(_TO_SIGMA * float(np.median(np.abs(before - centre))), error * np.sqrt(1 + 1 / LIKE))
    return float(distance / scale) if scale > 0 else float(np.sign(distance) * MOST)
