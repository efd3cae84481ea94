"""Great Expectations' engine for Spark, which gets all that a suite needs to know of rows in two passes over them.

Great Expectations asks for metrics round by round, and reads the rows for most of them one by one. Here, what needs
rows waits until nothing else is left to be done; then all that are aggregates are one pass, and all that depend on how
often values occur another one. Verdicts stay Great Expectations' own: only metrics are handed to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import pandas as pd
from great_expectations.core.id_dict import IDDict
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.registry import get_metric_provider
from great_expectations.util import convert_to_json_serializable
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.errors import ConfigError
from traintable.quality.subject import Subject
from traintable.spark.errors import is_of_expression

if TYPE_CHECKING:
    from great_expectations.execution_engine.execution_engine import MetricComputationConfiguration
    from pyspark.sql import Column, DataFrame

MAX_VALUES = 10_000  # that a rule on the different values of a column may look at
_FEW = 20_000  # rows that one task groups sooner than several
_SHOWN = 20  # of different values, where a rule does not say how many
_EXACT = 2**31 - 1  # accuracy with which Spark gives quantiles without an error
_DOMAIN, _GROUP = "_domain", "_group"

_ALL = IDDict(batch_id="every row of the table")
_ROW_COUNT = "table.row_count"

Metrics = dict[MetricConfigurationID, Any]


class TwoPassEngine(SparkDFExecutionEngine):
    """The engine for the rows of one table, which are there or are computed in the first of the passes.

    Batches are parts of them (name -> condition; None for all rows).
    """

    def __init__(self, subject: Subject, batches: Mapping[str, Column | None]) -> None:
        super().__init__(persist=False)
        self.failure: Exception | None = None  # that Great Expectations would only log
        self._subject, self._batches = subject, batches
        self._row_counts: list[MetricComputationConfiguration] = []
        self._resolved: Metrics = {}
        self._domains = SparkDFExecutionEngine(persist=False)
        schema = subject.rows.schema
        for name, condition in [*batches.items(), (_ALL["batch_id"], None)]:
            recorded: Any = SparkDFBatchData(self._domains, _Recorder(schema, condition))
            self._domains.load_batch_data(name, recorded)
        self._load_batches()

    @property
    def _rows(self) -> DataFrame:
        return self._subject.rows

    def _load_batches(self) -> None:
        for name, condition in self._batches.items():
            self.load_batch_data(name, self._rows if condition is None else self._rows.where(condition))

    def _compute_rows(self, aggregates: Sequence[Column] = ()) -> list[Any]:
        try:
            found = self._subject.compute(aggregates)
        except Exception as error:
            self.failure = error
            raise
        self._load_batches()
        return found

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Metrics | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Metrics:
        """What Great Expectations asks for in a round; it hands over all that it knows, to which row counts are added.

        Nearly all metrics wait for a row count without making use of it, so it is said to be known before it is.
        """
        self._resolved = {} if metrics is None else metrics
        found: Metrics = super().resolve_metrics(metrics_to_resolve, metrics, runtime_configuration)
        return found

    def finish(self) -> None:
        """Get what no other metric has led to."""
        if self._row_counts:
            self._aggregated([])
        elif self._subject.is_pending:
            self._compute_rows()

    def _process_direct_and_bundled_metric_computation_configurations(
        self,
        metric_fn_direct_configurations: list[MetricComputationConfiguration],
        metric_fn_bundle_configurations: list[MetricComputationConfiguration],
    ) -> Metrics:
        self._require_no_failure()
        direct, bundle = metric_fn_direct_configurations, metric_fn_bundle_configurations
        ready = [one for one in direct if not _needs_rows(one.metric_configuration.metric_name)]
        if ready:
            return self._by_itself(ready, [])
        if bundle and not direct and all(one.metric_configuration.metric_name == _ROW_COUNT for one in bundle):
            self._row_counts += [_of_all_rows(one, F.count_if(self.holds(_domain_of(one)))) for one in bundle]
            return dict.fromkeys(one.metric_configuration.id for one in bundle)
        grouped = [one for one in [*direct, *bundle] if _group_of(one) is not None]
        sums = [one for one in bundle if _group_of(one) is None]
        others = []
        for one in direct:
            if _group_of(one) is None:
                aggregate = self._aggregate(one)
                if aggregate is None:
                    others.append(one)
                else:
                    sums.append(aggregate)
        found: Metrics = {}
        if self._subject.is_pending:
            if any(self._conditions(_domain_of(one)) for one in [*sums, *self._row_counts]):
                self._compute_rows()
            else:  # the pass in which rows are computed is that of the sums, too
                found, sums = (self._by_itself([], sums) if sums else self._aggregated([])), []
        with ThreadPoolExecutor(1) as pool:  # the passes run side by side
            counting = pool.submit(self._grouped, grouped)
            found |= self._by_itself([], sums)
        try:
            found |= counting.result()
        except Exception as error:
            self.failure = error
            raise
        if others:  # which have not been told the row counts yet
            direct, _ = self._build_direct_and_bundled_metric_computation_configurations(
                [one.metric_configuration for one in others], {**self._resolved, **found}, {}
            )
            found |= self._by_itself(direct, [])
        return found

    def _by_itself(
        self, direct: list[MetricComputationConfiguration], bundle: list[MetricComputationConfiguration]
    ) -> Metrics:
        found: Metrics = super()._process_direct_and_bundled_metric_computation_configurations(direct, bundle)
        return found

    def resolve_metric_bundle(self, metric_fn_bundle: Iterable[MetricComputationConfiguration]) -> Metrics:
        """All aggregates in one pass; none, which Great Expectations asks for too, are not waited for."""
        self._require_no_failure()
        bundle = list(metric_fn_bundle)
        return self._aggregated(bundle) if bundle else {}

    def _require_no_failure(self) -> None:
        """Raise it again: Great Expectations goes on to ask, for each metric by itself and then twice more."""
        if self.failure is not None:
            raise self.failure

    def _aggregated(self, bundle: Sequence[MetricComputationConfiguration]) -> Metrics:
        """These, and the row counts that are said to be known."""
        wanted = [*bundle, *self._row_counts]
        domains = [_domain_of(one) for one in wanted]
        aggregates: list[Any] = [one.metric_fn for one in wanted]
        values = self._values_while_computed(domains, aggregates) if self._subject.is_pending else None
        if values is None:
            values = self._values(domains, aggregates)
        ids = [one.metric_configuration.id for one in wanted]
        found = {id_: convert_to_json_serializable(value) for id_, value in zip(ids, values, strict=True)}
        self._resolved.update(
            {one.metric_configuration.id: found[one.metric_configuration.id] for one in self._row_counts}
        )
        self._row_counts = []
        return found

    def _values_while_computed(self, domains: Sequence[IDDict], aggregates: Sequence[Column]) -> list[Any] | None:
        """The aggregates, from the pass in which the rows are computed.

        None where they are of parts of the rows, or one of them can't be computed, which a pass of its own will tell.
        """
        if any(map(self._conditions, domains)):
            self._compute_rows()
            return None
        try:
            return self._compute_rows(aggregates)
        except Exception as error:
            if not _is_of_a_rule(error):
                raise
        self.failure = None
        self._compute_rows()  # if it was not an aggregate, the error comes again
        return None

    def _values(self, domains: Sequence[IDDict], aggregates: Sequence[Column]) -> list[Any]:
        """The aggregates, each of the rows in its domain; rows are taken once for each domain."""
        rows, numbers = self._with_domains(domains)
        columns = [aggregate.alias(f"m{i}") for i, aggregate in enumerate(aggregates)]
        if len(set(numbers)) == 1:  # as mostly: nothing to group by, which texts among the values make slow
            collected = {0: rows.agg(*columns).collect()[0]}
        else:
            collected = {row[_DOMAIN]: row for row in rows.groupBy(_DOMAIN).agg(*columns).collect()}  # one a domain
        if len(collected) < len(set(numbers)):  # of which some have no rows
            nothing = self._rows.limit(0).agg(*columns).collect()[0]
            collected = {number: collected.get(number, nothing) for number in set(numbers)}
        return [collected[number][f"m{i}"] for i, number in enumerate(numbers)]

    def _grouped(self, wanted: Sequence[MetricComputationConfiguration]) -> Metrics:
        """All that depends on how often values occur, in one pass."""
        if not wanted:
            return {}
        groups = [group for one in wanted if (group := _group_of(one)) is not None]
        different = list(dict.fromkeys(groups))
        rows = self._rows
        if (self._subject.n or _FEW) < _FEW:
            rows = rows.coalesce(1)  # which saves the shuffles
        is_in = [F.when(self.holds(group.domain), F.lit(i)) for i, group in enumerate(different)]
        rows = rows.withColumn(_GROUP, F.explode(F.array_compact(F.array(*is_in))))
        values = [", ".join(map(quote, group.columns)) for group in different]
        keys = [F.expr(f"if({_GROUP} = {i}, struct({value}), null)").alias(f"v{i}") for i, value in enumerate(values)]
        counted = rows.groupBy(_GROUP, *keys).agg(F.count(F.lit(1)).alias("n"))
        is_listed = [f"if({group.is_listed}, v{i}, null) AS v{i}" for i, group in enumerate(different)]
        # A value that is all null is none of those that are counted as different.
        values = [f"v{i}.{quote(name)}" for i, group in enumerate(different) for name in group.columns]
        is_present = " OR ".join(f"{value} IS NOT NULL" for value in values)
        told = counted.groupBy(_GROUP, *map(F.expr, is_listed)).agg(
            F.expr("sum(n) AS rows"),
            F.expr(f"count_if({is_present}) AS different"),
            F.expr("sum(if(n > 1, n, 0)) AS repeated"),
        )
        collected = told.limit(MAX_VALUES * len(different) + 1).collect()
        found: Metrics = {}
        for one in wanted:
            i = different.index(_group_of(one))  # type: ignore[arg-type]
            mine = [row for row in collected if row[_GROUP] == i]
            if len(mine) > MAX_VALUES:
                raise _too_many(different[i])
            found[one.metric_configuration.id] = _from_counts(one, _Counts(different[i], mine, i))
        self._metric_cache.update(found)
        return found

    def _aggregate(self, one: MetricComputationConfiguration) -> MetricComputationConfiguration | None:
        """A metric that takes a pass of its own, as an aggregate that shares one; None where it is none."""
        name: str = one.metric_configuration.metric_name
        known = one.metric_provider_kwargs["metrics"]
        if name in (_QUANTILES, _MEDIAN):
            return self._quantiles(one)
        if "unexpected_condition" not in known:
            return None
        unexpected, compute, accessor = known["unexpected_condition"]
        domain = self._conditions(_whole(compute, accessor))
        if name.endswith(".filtered_row_count"):
            return _of_all_rows(one, F.count_if(_all(domain)))
        if self.looks_at_others(one.metric_configuration.metric_dependencies["unexpected_condition"]):
            return None
        is_unexpected = _all([*domain, unexpected])
        if name.endswith(_COUNT):
            return _of_all_rows(one, F.count_if(is_unexpected))
        value = F.when(is_unexpected, _shown(accessor))
        return _of_all_rows(one, F.array_distinct(F.array_compact(F.array(F.min(value), F.max(value)))))

    def _quantiles(self, one: MetricComputationConfiguration) -> MetricComputationConfiguration | None:
        domain = one.metric_configuration.metric_domain_kwargs
        named = F.col(quote(domain["column"]))
        compute = IDDict({key: value for key, value in domain.items() if key != "column"})
        column = F.when(self.holds(compute) & ~F.isnan(named), named)
        if one.metric_configuration.metric_name == _QUANTILES:
            asked = one.metric_configuration.metric_value_kwargs
            if asked.get("allow_relative_error"):
                return None
            quantiles = list(asked["quantiles"])
            none = F.array(*[F.lit(None).cast("double")] * len(quantiles))
            found = F.percentile_approx(column.cast("double"), quantiles, _EXACT)
            return _of_all_rows(one, F.coalesce(found, none))
        return _of_all_rows(one, F.median(column))

    def looks_at_others(self, condition: MetricConfiguration) -> bool:
        """Whether a condition on a row looks at other rows, too."""
        provider: Any
        _, provider = get_metric_provider(condition.metric_name, self)
        is_window = provider.metric_fn_type == MetricPartialFunctionTypes.WINDOW_CONDITION_FN
        return bool(is_window or condition.metric_name.startswith(_UNIQUE))  # one of which is not declared as such

    def holds(self, domain: Mapping[str, Any]) -> Column:
        """The condition that a row is in a domain."""
        return _all(self._conditions(domain))

    def _conditions(self, domain: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = self._domains.get_domain_records(IDDict(domain)).conditions
        return found

    def _with_domains(self, domains: Sequence[IDDict]) -> tuple[DataFrame, list[int]]:
        """The rows with a column that says in which domain they are, once for each; and the number of each domain."""
        found = [self._conditions(domain) for domain in domains]
        different = {str(conditions): conditions for conditions in found}
        numbers = [list(different).index(str(conditions)) for conditions in found]
        holds = [_all(conditions) for conditions in different.values()]
        if len(holds) == 1:
            return self._rows.where(holds[0]).withColumn(_DOMAIN, F.lit(0)), numbers
        columns = [F.when(condition, F.lit(i)) for i, condition in enumerate(holds)]
        return self._rows.withColumn(_DOMAIN, F.explode(F.array_compact(F.array(*columns)))), numbers


class _Recorder:
    """In place of rows: takes down by what they would be filtered."""

    def __init__(self, schema: Any, *conditions: Any) -> None:
        self.schema = schema
        self.conditions = [condition for condition in conditions if condition is not None]

    def filter(self, condition: Any) -> _Recorder:
        return _Recorder(self.schema, *self.conditions, condition)


@dataclass(frozen=True)
class _Group:
    """Values of columns, in a domain, that are counted; `is_listed` where they have to be known one by one."""

    columns: tuple[str, ...]
    domain: Any
    is_listed: bool

    def __hash__(self) -> int:
        return hash((self.columns, self.domain.to_id(), self.is_listed))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Group) and hash(self) == hash(other)


@dataclass(frozen=True)
class _Counts:
    """What was counted of a group."""

    group: _Group
    rows: Sequence[Any]
    number: int

    @property
    def repeated(self) -> int:
        """The rows whose value another row has, too."""
        return sum(int(row["repeated"]) for row in self.rows)

    @property
    def different(self) -> int:
        """The values that occur, without null."""
        return sum(int(row["different"]) for row in self.rows)

    @property
    def values(self) -> dict[Any, int]:
        """The values and how often they occur, without null."""
        found = {self._plain(row[f"v{self.number}"]): int(row["rows"]) for row in self.rows}
        return {value: n for value, n in found.items() if value is not None}

    def _plain(self, value: Any) -> Any:
        return value[0] if len(self.group.columns) == 1 else value.asDict()


def _from_counts(one: MetricComputationConfiguration, counts: _Counts) -> Any:
    """A metric, from what was counted for it."""
    kind = _kind(one)
    compare = _COMPARED.get(kind.removesuffix(".count"))
    if compare is None:
        return _GROUPED[kind](counts)
    arguments = one.metric_configuration.metric_value_kwargs
    by_text = {str(value): value for value in counts.values}
    wanted = {by_text.get(str(value), value) for value in arguments.get("value_set") or ()}
    told = compare(set(counts.values), wanted)
    return len(told) if kind.endswith(".count") else sorted(told, key=str)[: arguments.get("limit") or _SHOWN]


def _value_counts(counts: _Counts) -> pd.Series[int]:
    found = sorted(counts.values.items())
    return pd.Series([n for _, n in found], index=pd.Index([value for value, _ in found], name="value"), name="count")


_VALUES, _VALUE_COUNTS, _DIFFERENT = "column.distinct_values", "column.value_counts", "column.distinct_values.count"
_UNIQUE = ("column_values.unique", "compound_columns.unique")
_COUNT, _EXAMPLES = ".unexpected_count", ".unexpected_values"
_GROUPED: dict[str, Callable[[_Counts], Any]] = {
    _VALUES: lambda counts: set(counts.values),
    _VALUE_COUNTS: _value_counts,
    _DIFFERENT: lambda counts: counts.different,
    _COUNT: lambda counts: counts.repeated,
    _EXAMPLES: lambda _: [],  # which would have to be sorted out
}
# What compares the different values with those of a rule: values, those of the rule -> those that are told.
_COMPARED: dict[str, Callable[[set[Any], set[Any]], set[Any]]] = {
    "column.distinct_values.not_in_set": lambda values, wanted: values - wanted,
    "column.distinct_values.missing_from_column": lambda values, wanted: wanted - values,
}
_QUANTILES, _MEDIAN = "column.quantile_values", "column.median"


def _needs_rows(name: str) -> bool:
    """Whether a metric that Great Expectations computes directly takes a pass over the rows."""
    return name in (_VALUES, _VALUE_COUNTS, _QUANTILES, _MEDIAN) or (
        name.endswith((_COUNT, _EXAMPLES, ".filtered_row_count")) or name.removesuffix(".count") in _COMPARED
    )


def _kind(one: MetricComputationConfiguration) -> str:
    """Under which name of `_GROUPED` a metric is found."""
    name: str = one.metric_configuration.metric_name
    return next((ending for ending in (_COUNT, _EXAMPLES) if name.endswith(ending)), name)


def _group_of(one: MetricComputationConfiguration) -> _Group | None:
    """What has to be counted for a metric; None where nothing has to."""
    name: str = one.metric_configuration.metric_name
    domain = one.metric_configuration.metric_domain_kwargs
    if name in (_VALUES, _VALUE_COUNTS, _DIFFERENT) or name.removesuffix(".count") in _COMPARED:
        compute = IDDict({key: value for key, value in domain.items() if key != "column"})
        return _Group((domain["column"],), compute, name != _DIFFERENT)
    if not any(name in (f"{unique}{_COUNT}", f"{unique}{_EXAMPLES}") for unique in _UNIQUE):
        return None
    _, compute, accessor = one.metric_provider_kwargs["metrics"]["unexpected_condition"]
    columns = (accessor["column"],) if "column" in accessor else tuple(accessor["column_list"])
    return _Group(columns, _whole(compute, accessor), False)


def _of_all_rows(one: MetricComputationConfiguration, column: Column) -> MetricComputationConfiguration:
    """A metric as an aggregate of all rows, to which it is left which of them count."""
    return replace(one, metric_fn=column, compute_domain_kwargs=_ALL)


def _whole(compute: Mapping[str, Any], accessor: Mapping[str, Any]) -> IDDict:
    """The domain, with the columns that `ignore_row_if` is about."""
    return IDDict({**compute, **accessor})


def _shown(accessor: Mapping[str, Any]) -> Column:
    """The values that a rule looks at, of one row."""
    if "column" in accessor:
        return F.col(quote(accessor["column"]))
    names = accessor.get("column_list") or [accessor["column_A"], accessor["column_B"]]
    return F.struct(*[F.col(quote(name)) for name in names])


def _domain_of(one: MetricComputationConfiguration) -> IDDict:
    return IDDict(one.compute_domain_kwargs or {})


def _all(conditions: Sequence[Any]) -> Column:
    found = [F.expr(one) if isinstance(one, str) else one for one in conditions]
    return reduce(lambda both, one: both & one, found) if found else F.lit(True)


def _is_of_a_rule(error: Exception) -> bool:
    """Whether it may be an aggregate that can't be computed, rather than the rows."""
    return is_of_expression(error) or "great_expectations" in str(error)


def _too_many(group: _Group) -> ConfigError:
    return ConfigError(
        where=f"gate.expectations, column {', '.join(group.columns)}",
        expected=f"at most {MAX_VALUES:,} different values, which a rule looks at one by one",
        found="more",
        remedy="Use a rule that looks at each row, such as expect_column_values_to_be_in_set.",
    )
