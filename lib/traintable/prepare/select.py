"""Leave features out, by what train says of them, each with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from traintable.arrays import Ints
from traintable.config.plan import Plan, Selector
from traintable.errors import ConfigError
from traintable.prepare.categories import CategoricalFeature
from traintable.prepare.fitted_plan import DroppedFeature
from traintable.prepare.numbers import NumericFeature
from traintable.prepare.terms import Layers, Term
from traintable.prepare.transform import cut_points
from traintable.statistics import Covariance, Statistics, Wanted, Weighted
from traintable.statistics.association import (
    Test,
    anova_f,
    benjamini_hochberg,
    chi2,
    find_correlated,
    mrmr,
    mutual_information,
)
from traintable.statistics.values import Values

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from traintable.prepare.probes import Scan

N_BINS = 10  # of a number, where it is counted against the classes
_BY_CLASS = {"anova_f": "moments", "mrmr": "moments", "chi2": "values", "mutual_info": "values"}


class Selection:
    """The selectors of a plan, carried out one after the other on the features that are left."""

    def __init__(
        self, plan: Plan, numbers: Mapping[str, NumericFeature], categories: Mapping[str, CategoricalFeature]
    ) -> None:
        self.selectors, self.label = plan.select, plan.label or ""
        self.numbers, self.categories = numbers, categories
        self._methods = {selector.method for selector in plan.select}

    @property
    def needs_covariance(self) -> bool:
        """Whether numbers are compared with each other."""
        return bool(self._methods & {"correlation", "mrmr"})

    def wanted(self) -> Wanted:
        """What the first scan has to learn of the raw columns."""
        wanted = Wanted()
        columns = tuple(number.column for number in self.numbers.values())
        texts = tuple(category.column for category in self.categories.values())
        if "variance" in self._methods:
            wanted |= Wanted(moments=columns, frequencies=texts)
        ranges = tuple((number.column, *number.range) for number in self.numbers.values())
        for kind in sorted({_BY_CLASS[method] for method in self._methods & set(_BY_CLASS)}):
            inner = (
                Wanted(moments=columns, ranges=ranges) if kind == "moments" else Wanted(values=columns, ranges=ranges)
            )
            wanted |= Wanted(classes=((self.label, inner),))
        if self._methods & {"anova_f", "chi2", "mutual_info"}:
            wanted |= Wanted(contingency=tuple((text, self.label) for text in texts))
        return wanted

    def select(self, first: Statistics, covariance: Covariance | None) -> list[DroppedFeature]:
        """What all selectors but the tree leave out."""
        dropped: list[DroppedFeature] = []
        for selector in self.selectors:
            out = {d.feature for d in dropped}
            left = [name for name in (*self.numbers, *self.categories) if name not in out]
            if selector.method == "variance":
                dropped += self._constant(selector, left, first)
            elif selector.method == "correlation" and covariance is not None:
                dropped += self._alike(selector, left, covariance)
            elif selector.method == "mrmr" and covariance is not None:
                dropped += self._redundant(selector, left, first, covariance)
            elif selector.method in ("anova_f", "chi2", "mutual_info"):
                dropped += self._unrelated(selector, left, first)
        if len({d.feature for d in dropped}) == len(self.numbers) + len(self.categories):
            raise nothing_left_error(dropped)
        return dropped

    def _constant(self, selector: Selector, left: Sequence[str], first: Statistics) -> list[DroppedFeature]:
        """Numbers of little population variance after imputation by their constant, categories of one value."""
        dropped = []
        for name in left:
            if name in self.numbers:
                number = self.numbers[name]
                variance = first.imputed_mean_and_variance(number.column, number.fill)[1]
                variance = variance * (first.n_rows - 1) / first.n_rows if first.n_rows > 1 else 0.0
                if variance <= selector.limit:
                    dropped.append(
                        DroppedFeature(name, "variance", f"its variance {variance:.4g} is not above {selector.limit:g}")
                    )
            else:
                frequencies = first.frequencies[self.categories[name].column]
                if not frequencies.too_many and len(frequencies.counts) + (frequencies.n_null > 0) <= 1:
                    dropped.append(DroppedFeature(name, "variance", "all rows have the same value"))
        return dropped

    def _alike(self, selector: Selector, left: Sequence[str], covariance: Covariance) -> list[DroppedFeature]:
        names = [name for name in covariance.columns if name in left]
        index = [covariance.columns.index(name) for name in names]
        pairs = find_correlated(covariance.correlation[np.ix_(index, index)], selector.limit)
        return [
            DroppedFeature(names[i], "correlation", f"r = {r:.4f} with '{names[j]}', above {selector.limit:g}")
            for i, j, r in pairs
        ]

    def _redundant(
        self, selector: Selector, left: Sequence[str], first: Statistics, covariance: Covariance
    ) -> list[DroppedFeature]:
        """What minimum redundancy and maximum relevance (`mrmr`) leaves out of the numbers."""
        names = [name for name in covariance.columns if name in left]
        index = [covariance.columns.index(name) for name in names]
        relevance = np.array([self._anova(name, first).statistic for name in names])
        kept = mrmr(
            np.nan_to_num(relevance), covariance.correlation[np.ix_(index, index)], min(selector.k or 1, len(names))
        )
        return [
            DroppedFeature(
                name, "mrmr", f"not among the {selector.k} that tell most and least of each other (F = {f:.4g})"
            )
            for i, (name, f) in enumerate(zip(names, relevance, strict=True))
            if i not in kept
        ]

    def _unrelated(self, selector: Selector, left: Sequence[str], first: Statistics) -> list[DroppedFeature]:
        """What is least associated with the label: all but the best `k`, or by the false discovery rate."""
        tests = {name: self._test(selector.method, name, first) for name in left}
        if selector.k is not None:
            ranked = sorted(left, key=lambda name: _rank(selector.method, tests[name]))
            return [
                DroppedFeature(
                    name, selector.method, f"not among the best {selector.k} (statistic {tests[name].statistic:.4g})"
                )
                for name in ranked[selector.k :]
            ]
        adjusted = benjamini_hochberg(np.array([tests[name].p_value for name in left]))
        return [
            DroppedFeature(
                name,
                selector.method,
                f"false discovery rate {q:.4g} is not below {selector.alpha:g} (statistic {tests[name].statistic:.4g})",
            )
            for name, q in zip(left, adjusted.tolist(), strict=True)
            if not q <= selector.alpha  # NaN, of a constant, tells nothing of the label
        ]

    def _test(self, method: str, name: str, first: Statistics) -> Test:
        if method == "anova_f" and name in self.numbers:
            return self._anova(name, first)
        table = self._count_by_bin(name, first) if name in self.numbers else self._count_by_value(name, first)
        return mutual_information(table) if method == "mutual_info" else chi2(table)

    def _anova(self, name: str, first: Statistics) -> Test:
        column = self.numbers[name].column
        moments = [of_class.sums.fractions(column) for _, of_class in sorted(first.classes[self.label].items())]
        counts = np.array([n for n, _, _ in moments])
        means = np.array([mean for _, mean, _ in moments], dtype=object)
        return anova_f(counts, means, np.array([variance for _, _, variance in moments]))

    def _count_by_bin(self, name: str, first: Statistics) -> Ints:
        """How often each bin of a number (about equally many values in each) occurs with each class."""
        column = self.numbers[name].column
        classes = [of_class.values[column] for _, of_class in sorted(first.classes[self.label].items())]
        if not classes:
            return np.zeros((0, 0), np.int64)
        edges = cut_points(_pool(classes), N_BINS)
        counts = []
        for values in classes:
            weighted = values.weighted()
            bins = np.searchsorted(edges, weighted.values, side="right")
            counts.append(np.bincount(bins, weighted.counts, len(edges) + 1))
        return np.asarray(np.array(counts).T, np.int64)

    def _count_by_value(self, name: str, first: Statistics) -> Ints:
        """How often each value of a category, null among them, occurs with each class."""
        return first.contingency[self.categories[name].column, self.label].table(null_rows=True)[2]

    def useless_features(
        self, train: DataFrame, layers: Layers, terms: Sequence[Term], scan: Scan
    ) -> list[DroppedFeature]:
        """What a tree, if there is one among the selectors, finds no more useful than random columns."""
        from traintable.prepare.probes import useless_features

        dropped: list[DroppedFeature] = []
        for selector in self.selectors:
            if selector.method == "tree":
                dropped += useless_features(train, layers, terms, label=self.label, selector=selector, scan=scan)
        return dropped


def nothing_left_error(dropped: Sequence[DroppedFeature]) -> ConfigError:
    """The error where no feature is kept."""
    return ConfigError(
        where="prepare.select",
        expected="at least one feature that is kept",
        found="; ".join(map(str, dropped[:3])),
        remedy="Loosen the selection, for example by a larger `k` or `alpha`.",
    )


def _rank(method: str, test: Test) -> tuple[float, float]:
    """Order of the tests, the most telling first."""
    if math.isnan(test.statistic):
        return math.inf, 0.0
    return (-test.statistic, 0.0) if method == "mutual_info" else (test.p_value, -test.statistic)


def _pool(classes: Sequence[Values]) -> Weighted:
    """The values of all classes together."""
    whole = Values.from_dict(classes[0].to_dict())
    for values in classes[1:]:
        whole.merge(Values.from_dict(values.to_dict()))
    return whole.weighted()
