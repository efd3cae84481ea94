"""What the guards know of single columns: counts of their values by split and class, learned in two passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.columns import SPLIT, SPLITS, TRAIN
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.statistics import Statistics, Wanted, scan
from traintable.statistics.values import Values, decode

MAX_CLASSES = 50
_MAX_PAIRS = 500_000


@dataclass(frozen=True)
class Grid:
    """Counts of one column's values, shape (values, classes) for each split; null is not among the values of a number.

    Attributes
    ----------
    values : ascending numbers, or ranges of them named by their middle; empty for a category.
    is_exact : whether each value has a row of its own.
    missing : rows without a number, shape (classes,) for each split; zeros for a category.
    """

    counts: Mapping[str, Ints]
    missing: Mapping[str, Ints]
    values: Floats
    is_exact: bool = True

    @property
    def train(self) -> Ints:
        """The counts in train."""
        return self.counts[TRAIN]

    @property
    def held(self) -> Ints:
        """The counts in the splits that are not train."""
        return _total([self.counts[split] for split in SPLITS if split != TRAIN])

    @property
    def held_missing(self) -> Ints:
        """Rows without a number there."""
        return _total([self.missing[split] for split in SPLITS if split != TRAIN])


class Evidence:
    """Statistics of a table: a survey of all rows, then each split by class.

    Two passes over the features, each of which reads the rows once: the survey says which columns have few enough
    values to be counted against the label. A label of more than 50 values has no `classes`, and nothing is counted
    against it.
    """

    def __init__(self, table: ExaminedTable) -> None:
        self.table = table
        survey = Wanted(values=table.numbers, sketches=True, frequencies=(table.label, SPLIT, *table.texts))
        self.survey = scan(table.with_split, survey)
        self.n = {split: self.survey.frequencies[SPLIT].counts[split] for split in SPLITS}
        labels = self.survey.frequencies[table.label]
        few = not labels.too_many and len(labels.counts) <= MAX_CLASSES
        self.classes = sorted(labels.counts) if few else []
        self.by_split = {split: self._scan_split(split) for split in SPLITS}

    @property
    def n_held(self) -> int:
        """Rows outside train."""
        return sum(self.n.values()) - self.n[TRAIN]

    def n_distinct(self, name: str) -> float:
        """The number of different values, exact or estimated; null is none."""
        state = self.survey.values[name] if name in self.survey.values else self.survey.frequencies[name]
        return state.n_distinct()[0]

    def n_present(self, name: str) -> int:
        """Rows that have a value."""
        if name in self.survey.values:
            return int(self.survey.values[name].counts.sum())
        return self.survey.n_rows - self.survey.frequencies[name].n_null

    def n_values(self, name: str) -> float:
        """The number of different values, with null as one of them."""
        return self.n_distinct(name) + (self.n_present(name) < self.survey.n_rows)

    @property
    def same_by_chance(self) -> float:
        """The probability that two rows have the same label."""
        counts = self.survey.frequencies[self.table.label].counts
        n = sum(counts.values())
        return sum((count / n) ** 2 for count in counts.values()) if n else 1.0

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Columns to be counted as categories: texts, and whole numbers of too many values for a row of each."""
        own = [name for name in self.table.texts if not self.survey.frequencies[name].too_many]
        own += [
            name
            for name in self.table.numbers
            if self.table.counts_up(name) and not self.survey.values[name].is_exact and self._repeats(name)
        ]
        return tuple(n for n in own if self.n_distinct(n) * len(self.classes) <= _MAX_PAIRS)

    def _repeats(self, name: str) -> bool:
        return self.table.types[name].endswith("int") and self.n_distinct(name) <= self.n_present(name) / 2

    def _scan_split(self, split: str) -> Statistics:
        table = self.table
        by_class = ((table.label, Wanted(values=table.numbers)),) if table.numbers and self.classes else ()
        pairs = tuple((name, table.label) for name in self.categories) if self.classes else ()
        time = (table.time,) if table.time else ()
        wanted = Wanted(classes=by_class, contingency=pairs, frequencies=(table.label,), values=time)
        return scan(table.of_split(split), wanted)

    def n_by_class(self, split: str) -> Ints:
        """Rows of a split in each class, shape (classes,)."""
        counts = self.by_split[split].frequencies[self.table.label].counts
        return np.array([counts.get(word, 0) for word in self.classes], np.int64)

    def of_category(self, name: str) -> Grid:
        """Counts of a category's values, null among them."""
        counts_of = {split: self.by_split[split].contingency[name, self.table.label].counts for split in SPLITS}
        words = sorted(
            {word for counts in counts_of.values() for word, _ in counts}, key=lambda w: (w is not None, w or "")
        )
        row, column = {w: i for i, w in enumerate(words)}, {w: k for k, w in enumerate(self.classes)}
        tables = {split: np.zeros((len(words), len(self.classes)), np.int64) for split in SPLITS}
        for split, counts in counts_of.items():
            for (word, answer), n in counts.items():
                if answer is not None:
                    tables[split][row[word], column[answer]] = n
        none = {split: np.zeros(len(self.classes), np.int64) for split in SPLITS}
        return Grid(tables, none, np.zeros(0))

    def of_number(self, name: str) -> Grid:
        """Counts of a number's values, or of ranges of them where they are many."""
        states = {
            (split, k): self.by_split[split].classes[self.table.label][word].values[name]
            for split in SPLITS
            for k, word in enumerate(self.classes)
            if word in self.by_split[split].classes[self.table.label]
        }
        shift = max((state.shift for state in states.values()), default=0)
        codes = {cell: state.buckets >> (shift - state.shift) for cell, state in states.items()}
        grid = np.unique(np.concatenate([np.zeros(0, np.int64), *codes.values()]))
        tables = {split: np.zeros((len(grid), len(self.classes)), np.int64) for split in SPLITS}
        for (split, k), own in codes.items():
            np.add.at(tables[split][:, k], np.searchsorted(grid, own), states[split, k].counts)
        missing = {split: self.n_by_class(split) - tables[split].sum(axis=0) for split in SPLITS}
        return Grid(tables, missing, decode(grid << shift), shift == 0)

    def times_of(self, name: str, split: str) -> Values:
        """The values of a column of time in a split."""
        return self.by_split[split].values[name]


def _total(tables: list[Ints]) -> Ints:
    return np.asarray(np.sum(tables, axis=0))
