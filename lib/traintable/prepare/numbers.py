"""One numeric feature: imputed, bounded, transformed, scaled; each step learned from what the one before it gives."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import partial

import numpy as np

from traintable.config.plan import Feature
from traintable.config.promise import Promise
from traintable.prepare import clean, impute, outliers, scale, transform
from traintable.prepare.terms import CLEANED, FILLED, TRANSFORMED, Layers, Term
from traintable.statistics import Statistics, TargetGroups, Wanted, Weighted
from traintable.statistics.yeo_johnson import best_power, yeo_johnson

# A step that only another scan can decide yields what it wants to know of `name` as it is by then.
Questions = Generator[Wanted, Statistics, None]


class NumericFeature:
    """One numeric feature of a plan, as far as it is learned.

    Attributes
    ----------
    column : what the first scan calls it: the raw column, or the SQL expression of the feature.
    cleaned : SQL of the clean value, null where it is missing.
    value : SQL of what the steps so far make of it; never null after imputation.
    weighted : the values that this gives in train, where they are known.
    terms : the features in addition to the value itself: indicator, outlier flag.
    centre, width : what scaling subtracts and divides by; a width of 0 makes all values 0.
    scaled : SQL of the value after all steps.
    """

    def __init__(self, name: str, feature: Feature, promise: Promise | None) -> None:
        self.name, self.feature = name, feature
        self.column = name if feature.expr is None else f"{name} (expr)"
        self.range = clean.valid_range(promise)
        self.sql = clean.numeric(name, feature, promise)
        self.cleaned = self.value = self.scaled = ""
        self.fill = math.nan
        self.weighted: Weighted | None = None
        self.terms: list[Term] = []
        self.centre, self.width = 0.0, 1.0

    @property
    def is_raw(self) -> bool:
        """Whether nothing but the replacement of missing values by a constant comes before scaling."""
        bounded = self.feature.outliers is not None and self.feature.outliers.action == "cap"
        return self.feature.impute not in impute.ROW_BY_ROW and not bounded and self.feature.transform is None

    @property
    def _needs_values(self) -> bool:
        """Whether a step after imputation is learned from order statistics."""
        rule = self.feature.outliers
        return (
            (rule is not None and rule.action != "drop")
            or self.feature.transform is not None
            or self.feature.scale not in (None, "standard")
        )

    def wanted(self) -> Wanted:
        """What the first scan has to learn of the column."""
        feature, column = self.feature, (self.column,)
        row_by_row = feature.impute in impute.ROW_BY_ROW
        by_order = feature.impute in ("median", "mode") or (feature.impute == "group" and feature.statistic == "median")
        wanted = Wanted(ranges=((self.column, *self.range),))
        if by_order or (self._needs_values and not row_by_row):
            wanted |= Wanted(values=column, sketches=feature.impute == "mode")
        if (feature.fill_value is None and not by_order) or (feature.scale == "standard" and self.is_raw):
            wanted |= Wanted(moments=column)
        if feature.impute == "group" and feature.by is not None:
            inner = Wanted(values=column, ranges=((self.column, *self.range),))
            median = Wanted(classes=((feature.by, inner),))
            wanted |= (
                median if feature.statistic == "median" else Wanted(targets=(TargetGroups(feature.by, self.column),))
            )
        return wanted

    def learn(self, statistics: Statistics, layers: Layers, expected: str | None = None) -> Questions:
        """Learn all steps from the first scan; asks for another where that does not tell.

        `expected` is the SQL of the value that `impute: iterative` gives.
        """
        self._impute(statistics, layers, expected)
        if self.weighted is None and self._needs_values:
            answer = yield Wanted(values=(self.name,))
            self.weighted = answer.values[self.name].weighted()
        self._bound()
        self._transform(layers)
        yield from self._scale(statistics)

    def _impute(self, statistics: Statistics, layers: Layers, expected: str | None) -> None:
        """Replace missing values; also adds the indicator."""
        feature, method = self.feature, self.feature.impute
        self.cleaned = layers.add(CLEANED, self.name, self.sql)
        self.fill = impute.fill_value(self.name, feature, statistics, self.column)
        if feature.indicator:
            self.terms.append(impute.indicator(self.name, self.cleaned))
        if method == "group":
            fills = impute.group_fills(feature, statistics, self.column)
            self.value = impute.by_group(self.cleaned, feature.by or "", fills, self.fill)
        elif method == "forward_fill":
            carried = layers.add(FILLED, self.name, impute.forward_fill(self.cleaned, feature))
            self.value = impute.fill_missing(carried, self.fill)
        elif method == "iterative" and expected is not None:
            self.value = expected
        else:
            self.value = impute.fill_missing(self.cleaned, self.fill)
            if self.column in statistics.values:
                values = statistics.values[self.column].weighted()
                self.weighted = values.plus(self.fill, statistics.n_rows - values.n)

    def _bound(self) -> None:
        rule = self.feature.outliers
        if rule is None or rule.action == "drop" or self.weighted is None:
            return
        low, high = outliers.bounds(rule, self.weighted)
        if rule.action == "flag":
            self.terms.append(outliers.flag(self.name, self.cleaned, low, high))
            return
        self.value = outliers.cap(self.value, low, high)
        self.weighted = self.weighted.mapped(partial(np.clip, min=low, max=high))

    def _transform(self, layers: Layers) -> None:
        """Apply the transform, whose power or bins follow from the values by then."""
        method, known = self.feature.transform, self.weighted
        if method is None or known is None:
            return
        if method == "log1p":
            self.value = transform.log1p(self.name, self.value, float(known.values[0]))
            self.weighted = known.mapped(np.log1p)
            return
        value = layers.add(TRANSFORMED, self.name, self.value)  # a column of its own, for it is used several times
        if method == "yeo_johnson":
            power = best_power(known)
            self.value = transform.yeo_johnson(value, power)
            self.weighted = known.mapped(partial(yeo_johnson, power=power))
        else:
            edges = transform.bin_edges(known, self.feature.n_bins)
            self.value = transform.bin_number(value, edges)
            self.weighted = known.mapped(partial(transform.bin_numbers, edges=edges))

    def _scale(self, statistics: Statistics) -> Questions:
        """Learn centre and width, and write the scaled value."""
        method, known = self.feature.scale, self.weighted
        if method == "standard":
            self.centre, variance = yield from self._moments(statistics)
            self.width = math.sqrt(variance) if variance > 0 else 0.0
        elif method is not None and known is not None:
            low, high = float(known.values[0]), float(known.values[-1])
            if method == "robust":
                self.centre, self.width = known.quantile(0.5), known.quantile(0.75) - known.quantile(0.25)
                if not self.width and low < high:  # at least half of the values are equal, but not all
                    self.width = 1.0
            elif method == "min_max":
                self.centre, self.width = low, high - low
            else:
                self.width = max(abs(low), abs(high))
        self.scaled = self.value if method is None else scale.affine(self.value, self.centre, self.width)

    def _moments(self, statistics: Statistics) -> Generator[Wanted, Statistics, tuple[float, float]]:
        """Mean and variance of the value: exact, by another scan where the values are known by ranges only."""
        if self.is_raw:
            return statistics.imputed_mean_and_variance(self.column, self.fill)
        if self.weighted is not None and self.weighted.is_exact:
            return self.weighted.mean(), self.weighted.variance()
        answer = yield Wanted(moments=(self.name,))
        return answer.mean_and_variance(self.name)

    def term(self, value: str) -> Term:
        """The feature itself, given the SQL of its value."""
        feature = self.feature
        grows = feature.scale is not None or feature.transform == "yeo_johnson" or feature.impute == "iterative"
        return Term(self.name, value, self.name, is_bounded=not grows)
