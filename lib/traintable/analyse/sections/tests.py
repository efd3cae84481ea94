"""Tests of each feature against the label, the right one for the kinds of the two, corrected for their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from traintable.analyse.association import correlation_ratio, correlation_test, cramers_v, information
from traintable.analyse.document import EffectSize, HypothesisTest, LabelAssociation
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
from traintable.analyse.hypothesis.result import Effect, TestResult
from traintable.analyse.json_values import finite
from traintable.analyse.scans.classes import Classes
from traintable.analyse.scans.codes import Codes
from traintable.analyse.scans.columns import FEATURE, LABEL, NUMBER, TIME_ROLE, WORDS, AnalysedColumn
from traintable.analyse.scans.table import TableScans
from traintable.analyse.sections.flags import HEAVY_TAILS, SKEWED
from traintable.analyse.sections.interpretation import (
    interpret_correlation,
    interpret_groups,
    interpret_missing,
    interpret_normality,
    interpret_table,
)
from traintable.arrays import Ints
from traintable.statistics import Statistics, Weighted

FEW = 30  # rows of a class below which its mean is not taken for normally distributed
UNEQUAL = 4.0  # times by which the largest variance may exceed the smallest in an analysis of variance
MANY = 2_000  # rows from which on Jarque and Bera's chi-square is right enough
LEAST_FOR_NORMALITY = 20


@dataclass(frozen=True)
class ColumnTest:
    """The result of a test, the columns it is about, and what it means in a sentence."""

    columns: tuple[str, ...]
    result: TestResult
    reading: str

    def to_document(self, q_value: float) -> HypothesisTest:
        """As the profile has it."""
        result = self.result
        return {
            "test": result.test,
            "columns": list(self.columns),
            "statistic": finite(result.statistic),
            "p_value": finite(result.p_value),
            "q_value": finite(q_value),
            "n": result.n,
            "effect": _effect_size(result.effect),
            "rank_error": result.rank_error,
            "reading": self.reading,
            "scan": 1 if len(self.columns) > 1 else 0,
        }


def _effect_size(effect: Effect | None) -> EffectSize | None:
    if effect is None:
        return None
    return {
        "name": effect.name,
        "value": finite(effect.value),
        "low": finite(effect.low),
        "high": finite(effect.high),
    }


FeatureTests = tuple[list[ColumnTest], LabelAssociation]


def run_tests(scans: TableScans) -> tuple[list[HypothesisTest], dict[str, LabelAssociation]]:
    """All tests, and of each feature its association with the label; from what the scans have learned, no pass."""
    tests, label = list(_test_normality(scans)), scans.label
    associations: dict[str, LabelAssociation] = {}
    for column in scans.columns if label else ():
        if column.role in (FEATURE, TIME_ROLE) and label is not None and column.name in scans.codes.by_class:
            of_column, associations[column.name] = _test_feature(column, label, scans)
            tests += of_column
    q_values = adjust_p_values({i: test.result for i, test in enumerate(tests)})
    for i, test in enumerate(tests):
        association = associations.get(test.columns[0])
        if association is not None and len(test.columns) == 2 and test.result.test != MISSING:
            association["test"] = test.result.test
            association["p_value"], association["q_value"] = finite(test.result.p_value), finite(q_values[i])
    return [test.to_document(q_values[i]) for i, test in enumerate(tests)], associations


def _test_normality(scans: TableScans) -> Iterator[ColumnTest]:
    for column in scans.columns:
        if column.kind != NUMBER or column.role not in (FEATURE, LABEL):
            continue
        shape = scans.first.shape[column.name]
        if shape.n >= LEAST_FOR_NORMALITY and not isnan(shape.skewness()):
            result = jarque_bera(shape) if shape.n >= MANY else dagostino_pearson(shape)
            yield ColumnTest((column.name,), result, interpret_normality(column.name, result, shape))


def _test_feature(column: AnalysedColumn, label: AnalysedColumn, scans: TableScans) -> FeatureTests:
    if scans.codes.classes is not None:
        return _test_by_class(column, scans.codes.classes, scans)
    if column.is_ranked:
        return _test_numbers(column, label, scans)
    return _test_by_category(column, label, scans)


def _test_by_class(column: AnalysedColumn, classes: Classes, scans: TableScans) -> FeatureTests:
    """A feature of any kind, and whether it is missing, against the classes of the label."""
    name, label = column.name, classes.column
    counts = scans.counts(classes.coding, scans.codes.by_class[name])
    if counts is None:
        return [], {}
    rows = classes.rows(counts)
    association: LabelAssociation = {
        "mutual_information": finite(information(_merge_bins(counts[1:], name, scans.codes)).normalised)
    }
    if column.kind in WORDS:
        result = independence(counts[1:, 1:])
        association["cramers_v"] = finite(cramers_v(counts[1:, 1:]).value)
        test = ColumnTest((name, label), result, interpret_table(name, label, result))
    else:
        groups = {word: scans.codes.ranges[name].subset(row[1:]) for word, row in rows.items()}
        result = _compare_groups(groups, association, by_rank=_is_odd(name, scans.first))
        test = ColumnTest((name, label), result, interpret_groups(name, label, _present(groups), result))
    return [test, *_test_missing(name, label, rows)], association


def _test_missing(name: str, label: str, rows: Mapping[str, Ints]) -> list[ColumnTest]:
    missing = np.array([[row[0], row[1:].sum()] for row in rows.values()])
    if not missing.size or not missing.sum(axis=0).all():
        return []
    result = missing_or_not(missing)
    return [ColumnTest((name, label), result, interpret_missing(name, label, rows, result))]


def _merge_bins(counts: Ints, name: str, codes: Codes) -> Ints:
    """A table by class with the ranges of a number put together to bins; missing is a value of its own."""
    if name not in codes.ranges or not len(codes.ranges[name].starts):
        return counts
    bins = np.searchsorted(codes.paired[name].edges, codes.ranges[name].starts, side="right")
    first = np.flatnonzero(np.diff(bins, prepend=0))
    return np.concatenate([counts[:, :1], np.add.reduceat(counts[:, 1:], first, axis=1)], axis=1)


def _test_by_category(column: AnalysedColumn, label: AnalysedColumn, scans: TableScans) -> FeatureTests:
    """The numbers of the label in the rows of each value of a category."""
    if not label.is_ranked:
        return [], {}
    ranges, coding = scans.codes.ranges[label.name], scans.codes.by_class[column.name]
    counts = scans.counts(coding, ranges.coding)
    if counts is None:
        return [], {}
    names = (*coding.words, "all others")
    groups = {name: ranges.subset(row[1:]) for name, row in zip(names, counts[1:], strict=True) if row[1:].any()}
    association: LabelAssociation = {}
    result = _compare_groups(groups, association, by_rank=_is_odd(label.name, scans.first))
    reading = interpret_groups(label.name, column.name, _present(groups), result)
    return [ColumnTest((column.name, label.name), result, reading)], association


def _is_odd(name: str, learned: Statistics) -> bool:
    """Whether a number is too skewed or heavy-tailed to be compared by its mean."""
    shape = learned.shape[name]
    return not (abs(shape.skewness()) <= SKEWED and shape.kurtosis() <= HEAVY_TAILS)


def _present(groups: Mapping[str, Weighted]) -> list[str]:
    """The groups that have rows."""
    return [word for word, values in groups.items() if values.n]


def _compare_groups(groups: Mapping[str, Weighted], association: LabelAssociation, *, by_rank: bool) -> TestResult:
    """The test of one number in several groups; measures of association are added to `association`."""
    values = [group for group in groups.values() if group.n]
    moments = [Moments.of(group) for group in values]
    by_rank = by_rank or any(m.n < FEW for m in moments)
    association["correlation_ratio"] = finite(correlation_ratio(moments).value)
    if len(values) == 2:
        association["auc"] = finite(auc(values[1], values[0]).value)  # of the class that comes last in order
        return mann_whitney(values[1], values[0]) if by_rank else welch_t(moments[1], moments[0])
    return kruskal_wallis(values) if by_rank or _are_unequal(moments) else anova(moments)


def _are_unequal(moments: Sequence[Moments]) -> bool:
    variances = [m.variance for m in moments]
    return not max(variances, default=0.0) <= UNEQUAL * min(variances, default=0.0)


def _test_numbers(column: AnalysedColumn, label: AnalysedColumn, scans: TableScans) -> FeatureTests:
    """The correlation of two numbers."""
    pair, codes = (column.name, label.name), scans.codes
    gram, ranks = scans.first.gram, scans.second.scores.gram
    if not set(pair) <= set(gram.columns) or not set(pair) <= set(ranks.columns):
        return [], {}
    pearson, spearman = float(gram.correlation(pair)[0, 1]), float(ranks.correlation(pair)[0, 1])
    association: LabelAssociation = {"pearson": finite(pearson), "spearman": finite(spearman)}
    counts = scans.counts(codes.paired[column.name], codes.paired[label.name])
    if counts is not None:
        association["mutual_information"] = finite(information(counts).normalised)
    i, j = (ranks.columns.index(name) for name in pair)
    n = int(ranks.present[i, j])
    if any(_is_odd(name, scans.first) for name in pair):
        result = correlation_test(spearman, n, method="spearman")
        error = 2 * max(codes.ranges[name].weighted.rank_error for name in pair)
        result = TestResult("spearman", result.statistic, result.p_value, n, result.effect, error)
    else:
        result = correlation_test(pearson, n)
    return [ColumnTest(pair, result, interpret_correlation(*pair, result))], association
