"""Fit a plan: one scan of train, another only where a step needs what another gives, then a stock PipelineModel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import numpy as np

from traintable.columns import SPLIT, quote
from traintable.config.plan import Plan
from traintable.config.promise import Promise
from traintable.errors import ConfigError
from traintable.prepare import impute
from traintable.prepare.categories import CategoricalFeature
from traintable.prepare.fitted_plan import DroppedFeature, FittedPlan, feature_names, pipeline_model
from traintable.prepare.inputs import refuse_other_splits, replaced_columns, require_free_names, require_inputs
from traintable.prepare.interact import products
from traintable.prepare.iterative import fill_iteratively, normal, uncertainty
from traintable.prepare.numbers import NumericFeature, Questions
from traintable.prepare.reduce import components
from traintable.prepare.scale import normalize
from traintable.prepare.select import Selection, nothing_left_error
from traintable.prepare.terms import CLEANED, NORMALIZED, SHARED, Layers, Term, bound_term
from traintable.statistics import Cost, Covariance, Statistics, Wanted, most_frequent_words, scan

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame


def fit(
    train: DataFrame,
    plan: Plan,
    *,
    columns: Mapping[str, Promise] | None = None,
    output: str = "array",
    cache: str | None = None,
) -> PipelineModel:
    """Fit the plan on the rows of train; parameters, cost and errors as those of `fit_plan`.

    Examples
    --------
    >>> from traintable import prepare
    >>> from traintable.config.plan import Plan
    >>> train = spark.createDataFrame([(30,), (None,), (50,)], "age int")
    >>> model = prepare.fit(train, Plan.model_validate({"features": {"age": {"impute": "mean"}}}), output="columns")
    >>> [row.age for row in model.transform(train).collect()]
    [30.0, 40.0, 50.0]
    """
    return fit_plan(train, plan, columns=columns, output=output, cache=cache).model


def fit_plan(
    train: DataFrame,
    plan: Plan,
    *,
    columns: Mapping[str, Promise] | None = None,
    output: str = "array",
    cache: str | None = None,
) -> FittedPlan:
    """Fit the plan on the rows of train.

    Parameters
    ----------
    train : rows to learn from. If they have a column `split`, each must be "train" in it, or ConfigError is raised.
        Rows that `outliers: {action: drop}` leaves out are to be removed before, by `drop_outliers`.
    plan : what becomes of each column.
    columns : declared ranges; values outside become null before anything is learned of them.
    output : "array" adds one column `features array<float>`; "columns" adds one float column a feature, which takes
        the place of the column it was made from if it has its name.
    cache : a local folder that keeps what was learned of files, so that only files added since are read.

    Costs one scan of the columns that something is learned of. A second one reads what the first steps give, where a
    later step needs it: moments of bounded or transformed numbers of many values, order statistics of numbers that are
    imputed row by row, components of such numbers. A plan that has both kinds can cost a third.

    Examples
    --------
    >>> from traintable import prepare
    >>> from traintable.config.plan import Plan
    >>> train = spark.createDataFrame([(30, "NY"), (None, "LA"), (50, "NY")], "age int, city string")
    >>> features = {"age": {"impute": "median"}, "city": {"encode": "one_hot", "top_k": 1}}
    >>> plan = Plan.model_validate({"features": features})
    >>> fitted = prepare.fit_plan(train, plan)
    >>> fitted.features
    ('age', 'city_NY', 'city_<other>', 'city_<missing>')
    >>> fitted.model.transform(train).where("age IS NULL").first().features
    [40.0, 0.0, 1.0, 0.0]
    """
    return _Fit(train, plan, columns or {}, output, cache).carry_out()


class _Fit:
    """A plan being fitted."""

    def __init__(
        self, train: DataFrame, plan: Plan, columns: Mapping[str, Promise], output: str, cache: str | None
    ) -> None:
        self.train, self.plan, self.output, self.cache = train, plan, output, cache
        require_inputs(train, plan)
        require_free_names(train, plan, (), output=output)
        self.numbers = {name: NumericFeature(name, plan.features[name], columns.get(name)) for name in plan.numbers}
        self.categories = {name: CategoricalFeature(name, plan.features[name], plan) for name in plan.categories}
        self.selection = Selection(plan, self.numbers, self.categories)
        self.layers = Layers()
        self.costs: list[Cost] = []

    def carry_out(self) -> FittedPlan:
        """Scan, learn all steps, select, and put the stages together."""
        first = self._scan_columns()
        if first.n_rows == 0:
            raise ConfigError(
                where="prepare.fit", expected="rows to learn from", found="none", remedy="Check the filters before it."
            )
        refuse_other_splits(first)
        self._count_words(first)
        encoded = {name: category.terms(first, self.layers) for name, category in self.categories.items()}
        covariance = self._learn_numbers(first)
        dropped = self.selection.select(first, covariance)
        terms = self._terms(encoded, covariance, {d.feature for d in dropped})
        terms = [bound_term(term, self.layers) for term in terms]
        dropped, terms = self._without_useless(dropped, terms)
        names = tuple(feature_names(terms, output=self.output))
        require_free_names(self.train, self.plan, names, output=self.output)
        layers = self.layers.without_unused(terms)
        model = pipeline_model(layers, terms, output=self.output, replaced=replaced_columns(self.plan))
        return FittedPlan(model, names, tuple(dropped), first, tuple(self.costs))

    def _scan_columns(self) -> Statistics:
        """The first scan: of the columns as they are."""
        features: list[NumericFeature | CategoricalFeature] = [*self.numbers.values(), *self.categories.values()]
        wanted = reduce(or_, (feature.wanted() for feature in features), self.selection.wanted())
        if SPLIT in self.train.columns:
            wanted |= Wanted(frequencies=(SPLIT,))
        if self._group and all(self.numbers[name].is_raw for name in self._group):
            wanted |= Wanted(covariance=tuple(self.numbers[name].column for name in self._group))
        wanted |= Wanted(covariance=tuple(self.numbers[name].column for name in self._iterative))
        computed = {feature.column: feature.sql for feature in features if feature.column != feature.name}
        if not computed:
            return self._first(self.train, wanted)
        raw = [quote(name) for name in wanted.columns if name not in computed]
        rows = self.train.selectExpr(*raw, *(f"{sql} AS {quote(name)}" for name, sql in computed.items()))
        return self._first(rows, wanted)

    def _first(self, rows: DataFrame, wanted: Wanted) -> Statistics:
        """The first scan, whose error names the feature that is the cause."""
        try:
            return self._scan(rows, wanted)
        except ConfigError as error:
            for name, feature in self.plan.features.items():
                if feature.by and feature.statistic == "median":
                    impute.refuse_groups(name, feature.by, error)
            raise

    def _count_words(self, first: Statistics) -> None:
        """Count the words of categories that have too many for the scan: of each as many as its vocabulary takes."""
        many = [c for c in self.categories.values() if c.needs_words and first.frequencies[c.column].too_many]
        if not many:
            return
        rows = self.train.selectExpr(*(f"{c.sql} AS {quote(c.column)}" for c in many))
        counts = most_frequent_words(rows, {c.column: c.feature.top_k for c in many})
        for category in many:
            first.frequencies[category.column] = first.frequencies[category.column].with_counts(counts[category.column])
        self.costs.append(Cost("group by", 1, 0))

    def _scan(self, rows: DataFrame, wanted: Wanted) -> Statistics:
        statistics = scan(rows, wanted, cache=self.cache)
        self.costs.append(statistics.cost)
        return statistics

    @property
    def _iterative(self) -> list[str]:
        return [name for name, number in self.numbers.items() if number.feature.impute == "iterative"]

    @property
    def _is_of_covariance(self) -> bool:
        """Whether components follow from the covariance of numbers before they are scaled."""
        section = self.plan.reduce
        normalized = {name for interactions in self.plan.normalize for name in interactions.columns}
        return section is not None and section.method == "pca" and not normalized & set(section.columns)

    @property
    def _group(self) -> list[str]:
        """The numbers whose covariance is needed: those that are reduced, or compared with each other."""
        section = self.plan.reduce
        reduced = section.columns if section and self._is_of_covariance else ()
        chosen = {*reduced, *(self.numbers if self.selection.needs_covariance else ())}
        return [name for name in self.numbers if name in chosen]

    def _learn_numbers(self, first: Statistics) -> Covariance | None:
        """Learn all steps of all numbers, with one more scan a round of questions; gives the group's covariance.

        The covariance is that of the imputed, bounded and transformed values, before they are scaled.
        """
        expected = self._expected(first)
        unfinished: dict[str, Questions] = {
            name: number.learn(first, self.layers, expected.get(name)) for name, number in self.numbers.items()
        }
        questions = _advance(unfinished, None)
        covariance = self._raw_covariance(first)
        while questions or (self._group and covariance is None):
            wanted = reduce(or_, questions.values(), Wanted())
            if (
                self._group
                and covariance is None
                and not any(questions[n].values for n in self._group if n in questions)
            ):
                wanted |= Wanted(covariance=tuple(self._group))
            statistics = self._scan(self._as_learned(wanted.columns), wanted)
            if wanted.covariance:
                covariance = statistics.gram.imputed_covariance(
                    dict.fromkeys(self._group, 0.0)
                )  # nothing is missing any more
            questions = _advance(unfinished, statistics)
        return covariance

    def _raw_covariance(self, first: Statistics) -> Covariance | None:
        if not self._group or not all(self.numbers[name].is_raw for name in self._group):
            return None
        filled = first.gram.imputed_covariance(
            {self.numbers[name].column: self.numbers[name].fill for name in self._group}
        )
        return Covariance(tuple(self._group), filled.mean, filled.covariance)

    def _expected(self, first: Statistics) -> dict[str, str]:
        """SQL of the numbers that are imputed by regression on each other."""
        names = self._iterative
        if not names:
            return {}
        columns = tuple(self.numbers[name].column for name in names)
        index = [first.gram.columns.index(column) for column in columns]
        covariance, least = first.gram.pairwise(columns), uncertainty(first.gram.present[np.ix_(index, index)])
        cleaned = {name: self.layers.add(CLEANED, name, self.numbers[name].sql) for name in names}
        return fill_iteratively(self.layers, cleaned, normal(covariance, least))

    def _as_learned(self, names: tuple[str, ...]) -> DataFrame:
        """The values of some numbers in train, as far as their steps are learned."""
        rows = self.layers.add_to(self.train)
        return rows.selectExpr(*(f"{self.numbers[name].value} AS {quote(name)}" for name in names))

    def _terms(self, encoded: Mapping[str, list[Term]], covariance: Covariance | None, out: set[str]) -> list[Term]:
        """All features but those that selection leaves out, reduced ones last."""
        values = self._scale(out)
        section = self.plan.reduce
        reduced = set(section.columns) if section else set()
        terms: list[Term] = []
        whole: dict[str, list[Term]] = {}
        for name in self.plan.features:
            if name in out:
                continue
            if name in self.numbers:
                whole[name] = [self.numbers[name].term(values[name])]
                terms += [] if name in reduced else whole[name]
                terms += self.numbers[name].terms
            else:
                whole[name] = encoded[name]
                terms += [] if name in reduced else encoded[name]
        for interactions in self.plan.interactions:
            terms += products(interactions, values)
        if section is None:
            return terms
        kept = [name for name in section.columns if name in whole]
        if self._is_of_covariance:
            return terms + self._principal(kept, values, covariance)
        return terms + self._from_values([term for name in kept for term in whole[name]])

    def _scale(self, out: set[str]) -> dict[str, str]:
        """SQL of each number that stays; a column of its own where several features use it."""
        values = {name: number.scaled for name, number in self.numbers.items() if name not in out}
        several = {name for section in self.plan.interactions for name in section.columns}
        several |= {name for section in self.plan.normalize for name in section.columns}
        values = {name: self.layers.add(SHARED, name, sql) if name in several else sql for name, sql in values.items()}
        for section in self.plan.normalize:
            names = [name for name in section.columns if name in values]
            scaled = normalize([values[name] for name in names], section.norm)
            values |= {name: self.layers.add(NORMALIZED, name, sql) for name, sql in zip(names, scaled, strict=True)}
        return values

    def _principal(self, names: list[str], values: Mapping[str, str], covariance: Covariance | None) -> list[Term]:
        """Components from the covariance before scaling, which scaling changes in a known way: no scan."""
        section = self.plan.reduce
        if section is None or covariance is None or not names:
            return []
        index = [covariance.columns.index(name) for name in names]
        width = np.array([self.numbers[name].width for name in names])
        shrink = np.divide(1.0, width, out=np.zeros(len(width)), where=width > 0)
        covariances = np.nan_to_num(covariance.covariance[np.ix_(index, index)]) * np.outer(shrink, shrink)
        centre = np.array([self.numbers[name].centre for name in names])
        mean = (covariance.mean[index] - centre) * shrink
        standard = all(self.numbers[name].feature.scale == "standard" for name in names)
        return components(section, [values[name] for name in names], covariances, None if standard else mean)

    def _from_values(self, terms: list[Term]) -> list[Term]:
        """Components of features as they are in the end, by a scan of them."""
        section = self.plan.reduce
        if section is None or not terms:
            return []
        names = [f"c{i}" for i in range(len(terms))]
        rows = self.layers.add_to(self.train).selectExpr(
            *(f"{term.sql} AS {name}" for name, term in zip(names, terms, strict=True))
        )
        statistics = self._scan(rows, Wanted(covariance=tuple(names)))
        learned = statistics.gram.imputed_covariance(dict.fromkeys(names, 0.0))
        moments = np.nan_to_num(learned.covariance)
        if section.method == "pca":
            return components(section, [term.sql for term in terms], moments, learned.mean)
        moments = moments * ((statistics.n_rows - 1) / statistics.n_rows) + np.outer(learned.mean, learned.mean)
        return components(section, [term.sql for term in terms], moments, None)

    def _without_useless(
        self, dropped: list[DroppedFeature], terms: list[Term]
    ) -> tuple[list[DroppedFeature], list[Term]]:
        """Leave out what a tree finds no more useful than chance, if the plan says so."""
        more = self.selection.useless_features(self.train, self.layers, terms, self._scan)
        out = {d.feature for d in more}
        left = [term for term in terms if term.feature not in out]
        if not left:
            raise nothing_left_error(more)
        return [*dropped, *more], left


def _advance(unfinished: dict[str, Questions], statistics: Statistics | None) -> dict[str, Wanted]:
    """Go on with each number as far as it is known; gives what those want to know that are not done."""
    questions = {}
    for name in list(unfinished):
        try:
            questions[name] = next(unfinished[name]) if statistics is None else unfinished[name].send(statistics)
        except StopIteration:
            del unfinished[name]
    return questions
