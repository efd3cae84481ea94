"""Fit a plan: one scan of train, then a PipelineModel that is written down, not trained stage by stage.

The fitted pipeline has two SQLTransformer stages, which any Spark process loads without this package: the first cleans
and imputes numbers and finds the place of categories, the second scales, encodes, reduces and puts the features
together. Both are plain projections, so Spark compiles them into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql.types import BooleanType, NumericType

from traintable.columns import FEATURES, SPLIT, TRAIN, column_name, quote, require_columns
from traintable.config import Column, Feature, Plan
from traintable.errors import ConfigError
from traintable.prepare import clean, encode, impute, reduce, scale
from traintable.prepare.terms import Term
from traintable.statistics import Gram, Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame


def fit(
    train: DataFrame, plan: Plan, *, columns: Mapping[str, Column] | None = None, output: str = "array"
) -> PipelineModel:
    """Fit the plan on the rows of train, in one pass over them.

    Parameters
    ----------
    train : rows to learn from. If they have a column `split`, each must be "train" in it, or ConfigError is raised.
    plan : what becomes of each column.
    columns : declared ranges; values outside become null before anything is learned of them.
    output : "array" adds one column `features array<float>`; "columns" adds one float column a feature, which takes
        the place of the column it was made from if it has its name.

    The model's `transform` keeps all rows it is given, and all other columns.
    """
    if output == "array" and FEATURES in train.columns:
        raise ConfigError(
            where="prepare.fit",
            expected=f"rows without a column '{FEATURES}', which is added",
            found=f"'{FEATURES}' among their columns",
            remedy="Rename it.",
        )
    return build(plan, learn(train, plan, columns=columns), columns=columns, output=output)


def learn(train: DataFrame, plan: Plan, *, columns: Mapping[str, Column] | None = None) -> Statistics:
    """All that the plan needs to know of train, in one pass; parameters and errors as those of `fit`."""
    require_columns(train, set(plan.features), where="prepare.features")
    _require_numbers(train, plan)
    guard = Wanted(categorical=(SPLIT,)) if SPLIT in train.columns else Wanted()
    statistics = scan(cleaned(train, plan, columns or {}), wanted(plan) | guard)
    if statistics.n_rows == 0:
        raise ConfigError(
            where="prepare.fit", expected="rows to learn from", found="none", remedy="Check the filters before it."
        )
    _refuse_other_splits(statistics)
    return statistics


def _require_numbers(train: DataFrame, plan: Plan) -> None:
    for name, feature in plan.features.items():
        kind = train.schema[name].dataType
        if not feature.encode and not isinstance(kind, (NumericType, BooleanType)):
            raise ConfigError(
                where=f"prepare.features.{name}",
                expected="a number, or `encode: one_hot`",
                found=f"a column of type {kind.simpleString()}",
                remedy="Encode it, declare its type in `columns`, or derive a number from it.",
            )


def wanted(plan: Plan) -> Wanted:
    """The statistics of train, after `cleaned`, that the plan is fitted from."""
    numeric = tuple(name for name, feature in plan.features.items() if not feature.encode)
    return Wanted(numeric, tuple(name for name, feature in plan.features.items() if feature.encode))


def cleaned(df: DataFrame, plan: Plan, columns: Mapping[str, Column]) -> DataFrame:
    """The plan's columns of `df`, cleaned as the fitted pipeline cleans them, and `split` if there is one."""
    selected = [f"{_cleaned(name, f, columns)} AS {quote(name)}" for name, f in plan.features.items()]
    if SPLIT in df.columns and SPLIT not in plan.features:
        selected.append(quote(SPLIT))
    return df.selectExpr(*selected)


def build(
    plan: Plan, statistics: Statistics, *, columns: Mapping[str, Column] | None = None, output: str = "array"
) -> PipelineModel:
    """The fitted pipeline that follows from the statistics of train; costs no pass."""
    from pyspark.ml import PipelineModel
    from pyspark.ml.feature import SQLTransformer

    first = _first_stage(plan, statistics, columns or {})
    terms = _terms(plan, statistics)
    names = feature_names(plan, statistics, output=output)
    if output == "array":
        elements = ",\n  ".join(f"CAST({term.sql} AS FLOAT)" for term in terms)
        added = f"array(\n  {elements}\n) AS {quote(FEATURES)}"
    else:
        added = ",\n  ".join(
            f"CAST({term.sql} AS FLOAT) AS {quote(name)}" for name, term in zip(names, terms, strict=True)
        )
    replaced = [name for name in names if name in plan.features] if output == "columns" else []
    dropped = ", ".join(quote(name) for name in [*map(_temporary, plan.features), *replaced])
    prepared = ",\n  ".join(f"{sql} AS {quote(_temporary(name))}" for name, sql in first.items())
    return PipelineModel(
        [
            SQLTransformer(statement=f"SELECT *,\n  {prepared}\nFROM __THIS__"),
            SQLTransformer(statement=f"SELECT * EXCEPT ({dropped}),\n  {added}\nFROM __THIS__"),
        ]
    )


def feature_names(plan: Plan, statistics: Statistics, *, output: str = "array") -> list[str]:
    """The names of the features, in the order of the array; as columns they have no characters that Delta refuses."""
    names = [term.name for term in _terms(plan, statistics)]
    return _distinct([column_name(name) for name in names] if output == "columns" else names)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, a number added to one that an earlier one equals but for case."""
    taken: set[str] = set()
    distinct = []
    for name in names:
        candidate, n = name, 2
        while candidate.lower() in taken:
            candidate, n = f"{name}_{n}", n + 1
        taken.add(candidate.lower())
        distinct.append(candidate)
    return distinct


def _first_stage(plan: Plan, statistics: Statistics, columns: Mapping[str, Column]) -> dict[str, str]:
    sql = {}
    for name, feature in plan.features.items():
        value = _cleaned(name, feature, columns)
        sql[name] = encode.position(value, _vocabulary(name, feature, statistics)) if feature.encode else value
    return sql


def _terms(plan: Plan, statistics: Statistics) -> list[Term]:
    fill = impute.fill_values(plan, statistics.gram)
    scaled = _scaled(plan, fill, statistics.gram)
    reduced = set(plan.reduce.columns) if plan.reduce else set()
    terms: list[Term] = []
    for name, feature in plan.features.items():
        column = quote(_temporary(name))
        if feature.encode:
            terms += encode.one_hot(name, column, _vocabulary(name, feature, statistics))
            continue
        if name not in reduced:
            terms.append(Term(name, scaled[name]))
        if feature.indicator:
            terms.append(impute.indicator(name, column))
    return terms + _components(plan, fill, scaled, statistics.gram)


def _scaled(plan: Plan, fill: Mapping[str, float], gram: Gram) -> dict[str, str]:
    """SQL of each number, imputed and, where the plan says so, scaled."""
    sql = {name: impute.imputed(quote(_temporary(name)), value) for name, value in fill.items()}
    for name, value in fill.items():
        if plan.features[name].scale == "standard":
            moments = gram.imputed({name: value})
            sql[name] = scale.standard(sql[name], float(moments.mean[0]), float(np.nan_to_num(moments.std[0])))
    return sql


def _components(plan: Plan, fill: Mapping[str, float], scaled: Mapping[str, str], gram: Gram) -> list[Term]:
    if plan.reduce is None:
        return []
    names = plan.reduce.columns
    correlation = gram.imputed({name: fill[name] for name in names}).correlation
    loadings = reduce.principal_components(correlation, plan.reduce.k)
    return reduce.terms(plan.reduce.prefix, [scaled[name] for name in names], loadings)


def _cleaned(name: str, feature: Feature, columns: Mapping[str, Column]) -> str:
    return clean.categorical(name) if feature.encode else clean.numeric(name, columns.get(name))


def _vocabulary(name: str, feature: Feature, statistics: Statistics) -> list[str]:
    return statistics.frequencies[name].vocabulary(top_k=feature.top_k, min_frequency=feature.min_frequency)


def _temporary(name: str) -> str:
    return f"__prepared_{name}"


def _refuse_other_splits(statistics: Statistics) -> None:
    counts = statistics.frequencies[SPLIT].counts if SPLIT in statistics.frequencies else {}
    others = {str(part): n for part, n in counts.items() if part != TRAIN}
    if others:
        raise ConfigError(
            where="prepare.fit",
            expected="rows of train only",
            found=", ".join(f"{n} of '{part}'" for part, n in sorted(others.items())),
            remedy="Filter by split = 'train' first: what is learned from other rows leaks.",
        )
