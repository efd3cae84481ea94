"""What is counted of the rows of each period: whole numbers that add up the same in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.anomalies.grid import Grid
from traintable.analyse.rows.encoding import NumberCode, centre_and_scale
from traintable.analyse.rows.reading import Read, Reading
from traintable.arrays import Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context
    from traintable.statistics import Statistics

TOP_WORDS = 8
FAR = 10.0  # quartile distances from the median at which a value is held when a mean is taken
UNIT = 2.0**20
_MAX_CELLS = 2**20


@dataclass(frozen=True)
class Cells:
    """How rows are counted: by period, and for each number how many values and their sum, for each category its words.

    A value is counted in quartile distances from the median, held within 10 of them, in units of 2**-20: sums of
    whole numbers do not depend on the order of rows, and one absurd value does not decide a mean.

    Attributes
    ----------
    words : category -> its most frequent words; null and all others are counted too.
    spread : number -> standard deviation of what is summed, in quartile distances.
    """

    grid: Grid
    numbers: tuple[NumberCode, ...]
    words: dict[str, tuple[str, ...]]
    spread: dict[str, float]

    @cached_property
    def width(self) -> int:
        """Cells of a period: one for its rows, two a number, and two a category beside its words."""
        return 1 + 2 * len(self.numbers) + sum(2 + len(words) for words in self.words.values())

    @property
    def reading(self) -> Reading:
        """What is read of rows, beside their period."""
        return Reading(tuple(code.column for code in self.numbers), tuple(self.words))

    def counted(self, when: pa.Array, rows: Read) -> Ints:
        """The cells of some rows, shape (periods, width)."""
        found: Ints = np.zeros((self.grid.n, self.width), np.int64)
        places = self.grid.places(when)
        inside = places >= 0
        places = places[inside]
        found[:, 0] = np.bincount(places, minlength=self.grid.n)
        column = 1
        for code in self.numbers:
            coded = code.values(rows.number(code.column)[inside])
            present = ~np.isnan(coded)
            units = np.rint(np.clip(coded[present], -FAR, FAR) * UNIT)
            found[:, column] = np.bincount(places[present], minlength=self.grid.n)
            found[:, column + 1] = np.bincount(places[present], units, minlength=self.grid.n)
            column += 2
        for name, known in self.words.items():
            size = 2 + len(known)
            codes = _codes(rows.word(name), known)[inside]
            counts = np.bincount(places * size + codes, minlength=self.grid.n * size)
            found[:, column : column + size] = counts.reshape(self.grid.n, size)
            column += size
        return found


def cells(context: Context, grid: Grid) -> Cells:
    """What is counted of the features that vary, by period; of too many, the first that there is room for."""
    learned = context.statistics
    room = _MAX_CELLS // grid.n - 1
    numbers = []
    for name in context.numbers:
        values = learned.values[name].weighted()
        varies = len(values.values) > 1 or 0 < values.n < learned.n_rows
        if varies and room >= 2:
            numbers.append(NumberCode(name, *centre_and_scale(values), is_flagged=False))
            room -= 2
    words = {}
    for name in context.categories:
        known = learned.frequencies[name]
        top = tuple(word for word, n in known.most_frequent(TOP_WORDS)[0] if n > 0)
        varies = len(top) + (known.n_null > 0) > 1 and name != context.partition
        if varies and room >= len(top) + 2:
            words[name] = top
            room -= len(top) + 2
    return Cells(grid, tuple(numbers), words, {code.column: _spread(code, learned) for code in numbers})


def _spread(code: NumberCode, learned: Statistics) -> float:
    values = learned.values[code.column].weighted()
    held = np.clip(code.values(values.values), -FAR, FAR)
    if not values.n:
        return 0.0
    mean = np.dot(held, values.counts) / values.n
    return float(np.sqrt(np.dot((held - mean) ** 2, values.counts) / values.n))


def _codes(texts: pa.Array, known: Sequence[str]) -> Ints:
    """0 for null, then the words, then all others."""
    coded = texts.dictionary_encode()
    place_of = {word: i + 1 for i, word in enumerate(known)}
    found = [place_of.get(word, len(known) + 1) for word in coded.dictionary.to_pylist()]
    return np.asarray(np.array([*found, 0], np.int64)[np.asarray(coded.indices.fill_null(len(found)))])
