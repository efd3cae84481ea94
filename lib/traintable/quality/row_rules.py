"""Rules on single rows, as conditions on rows: rows that break them can be quarantined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from pyspark.sql import functions as F

from traintable.errors import ConfigError
from traintable.quality.suite import Rule, build_expectation, not_computable

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from traintable.quality.engine import TwoPassEngine


def failed_rules(rows: DataFrame, rules: Sequence[Rule]) -> Column:
    """The ids of the rules that a row breaks, as Great Expectations counts them; costs no pass.

    Raises ConfigError for a rule that is not on single rows.
    """
    if not rules:
        return F.array().cast("array<string>")
    from traintable.quality.engine import TwoPassEngine
    from traintable.quality.subject import ComputedRows

    engine = TwoPassEngine(ComputedRows(rows), {"all": None})
    failed = [F.when(_unexpected(engine, rule), F.lit(rule.id)) for rule in rules]
    return F.array_compact(F.array(*failed))


def _unexpected(engine: TwoPassEngine, rule: Rule) -> Column:
    """Whether a rule counts a row as unexpected."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.registry import get_metric_kwargs
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.validation_graph import ValidationGraph

    expectation = build_expectation(rule, batch="all")
    metric = getattr(expectation, "map_metric", None)
    if not metric:
        raise _not_on_rows(rule)
    kwargs = get_metric_kwargs(f"{metric}.condition", expectation.configuration)
    domain, values = kwargs["metric_domain_kwargs"], kwargs["metric_value_kwargs"]
    configuration = MetricConfiguration(f"{metric}.condition", domain, values)
    graph = ValidationGraph(engine)
    graph.build_metric_dependency_graph(configuration, {})
    try:
        resolved, failures = graph.resolve({}, show_progress_bars=False)
    except GreatExpectationsError as error:
        raise not_computable(rule, str(error)) from error
    if configuration.id not in resolved:
        failure = next(iter(failures.values()))["exception_info"]
        raise not_computable(rule, str(getattr(failure, "exception_message", failure)))
    if engine.reads_other_rows(configuration):
        raise _not_on_rows(rule)
    resolved_condition: Any = resolved[configuration.id]
    condition, compute, accessor = resolved_condition
    return cast("Column", engine.holds({**compute, **accessor}) & condition)


def _not_on_rows(rule: Rule) -> ConfigError:
    return ConfigError(
        where=f"{rule.where}.level",
        expected="`warn` or `fail`, for the rule is about a whole column",
        found="`quarantine`, which is for rules on single rows",
        remedy="Change the level, or use a rule on rows such as expect_column_values_to_be_between.",
    )
