"""What is counted of the rows of each period: whole numbers that add up the same in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.anomalies.period_grid import PeriodGrid
from traintable.analyse.rows.feature_encoding import NumberEncoder, centre_and_scale
from traintable.analyse.rows.inputs import InputColumns, InputRows, map_categories
from traintable.arrays import Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext
    from traintable.statistics import Statistics

TOP_VALUES = 8
FAR = 10.0  # quartile distances from the median at which a value is held when a mean is taken
UNIT = 2.0**20
_MAX_CELLS = 2**20


@dataclass(frozen=True)
class PeriodCounter:
    """Counts rows by period, the values of each number and their sum, and the frequent values of each category.

    A value is counted in quartile distances from the median, held within 10 of them, in units of 2**-20: sums of
    whole numbers do not depend on the order of rows, and one absurd value does not decide a mean.

    Attributes
    ----------
    categories : category -> its most frequent values; null and all others are counted too.
    spread : number -> standard deviation of what is summed, in quartile distances.
    """

    grid: PeriodGrid
    numbers: tuple[NumberEncoder, ...]
    categories: dict[str, tuple[str, ...]]
    spread: dict[str, float]

    @cached_property
    def width(self) -> int:
        """Counts of a period: one of its rows, two a number, and two a category besides its frequent values."""
        return 1 + 2 * len(self.numbers) + sum(2 + len(frequent) for frequent in self.categories.values())

    @property
    def inputs(self) -> InputColumns:
        """What is read of rows, besides their period."""
        return InputColumns(tuple(number.column for number in self.numbers), tuple(self.categories))

    def count(self, when: pa.Array, rows: InputRows) -> Ints:
        """The counts of some rows, shape (periods, width).

        By column: rows; for each number how many values there are and their sum in units; for each category how many
        rows have null, each of its frequent values in turn, and any other value.
        """
        n_periods = self.grid.n
        counts: Ints = np.zeros((n_periods, self.width), np.int64)
        periods = self.grid.places(when)
        inside = periods >= 0
        periods = periods[inside]
        counts[:, 0] = np.bincount(periods, minlength=n_periods)
        column = 1
        for number in self.numbers:
            encoded = number.transform(rows.number(number.column)[inside])
            present = ~np.isnan(encoded)
            units = np.rint(np.clip(encoded[present], -FAR, FAR) * UNIT)
            counts[:, column] = np.bincount(periods[present], minlength=n_periods)
            counts[:, column + 1] = np.bincount(periods[present], units, minlength=n_periods)
            column += 2
        for name, frequent in self.categories.items():
            size = 2 + len(frequent)
            codes = _codes(rows.category(name), frequent)[inside]
            by_value = np.bincount(periods * size + codes, minlength=n_periods * size)
            counts[:, column : column + size] = by_value.reshape(n_periods, size)
            column += size
        return counts


def period_counter(context: AnalysisContext, grid: PeriodGrid) -> PeriodCounter:
    """A counter of the features that vary; of too many features, of the first that there is room for."""
    statistics = context.statistics
    room = _MAX_CELLS // grid.n - 1
    numbers = []
    for name in context.numbers:
        values = statistics.values[name].weighted()
        varies = len(values.values) > 1 or 0 < values.n < statistics.n_rows
        if varies and room >= 2:
            numbers.append(NumberEncoder(name, *centre_and_scale(values), is_flagged=False))
            room -= 2
    categories = {}
    for name in context.categories:
        frequencies = statistics.frequencies[name]
        frequent = tuple(value for value, n in frequencies.most_frequent(TOP_VALUES)[0] if n > 0)
        varies = len(frequent) + (frequencies.n_null > 0) > 1 and name != context.partition
        if varies and room >= len(frequent) + 2:
            categories[name] = frequent
            room -= len(frequent) + 2
    spread = {number.column: _spread(number, statistics) for number in numbers}
    return PeriodCounter(grid, tuple(numbers), categories, spread)


def _spread(number: NumberEncoder, statistics: Statistics) -> float:
    """The standard deviation of a column's encoded values, held within `FAR`."""
    values = statistics.values[number.column].weighted()
    if not values.n:
        return 0.0
    encoded = np.clip(number.transform(values.values), -FAR, FAR)
    mean = np.dot(encoded, values.counts) / values.n
    return float(np.sqrt(np.dot((encoded - mean) ** 2, values.counts) / values.n))


def _codes(values: pa.Array, frequent: Sequence[str]) -> Ints:
    """0 for null, then the frequent values, then all others."""
    place_of = {value: i + 1 for i, value in enumerate(frequent)}
    return np.asarray(map_categories(values, place_of, other=len(frequent) + 1, null=0), np.int64)
