"""Rows of train that outliers take out of it; nothing here can touch validation, test or what is served."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from traintable.columns import SPLIT, quote, refuse_taken
from traintable.config.plan import Plan
from traintable.config.promise import Promise
from traintable.prepare import outliers
from traintable.prepare.inputs import refuse_other_splits, require_inputs
from traintable.prepare.numbers import NumericFeature
from traintable.prepare.terms import number_literal
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


OUTLIER = "_outlier"


def drop_outliers(
    train: DataFrame, plan: Plan, *, columns: Mapping[str, Promise] | None = None
) -> tuple[DataFrame, DataFrame]:
    """Divide rows of train by the features with `outliers: {action: drop}`: those that stay, and those that go.

    The rows that go have a column `_outlier array<string>` with the features that are out of bounds; a missing value is
    within them. Costs one scan of these features, none when there are none. Raises ConfigError as `fit_plan` does when
    a column is missing or has that name, or a row is not of train.

    Examples
    --------
    >>> from traintable import prepare
    >>> from traintable.config.plan import Plan
    >>> rule = {"action": "drop", "method": "iqr"}
    >>> plan = Plan.model_validate({"features": {"age": {"outliers": rule}}})
    >>> train = spark.createDataFrame([(age,) for age in (30, 31, 32, 33, 900)], "age int")
    >>> kept, outliers = prepare.drop_outliers(train, plan)
    >>> outliers.collect()
    [Row(age=900, _outlier=['age'])]
    """
    from pyspark.sql import functions as F

    refuse_taken(train, {OUTLIER}, where="prepare.drop_outliers")
    outside = {
        name: f"coalesce({sql} < {number_literal(low)} OR {sql} > {number_literal(high)}, false)"
        for name, (sql, low, high) in _bounds(train, plan, columns or {}).items()
    }
    if not outside:
        return train, train.where("false").withColumn(OUTLIER, F.array().cast("array<string>"))
    reasons = [F.when(F.expr(sql), F.lit(name)) for name, sql in outside.items()]
    marked = train.withColumn(OUTLIER, F.array_compact(F.array(*reasons)))
    return marked.where(F.size(OUTLIER) == 0).drop(OUTLIER), marked.where(F.size(OUTLIER) > 0)


def _bounds(train: DataFrame, plan: Plan, columns: Mapping[str, Promise]) -> dict[str, tuple[str, float, float]]:
    """For each feature that drops rows its SQL and what is usual of it; one scan."""
    numbers = {
        name: NumericFeature(name, feature, columns.get(name))
        for name, feature in plan.features.items()
        if feature.outliers is not None and feature.outliers.action == "drop"
    }
    if not numbers:
        return {}
    require_inputs(train, plan)
    wanted = reduce(or_, (Wanted(values=(n.column,), ranges=((n.column, *n.range),)) for n in numbers.values()))
    if SPLIT in train.columns:
        wanted |= Wanted(frequencies=(SPLIT,))
    computed = {n.column: n.sql for n in numbers.values() if n.column != n.name}
    raw = [quote(name) for name in wanted.columns if name not in computed]
    statistics = scan(train.selectExpr(*raw, *(f"{sql} AS {quote(name)}" for name, sql in computed.items())), wanted)
    refuse_other_splits(statistics)
    bounds = {}
    for name, n in numbers.items():
        rule, values = plan.features[name].outliers, statistics.values[n.column].weighted()
        if rule is not None and values.n:
            bounds[name] = (n.sql, *outliers.bounds(rule, values))
    return bounds
