"""Tests of each feature against the label, the right one for the kinds of the two, corrected for their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from traintable.analyse.association import (
    correlation_ratio,
    correlation_test,
    cramers_v,
    information,
)
from traintable.analyse.hypothesis import (
    MISSING,
    anova,
    auc,
    dagostino_pearson,
    independence,
    jarque_bera,
    kruskal_wallis,
    mann_whitney,
    missing_or_not,
    welch_t,
)
from traintable.analyse.hypothesis.moments import Moments
from traintable.analyse.hypothesis.multiple_testing import adjust_p_values
from traintable.analyse.hypothesis.result import TestResult
from traintable.analyse.scanned.kinds import FEATURE, LABEL, NUMBER, WHEN, WORDS, Column
from traintable.analyse.scanned.label import Classes
from traintable.analyse.scanned.scans import Codes, table
from traintable.analyse.sections import readings
from traintable.analyse.sections.flags import HEAVY_TAILS, SKEWED
from traintable.arrays import Ints
from traintable.statistics import Statistics, Weighted

FEW = 30  # rows of a class below which its mean is not taken for normally distributed
UNEQUAL = 4.0  # times by which the largest variance may exceed the smallest in an analysis of variance
MANY = 2_000  # rows from which on Jarque and Bera's chi-square is right enough
LEAST_FOR_NORMALITY = 20


@dataclass(frozen=True)
class Tested:
    """A test, the columns it is about, and what it says in a sentence."""

    columns: tuple[str, ...]
    result: TestResult
    reading: str

    def to_dict(self, q_value: float) -> dict[str, Any]:
        """As the profile has it."""
        result, effect = self.result, self.result.effect
        known = {"name": effect.name, "value": effect.value, "low": effect.low, "high": effect.high} if effect else None
        return {
            **{"test": result.test, "columns": list(self.columns), "statistic": result.statistic},
            **{"p_value": result.p_value, "q_value": q_value, "n": result.n, "effect": known},
            **{"rank_error": result.rank_error, "reading": self.reading, "scan": 1 if len(self.columns) > 1 else 0},
        }


def measure(
    columns: Sequence[Column], learned: Statistics, second: Statistics, codes: Codes
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """All tests, and for each feature how it hangs together with the label."""
    label = next((c for c in columns if c.role == LABEL), None)
    tests = [*_normality(columns, learned)]
    measures: dict[str, dict[str, Any]] = {}
    for column in columns if label else ():
        if column.role in (FEATURE, WHEN) and label is not None and column.name in codes.by_class:
            found, measures[column.name] = _against(column, label, learned, second, codes)
            tests += found
    q_values = adjust_p_values({i: test.result for i, test in enumerate(tests)})
    for i, test in enumerate(tests):
        known = measures.get(test.columns[0])
        if known is not None and len(test.columns) == 2 and test.result.test != MISSING:
            known |= {"test": test.result.test, "p_value": test.result.p_value, "q_value": q_values[i]}
    return [test.to_dict(q_values[i]) for i, test in enumerate(tests)], measures


def _normality(columns: Sequence[Column], learned: Statistics) -> Iterator[Tested]:
    for column in columns:
        if column.kind != NUMBER or column.role not in (FEATURE, LABEL):
            continue
        shape = learned.shape[column.name]
        if shape.n >= LEAST_FOR_NORMALITY and not isnan(shape.skewness()):
            result = jarque_bera(shape) if shape.n >= MANY else dagostino_pearson(shape)
            yield Tested((column.name,), result, readings.of_normality(column.name, result, shape))


def _against(
    column: Column, label: Column, learned: Statistics, second: Statistics, codes: Codes
) -> tuple[list[Tested], dict[str, Any]]:
    if codes.classes is not None:
        return _against_classes(column, codes.classes, learned, second, codes)
    if column.is_ranked:
        return _against_number(column, label, learned, second, codes)
    counts = table(second, codes.by_class[column.name], codes.ranges[label.name].coding) if label.is_ranked else None
    if counts is None:
        return [], {}
    ranges = codes.ranges[label.name]
    names = (*codes.by_class[column.name].words, "all others")
    groups = {name: ranges.counted(row[1:]) for name, row in zip(names, counts[1:], strict=True) if row[1:].any()}
    test, found = _groups(column.name, label.name, groups, _is_odd(label.name, learned))
    return [test], found


def _against_classes(
    column: Column, classes: Classes, learned: Statistics, second: Statistics, codes: Codes
) -> tuple[list[Tested], dict[str, Any]]:
    name, label = column.name, classes.column
    counts = table(second, classes.coding, codes.by_class[name])
    if counts is None:
        return [], {}
    rows = classes.rows(counts)
    found: dict[str, Any] = {"mutual_information": information(_binned(counts[1:], name, codes)).normalised}
    missing = np.array([[row[0], row[1:].sum()] for row in rows.values()])
    tests = []
    if missing.size and missing.sum(axis=0).all():
        result = missing_or_not(missing)
        tests.append(Tested((name, label), result, readings.of_missing(name, label, rows, result)))
    if column.kind in WORDS:
        result = independence(counts[1:, 1:])
        found["cramers_v"] = cramers_v(counts[1:, 1:]).value
        return [Tested((name, label), result, readings.of_table(name, label, result)), *tests], found
    values = {word: codes.ranges[name].counted(row[1:]) for word, row in rows.items()}
    test, more = _groups(name, label, values, _is_odd(name, learned))
    return [test, *tests], found | more


def _binned(counts: Ints, name: str, codes: Codes) -> Ints:
    """A table by class with the ranges of a number put together to bins; missing is a value of its own."""
    if name not in codes.ranges or not len(codes.ranges[name].starts):
        return counts
    place = np.searchsorted(codes.paired[name].edges, codes.ranges[name].starts, side="right")
    first = np.flatnonzero(np.diff(place, prepend=0))
    return np.concatenate([counts[:, :1], np.add.reduceat(counts[:, 1:], first, axis=1)], axis=1)


def _is_odd(name: str, learned: Statistics) -> bool:
    """Whether a number is too skewed or heavy-tailed to be compared by its mean."""
    shape = learned.shape[name]
    return not (abs(shape.skewness()) <= SKEWED and shape.kurtosis() <= HEAVY_TAILS)


def _groups(name: str, label: str, groups: Mapping[str, Weighted], is_odd: bool) -> tuple[Tested, dict[str, Any]]:
    """The test of one number in several groups, and the measures of association."""
    filled = {word: values for word, values in groups.items() if values.n}
    moments = [Moments.of(values) for values in filled.values()]
    by_rank = is_odd or any(m.n < FEW for m in moments)
    found = {"correlation_ratio": correlation_ratio(moments).value}
    values = list(filled.values())
    if len(values) == 2:
        found["auc"] = auc(values[1], values[0]).value  # of the class that comes last in order
        result = mann_whitney(values[1], values[0]) if by_rank else welch_t(moments[1], moments[0])
    else:
        result = kruskal_wallis(values) if by_rank or _are_unequal(moments) else anova(moments)
    return Tested((name, label), result, readings.of_groups(name, label, list(filled), result)), found


def _are_unequal(moments: Sequence[Moments]) -> bool:
    spread = [m.variance for m in moments]
    return not max(spread, default=0.0) <= UNEQUAL * min(spread, default=0.0)


def _against_number(
    column: Column, label: Column, learned: Statistics, second: Statistics, codes: Codes
) -> tuple[list[Tested], dict[str, Any]]:
    pair = (column.name, label.name)
    ranks = second.scores.gram
    if not set(pair) <= set(learned.gram.columns) or not set(pair) <= set(ranks.columns):
        return [], {}
    linear = float(learned.gram.correlation(pair)[0, 1])
    monotone = float(ranks.correlation(pair)[0, 1])
    i, j = (ranks.columns.index(name) for name in pair)
    n = int(ranks.present[i, j])
    counts = table(second, codes.paired[column.name], codes.paired[label.name])
    found = {"pearson": linear, "spearman": monotone}
    if counts is not None:
        found["mutual_information"] = information(counts).normalised
    if any(_is_odd(name, learned) for name in pair):
        result = correlation_test(monotone, n, method="spearman")
        error = 2 * max(codes.ranges[name].weighted.rank_error for name in pair)
        result = TestResult("spearman", result.statistic, result.p_value, n, result.effect, error)
    else:
        result = correlation_test(linear, n)
    return [Tested(pair, result, readings.of_correlation(*pair, result))], found
