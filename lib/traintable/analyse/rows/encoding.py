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

from traintable.analyse.rows.reading import Read, Reading
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context
    from traintable.statistics import Statistics, Weighted

Matrix = NDArray[np.float32]
OUTSIDE = 1 / 512  # of the rows lie below, and above, those that 256 of them reach on average
LARGEST = 1e30  # of a feature, in which float32 has room


@dataclass(frozen=True)
class NumberCode:
    """A number in quartile distances from its median, which also stands for missing values.

    `is_flagged` where one more feature says whether it is missing; `low` and `high` are coded values between which all
    but one of some hundred rows lie.
    """

    column: str
    centre: float
    scale: float
    is_flagged: bool
    low: float = 0.0
    high: float = 0.0

    def values(self, values: Floats) -> Floats:
        """Coded values, NaN where missing."""
        with np.errstate(over="ignore", invalid="ignore"):
            moved = (values - self.centre) / self.scale
        return np.asarray(np.clip(moved, -LARGEST, LARGEST))


@dataclass(frozen=True)
class WordCode:
    """A category by how rare its word is: minus the logarithm of its share of the rows (its self-information)."""

    column: str
    rarity: Mapping[str, float]
    of_null: float
    of_unseen: float
    low: float = 0.0
    high: float = 0.0

    def values(self, words: pa.Array) -> Floats:
        """The rarity of each row's word."""
        coded = words.dictionary_encode()
        found = [self.rarity.get(word, self.of_unseen) for word in coded.dictionary.to_pylist()]
        codes = np.asarray(coded.indices.fill_null(len(found)))
        return np.asarray(np.array([*found, self.of_null])[codes])


@dataclass(frozen=True)
class Encoding:
    """How some columns become features, numbers first, each followed by its flag."""

    numbers: tuple[NumberCode, ...]
    words: tuple[WordCode, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return (*self.reading.numbers, *self.reading.words)

    @property
    def reading(self) -> Reading:
        """What is read of rows."""
        return Reading(tuple(code.column for code in self.numbers), tuple(code.column for code in self.words))

    @cached_property
    def owner(self) -> Ints:
        """The place in `columns` of the one that each feature is made of, shape (features,)."""
        places = [i for i, code in enumerate(self.numbers) for _ in range(1 + code.is_flagged)]
        return np.array([*places, *range(len(self.numbers), len(self.columns))], np.int64)

    def ranges(self) -> tuple[Floats, Floats]:
        """The values between which the features of nearly all rows lie, shape (features,) both."""
        found = []
        for code in self.numbers:
            found += [(code.low, code.high), (0.0, 1.0)][: 1 + code.is_flagged]
        found += [(code.low, code.high) for code in self.words]
        low, high = np.array(found).T
        return low, high

    def matrix(self, rows: Read) -> Matrix:
        """The features of rows, shape (rows, features)."""
        found: Matrix = np.zeros((len(rows), len(self.owner)), np.float32)
        place = 0
        for code in self.numbers:
            coded = code.values(rows.number(code.column))
            missing = np.isnan(coded)
            found[:, place] = np.where(missing, 0.0, coded)
            if code.is_flagged:
                found[:, place + 1] = missing
            place += 1 + code.is_flagged
        for rarity in self.words:
            found[:, place] = rarity.values(rows.word(rarity.column))
            place += 1
        return found


def encoding(context: Context) -> Encoding:
    """The encoding of the features; not of those that never differ, nor of texts that differ nearly always."""
    learned = context.statistics
    numbers = [_number(name, learned) for name in context.numbers]
    words = [_word(name, learned) for name in context.categories]
    return Encoding(tuple(code for code in numbers if code), tuple(code for code in words if code))


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


def _number(name: str, learned: Statistics) -> NumberCode | None:
    values = learned.values[name].weighted()
    missing = values.n < learned.n_rows
    if values.n == 0 or (len(values.values) == 1 and not missing):
        return None
    code = NumberCode(name, *centre_and_scale(values), is_flagged=missing)
    low, high = code.values(np.array([values.quantile(OUTSIDE), values.quantile(1 - OUTSIDE)])).tolist()
    return replace(code, low=low, high=high)


def _word(name: str, learned: Statistics) -> WordCode | None:
    known = learned.frequencies[name]
    n = learned.n_rows
    if known.too_many or 2 * len(known.counts) > n or len(known.counts) + (known.n_null > 0) < 2:
        return None
    rarity = {word: float(np.log(n / count)) for word, count in sorted(known.counts.items())}
    unseen = float(np.log(n + 1))
    of_null = float(np.log(n / known.n_null)) if known.n_null else unseen
    every = Counter(known.counts) + Counter({None: known.n_null})
    ranked = sorted((float(np.log(n / count)), count) for count in every.values())
    reached = np.cumsum([count for _, count in ranked]) / n
    low, high = (ranked[int(np.searchsorted(reached, share))][0] for share in (OUTSIDE, 1 - OUTSIDE))
    return WordCode(name, rarity, of_null, unseen, low, high)
