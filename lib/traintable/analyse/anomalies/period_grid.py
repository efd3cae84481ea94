"""The periods by which a table's rows are compared: of time, or the ascending values of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.rows.inputs import map_categories
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

MAX_PERIODS = 400
_ROWS_PER_PERIOD = 50
_SEASONS = {"hour": 24, "day": 7, "week": 1, "month": 1, "year": 1, "value": 1}
_ENDS = (0.0, 0.005, 0.995, 1.0)
_UNITS = {"month": "datetime64[M]", "year": "datetime64[Y]"}
_LONGEST = 9e10  # seconds: times beyond the years -882 to 4822 belong to no period
_THURSDAY = 3  # 1 January 1970, where weeks start on Monday


@dataclass(frozen=True)
class PeriodGrid:
    """Consecutive periods.

    Attributes
    ----------
    kind : "hour", "day", "week" (from Monday), "month", "year", all in UTC, or "value" of a column.
    first, n : the number of the first period since 1970, and how many there are.
    values : the values themselves, ascending, where periods are values.
    """

    kind: str
    first: int
    n: int
    values: tuple[str, ...] = ()

    @property
    def season(self) -> int:
        """After how many periods the same weekday, or the same hour, comes again."""
        return _SEASONS[self.kind]

    def places(self, column: pa.Array) -> Ints:
        """The place of each row's period, shape (rows,); -1 where it has none."""
        if self.kind == "value":
            place_of = {value: i for i, value in enumerate(self.values)}
            return np.asarray(map_categories(column, place_of, other=-1, null=-1), np.int64)
        seconds = column.to_numpy(zero_copy_only=False)
        inside = np.abs(seconds) < _LONGEST  # false for NaN
        places = period_numbers(np.where(inside, seconds, 0.0), self.kind) - self.first
        return np.where(inside & (places >= 0) & (places < self.n), places, -1)

    def names(self) -> list[str]:
        """The start of each period as ISO text, or its value."""
        if self.kind == "value":
            return list(self.values)
        places = np.arange(self.first, self.first + self.n)
        if self.kind in _UNITS:
            return [str(start) for start in places.astype(_UNITS[self.kind]).astype("datetime64[D]")]
        if self.kind == "week":
            return [str(start) for start in (places * 7 - _THURSDAY).astype("datetime64[D]")]
        unit = "datetime64[h]" if self.kind == "hour" else "datetime64[D]"
        return [f"{start}:00" if self.kind == "hour" else str(start) for start in places.astype(unit)]


def period_grid(context: AnalysisContext) -> PeriodGrid | None:
    """The periods of a table: its partitions, or the finest of its time that are at most 400, of 50 rows on average.

    None where there is neither time nor partition, or no value.
    """
    if context.partition is not None:
        values = sorted(context.statistics.frequencies[context.partition].counts)[-MAX_PERIODS:]
        return PeriodGrid("value", 0, len(values), tuple(values)) if values else None
    if context.time is None:
        return None
    times = context.statistics.values[context.time].weighted()
    return _finest(np.clip([times.quantile(q) for q in _ENDS], -_LONGEST, _LONGEST), times.n) if times.n else None


def _finest(ends: Floats, n_rows: int) -> PeriodGrid:
    """The grid of times whose quantiles at `_ENDS` are `ends`.

    Single times far from all others do not make the periods longer: where they don't fit in, they have none.
    """
    most = max(1, min(MAX_PERIODS, n_rows // _ROWS_PER_PERIOD))
    for kind in ("hour", "day", "week", "month", "year"):
        least, first, last, greatest = period_numbers(ends, kind).tolist()
        if last - first < most:
            break
    if greatest - least < MAX_PERIODS:
        first, last = least, greatest
    first = max(first, last - MAX_PERIODS + 1)
    return PeriodGrid(kind, first, last - first + 1)


def period_numbers(seconds: Floats, kind: str) -> Ints:
    """The number of the period that each time falls into, counted from that of 1970-01-01."""
    hours = np.floor(seconds / 3600).astype(np.int64)
    if kind == "hour":
        return hours
    days = hours // 24
    if kind == "day":
        return np.asarray(days)
    if kind == "week":
        return np.asarray((days + _THURSDAY) // 7)
    return np.asarray(days.astype("datetime64[D]").astype(_UNITS[kind]).astype(np.int64))
