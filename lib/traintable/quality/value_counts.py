"""Metrics that depend on how often values occur, all of them computed in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from great_expectations.core.id_dict import IDDict
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.errors import ConfigError
from traintable.quality.domains import domain_with_columns

if TYPE_CHECKING:
    from great_expectations.execution_engine.execution_engine import MetricComputationConfiguration
    from pyspark.sql import Column, DataFrame

MAX_VALUES = 10_000  # that a rule on the different values of a column may have
_EXAMPLES_SHOWN = 20  # of different values, where a rule does not say how many
_GROUP = "_group"

DISTINCT_VALUES, N_DISTINCT = "column.distinct_values", "column.distinct_values.count"
VALUE_COUNTS = "column.value_counts"
UNIQUE = ("column_values.unique", "compound_columns.unique")
UNEXPECTED_COUNT, UNEXPECTED_VALUES = ".unexpected_count", ".unexpected_values"


@dataclass(frozen=True)
class ValueGroup:
    """Values of columns in a domain, whose number is counted; `is_listed` where each value has to be known."""

    columns: tuple[str, ...]
    domain: Any
    is_listed: bool

    def __hash__(self) -> int:
        return hash((self.columns, self.domain.to_id(), self.is_listed))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValueGroup) and hash(self) == hash(other)


def group_of(metric: MetricComputationConfiguration) -> ValueGroup | None:
    """The values that have to be counted for a metric; None where none have to."""
    name: str = metric.metric_configuration.metric_name
    domain = metric.metric_configuration.metric_domain_kwargs
    if name in (DISTINCT_VALUES, VALUE_COUNTS, N_DISTINCT) or is_comparison(name):
        compute = IDDict({key: value for key, value in domain.items() if key != "column"})
        return ValueGroup((domain["column"],), compute, name != N_DISTINCT)
    if not any(name in (f"{unique}{UNEXPECTED_COUNT}", f"{unique}{UNEXPECTED_VALUES}") for unique in UNIQUE):
        return None
    _, compute, accessor = metric.metric_provider_kwargs["metrics"]["unexpected_condition"]
    columns = (accessor["column"],) if "column" in accessor else tuple(accessor["column_list"])
    return ValueGroup(columns, domain_with_columns(compute, accessor), False)


def is_comparison(name: str) -> bool:
    """Whether a metric compares the different values of a column with those of a rule."""
    return name.removesuffix(".count") in _COMPARISONS


def count_values(
    rows: DataFrame, metrics: Sequence[MetricComputationConfiguration], holds: Callable[[Any], Column]
) -> dict[Any, Any]:
    """The metrics by their ids, from one pass over the rows; `holds` gives the condition of a domain.

    Raises ConfigError for a rule on too many different values.
    """
    groups = [group for metric in metrics if (group := group_of(metric)) is not None]
    different = list(dict.fromkeys(groups))
    collected = _counts(rows, different, holds).limit(MAX_VALUES * len(different) + 1).collect()
    values = {}
    for metric, group in zip(metrics, groups, strict=True):
        i = different.index(group)
        own = [row for row in collected if row[_GROUP] == i]
        if len(own) > MAX_VALUES:
            raise _too_many(group)
        values[metric.metric_configuration.id] = _metric_value(metric, _Counts(group, own, i))
    return values


def _counts(rows: DataFrame, groups: Sequence[ValueGroup], holds: Callable[[Any], Column]) -> DataFrame:
    """For each group (its number in `_group`) and listed value: `rows`, `different` and `repeated`."""
    is_in = [F.when(holds(group.domain), F.lit(i)) for i, group in enumerate(groups)]
    rows = rows.withColumn(_GROUP, F.explode(F.array_compact(F.array(*is_in))))
    values = [", ".join(map(quote, group.columns)) for group in groups]
    keys = [F.expr(f"if({_GROUP} = {i}, struct({value}), null)").alias(f"v{i}") for i, value in enumerate(values)]
    counted = rows.groupBy(_GROUP, *keys).agg(F.count(F.lit(1)).alias("n"))
    is_listed = [f"if({group.is_listed}, v{i}, null) AS v{i}" for i, group in enumerate(groups)]
    # A value whose columns are all null does not count as different.
    fields = [f"v{i}.{quote(name)}" for i, group in enumerate(groups) for name in group.columns]
    is_present = " OR ".join(f"{field} IS NOT NULL" for field in fields)
    return counted.groupBy(_GROUP, *map(F.expr, is_listed)).agg(
        F.expr("sum(n) AS rows"),
        F.expr(f"count_if({is_present}) AS different"),
        F.expr("sum(if(n > 1, n, 0)) AS repeated"),
    )


@dataclass(frozen=True)
class _Counts:
    """The counts of the values of a group."""

    group: ValueGroup
    rows: Sequence[Any]
    number: int

    @property
    def repeated(self) -> int:
        """The rows whose value other rows have too."""
        return sum(int(row["repeated"]) for row in self.rows)

    @property
    def different(self) -> int:
        """The number of different values, without null."""
        return sum(int(row["different"]) for row in self.rows)

    @property
    def values(self) -> dict[Any, int]:
        """The values and how often they occur, without null."""
        counts = {self._value(row[f"v{self.number}"]): int(row["rows"]) for row in self.rows}
        return {value: n for value, n in counts.items() if value is not None}

    def _value(self, fields: Any) -> Any:
        return fields[0] if len(self.group.columns) == 1 else fields.asDict()


def _metric_value(metric: MetricComputationConfiguration, counts: _Counts) -> Any:
    name: str = metric.metric_configuration.metric_name
    compare = _COMPARISONS.get(name.removesuffix(".count"))
    if compare is None:
        ending = next((ending for ending in (UNEXPECTED_COUNT, UNEXPECTED_VALUES) if name.endswith(ending)), name)
        return _METRICS[ending](counts)
    arguments = metric.metric_configuration.metric_value_kwargs
    by_text = {str(value): value for value in counts.values}
    expected = {by_text.get(str(value), value) for value in arguments.get("value_set") or ()}
    values = compare(set(counts.values), expected)
    if name.endswith(".count"):
        return len(values)
    return sorted(values, key=str)[: arguments.get("limit") or _EXAMPLES_SHOWN]


def _value_counts(counts: _Counts) -> pd.Series[int]:
    pairs = sorted(counts.values.items())
    return pd.Series([n for _, n in pairs], index=pd.Index([value for value, _ in pairs], name="value"), name="count")


_METRICS: Mapping[str, Callable[[_Counts], Any]] = {
    DISTINCT_VALUES: lambda counts: set(counts.values),
    VALUE_COUNTS: _value_counts,
    N_DISTINCT: lambda counts: counts.different,
    UNEXPECTED_COUNT: lambda counts: counts.repeated,
    UNEXPECTED_VALUES: lambda _: [],  # which would need a pass of their own
}
# Metrics that compare the different values of a column with those of a rule.
_COMPARISONS: Mapping[str, Callable[[set[Any], set[Any]], set[Any]]] = {
    "column.distinct_values.not_in_set": lambda values, expected: values - expected,
    "column.distinct_values.missing_from_column": lambda values, expected: expected - values,
}


def _too_many(group: ValueGroup) -> ConfigError:
    return ConfigError(
        where=f"gate.expectations, column {', '.join(group.columns)}",
        expected=f"at most {MAX_VALUES:,} different values, for the rule compares each of them",
        found="more",
        remedy="Use a rule on rows, such as expect_column_values_to_be_in_set.",
    )
