"""What the two scans of the whole table learn: the columns one by one, then by class and in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from traintable.analyse.scanned.coverage import shown_periods
from traintable.analyse.scanned.kinds import (
    CATEGORY,
    FEATURE,
    KEY,
    LABEL,
    NUMBER,
    PART,
    TEXT,
    TIME,
    WHEN,
    WORDS,
    Column,
)
from traintable.analyse.scanned.label import Classes, classes_of
from traintable.analyse.scanned.ranges import Ranges
from traintable.arrays import Ints
from traintable.statistics import Coding, Statistics, Wanted
from traintable.statistics.chunk import TEXT as TEXT_ROLE

MAX_TOGETHER = 400  # numbers of one covariance matrix; of wider tables the first
MAX_EXACT = 100  # columns whose pairs are all counted in all rows
MAX_PAIRED = 200  # columns of wider tables whose pairs are counted in a sample
BINS, FINE_BINS = 10, 200
WORDS_IN_PAIRS, WORDS_BY_CLASS = 20, 100
_CELLS = 2**23  # of all tables of values by class
_FEWEST_RANGES, _MOST_RANGES = 64, 2**16


def one_by_one(columns: Sequence[Column]) -> Wanted:
    """What is learned of the columns one by one, of what is missing, and of the numbers together."""
    wanted = Wanted.everything({c.name: c.type for c in columns})
    times = tuple(c.name for c in columns if c.kind == TIME)
    texts = tuple(c.name for c in columns if c.kind in (CATEGORY, TEXT))
    keys = {c.name for c in columns if c.role == KEY}
    together = tuple(name for name in wanted.covariance if name not in keys)[:MAX_TOGETHER]
    return replace(wanted, moments=wanted.covariance, covariance=together, periods=times, forms=texts)


@dataclass(frozen=True)
class Codes:
    """By which codes the second scan tells the rows of each column.

    Attributes
    ----------
    classes : those of the label, if it has any.
    ranges : number or time -> its ranges, as fine as there is room for.
    by_class : column -> codes that are counted by class.
    paired : column -> codes that are counted with those of each other column.
    finely : number -> codes by narrower bins, which are counted with those of categories.
    periods : time -> codes of the periods that its coverage shows.
    """

    classes: Classes | None
    ranges: dict[str, Ranges]
    by_class: dict[str, Coding]
    paired: dict[str, Coding]
    finely: dict[str, Coding]
    periods: dict[str, Coding]

    @property
    def is_wide(self) -> bool:
        """Whether there are too many columns to count all pairs in all rows."""
        return len(self.paired) > MAX_EXACT


def codes_of(columns: Sequence[Column], learned: Statistics) -> Codes:
    """The codes that follow from what is known of the columns one by one."""
    label = next((c for c in columns if c.role == LABEL), None)
    classes = classes_of(label, learned) if label else None
    ranked = [c.name for c in columns if c.is_ranked]
    room = _CELLS // max(1, len(ranked) * (classes.coding.size if classes else 1))
    limit = min(_MOST_RANGES, max(_FEWEST_RANGES, room))
    ranges = {name: Ranges.of(learned.values[name], limit) for name in ranked}
    used = [c for c in columns if c.role in (FEATURE, WHEN, LABEL, PART)]
    words = {c.name: c for c in used if c.kind in WORDS}
    by_class = {c.name: ranges[c.name].coding for c in used if c.is_ranked}
    by_class |= {name: _words(c, learned, WORDS_BY_CLASS) for name, c in words.items()}
    paired = {c.name: ranges[c.name].binned(BINS) for c in used if c.is_ranked and c.role != PART}
    paired |= {name: _words(c, learned, WORDS_IN_PAIRS) for name, c in words.items() if c.role != PART}
    paired = {c.name: paired[c.name] for c in used if c.name in paired}
    times = [c.name for c in columns if c.kind == TIME]
    numbers = [c.name for c in used if c.kind == NUMBER and c.name in paired and len(ranges[c.name].starts)]
    finely = {name: ranges[name].binned(FINE_BINS) for name in numbers}
    return Codes(classes, ranges, by_class, paired, finely, {name: _periods(name, learned) for name in times})


def _words(column: Column, learned: Statistics, n: int) -> Coding:
    found, _ = learned.frequencies[column.name].most_frequent(n)
    return Coding.of_words(column.name, [word for word, _ in found])


def _periods(name: str, learned: Statistics) -> Coding:
    return Coding.of_ranges(name, shown_periods(learned.periods[name]).starts)


def together(columns: Sequence[Column], codes: Codes) -> Wanted:
    """What is learned by class and in pairs."""
    label = next((c.name for c in columns if c.role == LABEL), "")
    tables = _by_label(columns, codes)
    if not codes.is_wide:
        tables += _pairs(list(codes.paired), codes)
    elif label in codes.paired:
        tables += [(codes.paired[label], coding) for name, coding in codes.paired.items() if name != label]
    ranked = [
        codes.ranges[c.name] for c in columns if c.is_ranked and c.role != KEY and len(codes.ranges[c.name].starts)
    ]
    scores = tuple((ranges.coding, _scores(ranges)) for ranges in ranked[:MAX_TOGETHER])
    return Wanted(tables=tuple(dict.fromkeys(tables)), scores=scores)


def _scores(ranges: Ranges) -> bytes:
    return np.ascontiguousarray(ranges.mid_ranks()).tobytes()


def _by_label(columns: Sequence[Column], codes: Codes) -> list[tuple[Coding, Coding]]:
    label = next((c.name for c in columns if c.role == LABEL), None)
    if label is None:
        return []
    if codes.classes is not None:
        own = codes.classes.coding
        others = [coding for name, coding in codes.by_class.items() if name != label]
        return [(own, coding) for coding in (*others, *codes.periods.values())]
    if label not in codes.ranges:
        return []
    own = codes.ranges[label].coding
    return [(codes.by_class[c.name], own) for c in columns if c.kind in WORDS and c.name in codes.by_class]


def of_pairs(names: Sequence[str], codes: Codes) -> Wanted:
    """What is learned of the pairs of some columns."""
    return Wanted(tables=tuple(_pairs(names, codes)))


def _pairs(names: Sequence[str], codes: Codes) -> list[tuple[Coding, Coding]]:
    """Each pair of columns, and the numbers by narrower bins with each category."""
    words = [codes.paired[name] for name in names if codes.paired[name].kind == TEXT_ROLE]
    finely = [codes.finely[name] for name in names if name in codes.finely]
    return [*combinations([codes.paired[name] for name in names], 2), *product(finely, words)]


def table(learned: Statistics, first: Coding, second: Coding) -> Ints | None:
    """Counts by code of two columns, in that order; None when they were not counted."""
    counts = learned.tables.counts
    if (first, second) in counts:
        return counts[first, second]
    return counts[second, first].T if (second, first) in counts else None
