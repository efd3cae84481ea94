"""Columns as numbers that an isolation forest can cut, by what a first scan knows of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from traintable.analyse.rows.inputs import InputColumns, InputRows, map_categories
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext
    from traintable.statistics import Statistics, Weighted

Matrix = NDArray[np.float32]
OUTSIDE = 1 / 512  # of the rows lie below, and above, those that 256 of them reach on average
LARGEST = 1e30  # of a feature, in which float32 has room


@dataclass(frozen=True)
class NumberEncoder:
    """A number in quartile distances from its median, which also stands for missing values.

    `is_flagged` where another feature says whether it is missing; `low` and `high` are encoded values between which all
    but one of some hundred rows lie.
    """

    column: str
    centre: float
    scale: float
    is_flagged: bool
    low: float = 0.0
    high: float = 0.0

    def transform(self, values: Floats) -> Floats:
        """Encoded values, NaN where missing."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (values - self.centre) / self.scale
        return np.asarray(np.clip(scaled, -LARGEST, LARGEST))


@dataclass(frozen=True)
class RarityEncoder:
    """A category by how rare its value is: minus the logarithm of its share of the rows (its self-information)."""

    column: str
    rarity: Mapping[str, float]
    null_rarity: float
    unseen_rarity: float
    low: float = 0.0
    high: float = 0.0

    def transform(self, values: pa.Array) -> Floats:
        """The rarity of each row's value."""
        return np.asarray(map_categories(values, self.rarity, other=self.unseen_rarity, null=self.null_rarity))


@dataclass(frozen=True)
class FeatureEncoder:
    """How some columns become features: numbers first, each followed by its flag, then categories."""

    numbers: tuple[NumberEncoder, ...]
    categories: tuple[RarityEncoder, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return (*self.inputs.numbers, *self.inputs.categories)

    @property
    def inputs(self) -> InputColumns:
        """What is read of rows."""
        return InputColumns(
            tuple(encoder.column for encoder in self.numbers), tuple(encoder.column for encoder in self.categories)
        )

    @cached_property
    def column_of_feature(self) -> Ints:
        """The place in `columns` of the one that each feature is made of, shape (features,)."""
        places = [i for i, encoder in enumerate(self.numbers) for _ in range(1 + encoder.is_flagged)]
        return np.array([*places, *range(len(self.numbers), len(self.columns))], np.int64)

    def ranges(self) -> tuple[Floats, Floats]:
        """The values between which the features of nearly all rows lie, shape (features,) both."""
        ends = []
        for encoder in self.numbers:
            ends += [(encoder.low, encoder.high), (0.0, 1.0)][: 1 + encoder.is_flagged]
        ends += [(encoder.low, encoder.high) for encoder in self.categories]
        low, high = np.array(ends).T
        return low, high

    def transform(self, rows: InputRows) -> Matrix:
        """The features of rows, shape (rows, features)."""
        matrix: Matrix = np.zeros((len(rows), len(self.column_of_feature)), np.float32)
        place = 0
        for number in self.numbers:
            encoded = number.transform(rows.number(number.column))
            is_missing = np.isnan(encoded)
            matrix[:, place] = np.where(is_missing, 0.0, encoded)
            if number.is_flagged:
                matrix[:, place + 1] = is_missing
            place += 1 + number.is_flagged
        for category in self.categories:
            matrix[:, place] = category.transform(rows.category(category.column))
            place += 1
        return matrix


def fit_encoder(context: AnalysisContext) -> FeatureEncoder:
    """The encoder of the features; not of those that never differ, nor of texts that differ nearly always."""
    numbers = [_fit_number(name, context.statistics) for name in context.numbers]
    categories = [_fit_rarity(name, context.statistics) for name in context.categories]
    return FeatureEncoder(
        tuple(number for number in numbers if number), tuple(category for category in categories if category)
    )


def centre_and_scale(values: Weighted) -> tuple[float, float]:
    """The median, and the distance of the quartiles; where that is 0 the standard deviation; 1 for a constant."""
    low, centre, high = (values.quantile(q) for q in (0.25, 0.5, 0.75))
    with np.errstate(over="ignore"):
        scales = (
            (high / 2 - low / 2) * 2,
            np.sqrt(values.variance()),
            abs(float(values.values[-1] / 2 - values.values[0] / 2)),
        )
    scale = next((float(s) for s in scales if s > 0 and np.isfinite(s)), 1.0)
    return centre, scale


def _fit_number(name: str, statistics: Statistics) -> NumberEncoder | None:
    """The encoder of a number; None where it has no value, or one value and none missing."""
    values = statistics.values[name].weighted()
    has_missing = values.n < statistics.n_rows
    if values.n == 0 or (len(values.values) == 1 and not has_missing):
        return None
    encoder = NumberEncoder(name, *centre_and_scale(values), is_flagged=has_missing)
    ends = np.array([values.quantile(OUTSIDE), values.quantile(1 - OUTSIDE)])
    low, high = encoder.transform(ends).tolist()
    return replace(encoder, low=low, high=high)


def _fit_rarity(name: str, statistics: Statistics) -> RarityEncoder | None:
    """The encoder of a category; None where it has one value, or so many that most occur once.

    Null is a value here. A value that no row had is as rare as one of n + 1 rows. `low` and `high` are the rarities of
    the commonest values that make up the share `OUTSIDE` of the rows, and of the rarest ones.
    """
    frequencies, n = statistics.frequencies[name], statistics.n_rows
    n_null, n_distinct = frequencies.n_null, len(frequencies.counts)
    if frequencies.too_many or 2 * n_distinct > n or n_distinct + (n_null > 0) < 2:
        return None
    rarity = {value: float(np.log(n / count)) for value, count in sorted(frequencies.counts.items())}
    unseen = float(np.log(n + 1))
    null = float(np.log(n / n_null)) if n_null else unseen
    with_null = Counter(frequencies.counts) + Counter({None: n_null})
    by_rarity = sorted((float(np.log(n / count)), count) for count in with_null.values())
    cumulative = np.cumsum([count for _, count in by_rarity]) / n
    low, high = (by_rarity[int(np.searchsorted(cumulative, share))][0] for share in (OUTSIDE, 1 - OUTSIDE))
    return RarityEncoder(name, rarity, null, unseen, low, high)
