"""The codes by which the second scan of a table counts its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traintable.analyse.scans.classes import Classes, classes_of
from traintable.analyse.scans.columns import (
    FEATURE,
    LABEL,
    NUMBER,
    SPLIT_ROLE,
    TIME,
    TIME_ROLE,
    WORDS,
    AnalysedColumn,
)
from traintable.analyse.scans.periods import choose_periods
from traintable.analyse.scans.ranges import Ranges
from traintable.statistics import Coding, Statistics

MAX_EXACT = 100  # columns whose pairs are all counted in all rows
BINS, FINE_BINS = 10, 200
WORDS_IN_PAIRS, WORDS_BY_CLASS = 20, 100
_CELLS = 2**23  # of all tables of values by class
_FEWEST_RANGES, _MOST_RANGES = 64, 2**16


@dataclass(frozen=True)
class Codes:
    """By which codes the second scan counts the rows of each column.

    Attributes
    ----------
    classes : those of the label, if it has any.
    ranges : number or time -> its ranges, as fine as there is room for.
    by_class : column -> codes that are counted by class.
    paired : column -> codes that are counted with those of each other column.
    fine : number -> codes by narrower bins, which are counted with those of categories.
    periods : time -> codes of the periods that its coverage shows.
    """

    classes: Classes | None
    ranges: dict[str, Ranges]
    by_class: dict[str, Coding]
    paired: dict[str, Coding]
    fine: dict[str, Coding]
    periods: dict[str, Coding]

    @property
    def is_wide(self) -> bool:
        """Whether there are too many columns to count all pairs in all rows."""
        return len(self.paired) > MAX_EXACT


def codes_of(columns: Sequence[AnalysedColumn], learned: Statistics) -> Codes:
    """The codes that follow from what is known of the columns one by one."""
    label = next((c for c in columns if c.role == LABEL), None)
    classes = classes_of(label, learned) if label else None
    ranked = [c.name for c in columns if c.is_ranked]
    room = _CELLS // max(1, len(ranked) * (classes.coding.size if classes else 1))
    limit = min(_MOST_RANGES, max(_FEWEST_RANGES, room))
    ranges = {name: Ranges.of(learned.values[name], limit) for name in ranked}
    used = [c for c in columns if c.role in (FEATURE, TIME_ROLE, LABEL, SPLIT_ROLE)]
    words = {c.name: c for c in used if c.kind in WORDS}
    by_class = {c.name: ranges[c.name].coding for c in used if c.is_ranked}
    by_class |= {name: _most_frequent(c, learned, WORDS_BY_CLASS) for name, c in words.items()}
    paired = _pair_codes(used, ranges, learned)
    numbers = [c.name for c in used if c.kind == NUMBER and c.name in paired and len(ranges[c.name].starts)]
    fine = {name: ranges[name].bin_coding(FINE_BINS) for name in numbers}
    periods = {c.name: _periods(c.name, learned) for c in columns if c.kind == TIME}
    return Codes(classes, ranges, by_class, paired, fine, periods)


def _pair_codes(columns: Sequence[AnalysedColumn], ranges: dict[str, Ranges], learned: Statistics) -> dict[str, Coding]:
    """Numbers and times by bins and categories by their most frequent values, in the order of the columns."""
    codes = {}
    for column in columns:
        if column.role == SPLIT_ROLE:
            continue
        if column.is_ranked:
            codes[column.name] = ranges[column.name].bin_coding(BINS)
        elif column.kind in WORDS:
            codes[column.name] = _most_frequent(column, learned, WORDS_IN_PAIRS)
    return codes


def _most_frequent(column: AnalysedColumn, learned: Statistics, n: int) -> Coding:
    top, _ = learned.frequencies[column.name].most_frequent(n)
    return Coding.of_words(column.name, [word for word, _ in top])


def _periods(name: str, learned: Statistics) -> Coding:
    return Coding.of_ranges(name, choose_periods(learned.periods[name]).starts)
