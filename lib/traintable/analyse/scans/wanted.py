"""Which statistics the scans of a table are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from traintable.analyse.scans.codes import Codes
from traintable.analyse.scans.columns import CATEGORY, KEY, LABEL, TEXT, TIME, WORDS, AnalysedColumn
from traintable.analyse.scans.ranges import Ranges
from traintable.statistics import Coding, Wanted
from traintable.statistics.chunk import TEXT as TEXT_ROLE

MAX_TOGETHER = 400  # numbers of one covariance matrix; of wider tables the first


def wanted_of_columns(columns: Sequence[AnalysedColumn]) -> Wanted:
    """What is learned of the columns one by one, of what is missing, and of the numbers together."""
    wanted = Wanted.everything({c.name: c.type for c in columns})
    times = tuple(c.name for c in columns if c.kind == TIME)
    texts = tuple(c.name for c in columns if c.kind in (CATEGORY, TEXT))
    keys = {c.name for c in columns if c.role == KEY}
    together = tuple(name for name in wanted.covariance if name not in keys)[:MAX_TOGETHER]
    return replace(wanted, moments=wanted.covariance, covariance=together, periods=times, forms=texts)


def wanted_by_class_and_pair(columns: Sequence[AnalysedColumn], codes: Codes) -> Wanted:
    """Counts by class and by pair of columns, and ranks; of a wide table only pairs with the label."""
    label = next((c.name for c in columns if c.role == LABEL), "")
    tables = _by_label(columns, codes)
    if not codes.is_wide:
        tables += _pairs(list(codes.paired), codes)
    elif label in codes.paired:
        tables += [(codes.paired[label], coding) for name, coding in codes.paired.items() if name != label]
    ranked = [
        codes.ranges[c.name] for c in columns if c.is_ranked and c.role != KEY and len(codes.ranges[c.name].starts)
    ]
    scores = tuple((ranges.coding, _rank_scores(ranges)) for ranges in ranked[:MAX_TOGETHER])
    return Wanted(tables=tuple(dict.fromkeys(tables)), scores=scores)


def wanted_of_pairs(names: Sequence[str], codes: Codes) -> Wanted:
    """Counts by pair of these columns."""
    return Wanted(tables=tuple(_pairs(names, codes)))


def _rank_scores(ranges: Ranges) -> bytes:
    return np.ascontiguousarray(ranges.mid_ranks()).tobytes()


def _by_label(columns: Sequence[AnalysedColumn], codes: Codes) -> list[tuple[Coding, Coding]]:
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


def _pairs(names: Sequence[str], codes: Codes) -> list[tuple[Coding, Coding]]:
    """Each pair of columns, and the numbers by narrower bins with each category."""
    words = [codes.paired[name] for name in names if codes.paired[name].kind == TEXT_ROLE]
    fine = [codes.fine[name] for name in names if name in codes.fine]
    return [*combinations([codes.paired[name] for name in names], 2), *product(fine, words)]
