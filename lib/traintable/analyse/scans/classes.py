"""The classes of a label, or that it has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traintable.analyse.scans.columns import NUMBER, TEXT, WORDS, AnalysedColumn
from traintable.arrays import Ints
from traintable.statistics import Coding, Statistics

MAX_CLASSES = 20  # of a label of more, the most frequent ones; a number of more values is continuous
OTHERS = "(all others)"


@dataclass(frozen=True)
class Classes:
    """The classes of a label in order, and the codes by which a scan counts them."""

    column: str
    names: tuple[str, ...]
    coding: Coding

    def rows(self, table: Ints) -> dict[str, Ints]:
        """Of a table by code of the label, the rows of each class that occurs."""
        names = (*self.names, OTHERS)
        return {names[i]: row for i, row in enumerate(table[1:]) if i < len(self.names) or row.any()}


def classes_of(label: AnalysedColumn, learned: Statistics) -> Classes | None:
    """The classes of a label; None where it is continuous, a time or nothing that can be compared."""
    if label.kind in (*WORDS, TEXT):
        words = sorted(word for word, _ in learned.frequencies[label.name].most_frequent(MAX_CLASSES)[0])
        return Classes(label.name, tuple(words), Coding.of_words(label.name, words))
    if label.kind != NUMBER:
        return None
    values = learned.values[label.name]
    starts = values.starts()
    if not values.is_exact or len(starts) > MAX_CLASSES or not np.array_equal(starts, np.rint(starts)):
        return None
    return Classes(label.name, tuple(f"{value:.0f}" for value in starts), Coding.of_ranges(label.name, starts))
