"""Great Expectations' engine for Spark, which computes all metrics of a suite in two passes over the rows.

Great Expectations asks for metrics round by round, and computes most of them in a pass of their own. Here, metrics that
read rows wait until nothing else is left to be computed; then all aggregates are one pass, and all that depends on how
often values occur is another. Verdicts remain Great Expectations' own: it is only given metrics.

The engine overrides methods of Great Expectations and uses members that are not public;
tests/quality/test_private_members.py fails when a new version moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from great_expectations.core.id_dict import IDDict
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.registry import get_metric_provider
from great_expectations.util import convert_to_json_serializable
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.quality.domains import ALL_ROWS, DOMAIN, Domains, all_hold, domain_with_columns
from traintable.quality.subject import Subject
from traintable.quality.value_counts import (
    DISTINCT_VALUES,
    UNEXPECTED_COUNT,
    UNEXPECTED_VALUES,
    UNIQUE,
    VALUE_COUNTS,
    count_values,
    group_of,
    is_comparison,
)
from traintable.spark.errors import is_of_expression

if TYPE_CHECKING:
    from great_expectations.execution_engine.execution_engine import MetricComputationConfiguration
    from pyspark.sql import Column, DataFrame

_FEW = 20_000  # rows that one task groups sooner than several
_EXACT = 2**31 - 1  # accuracy with which Spark gives quantiles without an error

_ROW_COUNT, _FILTERED_ROW_COUNT = "table.row_count", ".filtered_row_count"
_QUANTILES, _MEDIAN = "column.quantile_values", "column.median"

Metrics = dict[MetricConfigurationID, Any]


class TwoPassEngine(SparkDFExecutionEngine):
    """The engine for the rows of one table, which are there or are computed in the first of the passes.

    Batches are subsets of the rows (name -> condition; None for all rows).

    Attributes
    ----------
    failure : what stopped a pass; Great Expectations would only log it.
    """

    def __init__(self, subject: Subject, batches: Mapping[str, Column | None]) -> None:
        super().__init__(persist=False)
        self.failure: Exception | None = None
        self._subject, self._batches = subject, batches
        self._row_counts: list[MetricComputationConfiguration] = []
        self._resolved: Metrics = {}
        self._domains = Domains(subject.rows.schema, batches)
        self.holds = self._domains.holds
        self._load_batches()

    @property
    def _rows(self) -> DataFrame:
        return self._subject.rows

    def _load_batches(self) -> None:
        for name, condition in self._batches.items():
            self.load_batch_data(name, self._rows if condition is None else self._rows.where(condition))

    def _compute_rows(self, aggregates: Sequence[Column] = ()) -> list[Any]:
        try:
            values = self._subject.compute(aggregates)
        except Exception as error:
            self.failure = error
            raise
        self._load_batches()
        return values

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Metrics | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Metrics:
        """The metrics that Great Expectations asks for in a round, given all those that it has; row counts are added.

        Nearly all metrics wait for a row count without making use of it, so it is given as None before it is known.
        """
        self._resolved = {} if metrics is None else metrics
        resolved: Metrics = super().resolve_metrics(metrics_to_resolve, metrics, runtime_configuration)
        return resolved

    def finish(self) -> None:
        """Compute the row counts and the rows that no other metric needed."""
        if self._row_counts:
            self._aggregate([])
        elif self._subject.is_pending:
            self._compute_rows()

    def _process_direct_and_bundled_metric_computation_configurations(
        self,
        metric_fn_direct_configurations: list[MetricComputationConfiguration],
        metric_fn_bundle_configurations: list[MetricComputationConfiguration],
    ) -> Metrics:
        """The metrics of a round: first those that read no rows; when none of these is left, the two passes."""
        self._require_no_failure()
        direct, bundle = metric_fn_direct_configurations, metric_fn_bundle_configurations
        ready = [metric for metric in direct if not _reads_rows(metric.metric_configuration.metric_name)]
        if ready:
            return self._resolve_directly(ready, [])
        if bundle and not direct and all(metric.metric_configuration.metric_name == _ROW_COUNT for metric in bundle):
            self._row_counts += [_of_all_rows(metric, F.count_if(self.holds(_domain_of(metric)))) for metric in bundle]
            return dict.fromkeys(metric.metric_configuration.id for metric in bundle)
        grouped = [metric for metric in [*direct, *bundle] if group_of(metric) is not None]
        aggregates = [metric for metric in bundle if group_of(metric) is None]
        others = []
        for metric in direct:
            if group_of(metric) is None:
                aggregate = self._as_aggregate(metric)
                if aggregate is None:
                    others.append(metric)
                else:
                    aggregates.append(aggregate)
        return self._compute_metrics(aggregates, grouped, others)

    def _compute_metrics(
        self,
        aggregates: list[MetricComputationConfiguration],
        grouped: list[MetricComputationConfiguration],
        others: list[MetricComputationConfiguration],
    ) -> Metrics:
        """Aggregates in one pass, counts of values in another, and each of the others as Great Expectations does."""
        resolved: Metrics = {}
        if self._subject.is_pending:
            if any(self._domains.conditions(_domain_of(metric)) for metric in [*aggregates, *self._row_counts]):
                self._compute_rows()
            else:  # the pass that computes the rows also computes the aggregates
                resolved = self._resolve_directly([], aggregates) if aggregates else self._aggregate([])
                aggregates = []
        with ThreadPoolExecutor(1) as pool:  # both passes at the same time
            counting = pool.submit(self._count_values, grouped)
            resolved |= self._resolve_directly([], aggregates)
        try:
            resolved |= counting.result()
        except Exception as error:
            self.failure = error
            raise
        if others:  # their dependencies were built before the row counts were known
            direct, _ = self._build_direct_and_bundled_metric_computation_configurations(
                [metric.metric_configuration for metric in others], {**self._resolved, **resolved}, {}
            )
            resolved |= self._resolve_directly(direct, [])
        return resolved

    def _resolve_directly(
        self, direct: list[MetricComputationConfiguration], bundle: list[MetricComputationConfiguration]
    ) -> Metrics:
        resolved: Metrics = super()._process_direct_and_bundled_metric_computation_configurations(direct, bundle)
        return resolved

    def resolve_metric_bundle(self, metric_fn_bundle: Iterable[MetricComputationConfiguration]) -> Metrics:
        """All aggregates in one pass; Great Expectations also asks for none, which costs nothing."""
        self._require_no_failure()
        bundle = list(metric_fn_bundle)
        return self._aggregate(bundle) if bundle else {}

    def _require_no_failure(self) -> None:
        """Raise the failure again: Great Expectations would try each metric by itself, and then twice more."""
        if self.failure is not None:
            raise self.failure

    def _aggregate(self, bundle: Sequence[MetricComputationConfiguration]) -> Metrics:
        """These metrics, and the row counts that were given as None."""
        metrics = [*bundle, *self._row_counts]
        domains = [_domain_of(metric) for metric in metrics]
        aggregates: list[Any] = [metric.metric_fn for metric in metrics]
        values = self._values_while_computed(domains, aggregates) if self._subject.is_pending else None
        if values is None:
            values = self._values(domains, aggregates)
        ids = [metric.metric_configuration.id for metric in metrics]
        resolved = {id_: convert_to_json_serializable(value) for id_, value in zip(ids, values, strict=True)}
        row_counts = [metric.metric_configuration.id for metric in self._row_counts]
        self._resolved.update({id_: resolved[id_] for id_ in row_counts})
        self._row_counts = []
        return resolved

    def _values_while_computed(self, domains: Sequence[IDDict], aggregates: Sequence[Column]) -> list[Any] | None:
        """The aggregates, from the pass in which the rows are computed.

        None where they are about subsets of the rows, or can't be computed, which a pass of their own will show.
        """
        if any(map(self._domains.conditions, domains)):
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
        """The aggregates, each over the rows of its domain; rows are read once for each domain."""
        rows, numbers = self._domains.add_domain(self._rows, domains)
        columns = [aggregate.alias(f"m{i}") for i, aggregate in enumerate(aggregates)]
        if len(set(numbers)) == 1:  # as mostly: no grouping, which is slow with texts among the values
            collected = {0: rows.agg(*columns).collect()[0]}
        else:
            collected = {row[DOMAIN]: row for row in rows.groupBy(DOMAIN).agg(*columns).collect()}  # one a domain
        if len(collected) < len(set(numbers)):  # some domains have no rows
            empty = self._rows.limit(0).agg(*columns).collect()[0]
            collected = {number: collected.get(number, empty) for number in set(numbers)}
        return [collected[number][f"m{i}"] for i, number in enumerate(numbers)]

    def _count_values(self, metrics: Sequence[MetricComputationConfiguration]) -> Metrics:
        """All metrics that depend on how often values occur, in one pass."""
        if not metrics:
            return {}
        # One task saves the shuffles of few rows.
        rows = self._rows.coalesce(1) if (self._subject.n or _FEW) < _FEW else self._rows
        resolved: Metrics = count_values(rows, metrics, self.holds)
        self._metric_cache.update(resolved)
        return resolved

    def _as_aggregate(self, metric: MetricComputationConfiguration) -> MetricComputationConfiguration | None:
        """A metric that would take a pass of its own, as an aggregate that shares one; None where it is none."""
        name: str = metric.metric_configuration.metric_name
        dependencies = metric.metric_provider_kwargs["metrics"]
        if name in (_QUANTILES, _MEDIAN):
            return self._quantiles(metric)
        if "unexpected_condition" not in dependencies:
            return None
        unexpected, compute, accessor = dependencies["unexpected_condition"]
        domain = self._domains.conditions(domain_with_columns(compute, accessor))
        if name.endswith(_FILTERED_ROW_COUNT):
            return _of_all_rows(metric, F.count_if(all_hold(domain)))
        if self.reads_other_rows(metric.metric_configuration.metric_dependencies["unexpected_condition"]):
            return None
        is_unexpected = all_hold([*domain, unexpected])
        if name.endswith(UNEXPECTED_COUNT):
            return _of_all_rows(metric, F.count_if(is_unexpected))
        value = F.when(is_unexpected, _example(accessor))
        return _of_all_rows(metric, F.array_distinct(F.array_compact(F.array(F.min(value), F.max(value)))))

    def _quantiles(self, metric: MetricComputationConfiguration) -> MetricComputationConfiguration | None:
        domain = metric.metric_configuration.metric_domain_kwargs
        values = F.col(quote(domain["column"]))
        compute = IDDict({key: value for key, value in domain.items() if key != "column"})
        column = F.when(self.holds(compute) & ~F.isnan(values), values)
        if metric.metric_configuration.metric_name == _MEDIAN:
            return _of_all_rows(metric, F.median(column))
        arguments = metric.metric_configuration.metric_value_kwargs
        if arguments.get("allow_relative_error"):
            return None
        probabilities = list(arguments["quantiles"])
        none = F.array(*[F.lit(None).cast("double")] * len(probabilities))
        quantiles = F.percentile_approx(column.cast("double"), probabilities, _EXACT)
        return _of_all_rows(metric, F.coalesce(quantiles, none))

    def reads_other_rows(self, condition: MetricConfiguration) -> bool:
        """Whether a condition on a row depends on other rows."""
        provider: Any
        _, provider = get_metric_provider(condition.metric_name, self)
        is_window = provider.metric_fn_type == MetricPartialFunctionTypes.WINDOW_CONDITION_FN
        return bool(is_window or condition.metric_name.startswith(UNIQUE))  # one of which is not declared as such


def _reads_rows(name: str) -> bool:
    """Whether a metric that Great Expectations computes directly takes a pass over the rows."""
    is_named = name in (DISTINCT_VALUES, VALUE_COUNTS, _QUANTILES, _MEDIAN)
    return is_named or name.endswith((UNEXPECTED_COUNT, UNEXPECTED_VALUES, _FILTERED_ROW_COUNT)) or is_comparison(name)


def _of_all_rows(metric: MetricComputationConfiguration, column: Column) -> MetricComputationConfiguration:
    """A metric as an aggregate over all rows, which itself chooses those that count."""
    return replace(metric, metric_fn=column, compute_domain_kwargs=ALL_ROWS)


def _domain_of(metric: MetricComputationConfiguration) -> IDDict:
    return IDDict(metric.compute_domain_kwargs or {})


def _example(accessor: Mapping[str, Any]) -> Column:
    """The value of a row that a rule is about."""
    if "column" in accessor:
        return F.col(quote(accessor["column"]))
    names = accessor.get("column_list") or [accessor["column_A"], accessor["column_B"]]
    return F.struct(*[F.col(quote(name)) for name in names])


def _is_of_a_rule(error: Exception) -> bool:
    """Whether an aggregate may have failed, rather than the rows."""
    return is_of_expression(error) or "great_expectations" in str(error)
