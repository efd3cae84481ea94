"""Let Great Expectations check exactly the rows that will be published, and give a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from traintable.config.dataset import Gate
from traintable.quality.audit import FAILED
from traintable.quality.rule_result import RuleResult
from traintable.quality.subject import ComputedRows, Subject
from traintable.quality.suite import Rule, build_expectation, not_computable, rules_of
from traintable.quality.verdict import Verdict
from traintable.table_columns import TableColumns

_ALL, _PUBLISHED = "all", "published"
_FORMAT = {"result_format": {"result_format": "BASIC", "partial_unexpected_count": 3}}


def check(audited: DataFrame | Subject, gate: Gate, columns: TableColumns, *, classes: Sequence[int | str]) -> Verdict:
    """Let Great Expectations check the rows that `with_gate_columns` gives, and return its verdict.

    Rules of level quarantine check all rows, others the rows that break none of these. Costs two narrow passes: one
    for all sums and counts of rows, and one for all counts of values. Where rows are still to be computed, the first
    of them computes them, unless rules are about a subset of the rows. A rule on the order of rows, or on a histogram,
    costs what Great Expectations makes of it. Raises ConfigError for a rule that can't be computed.

    >>> from traintable.quality import with_gate_columns
    >>> columns = TableColumns(key=("id",), label="late", features=("x",))
    >>> rows = spark.sql("SELECT id, id % 2 AS late, 'train' AS split, array(float(id)) AS features FROM range(4)")
    >>> verdict = check(with_gate_columns(rows, Gate(), columns), Gate(), columns, classes=(0, 1))
    >>> [(rule.id, rule.found) for rule in verdict.refusals[:2]]
    [('rows:validation', '0.0'), ('rows:test', '0.0')]
    >>> verdict.refusals[2].found
    "missing ['test/0', 'test/1', 'validation/0', 'validation/1']"
    """
    subject = ComputedRows(audited) if isinstance(audited, DataFrame) else audited
    rules = rules_of(gate, columns, classes=classes)
    validations = _validate(subject, rules)
    private = set(columns.private)
    return Verdict(
        tuple(RuleResult.of_validation(rule, found, private) for rule, found in zip(rules, validations, strict=True))
    )


def _validate(subject: Subject, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """What Great Expectations says of each rule, as JSON."""
    from great_expectations.validator.validation_graph import ValidationGraph

    from traintable.quality.engine import TwoPassEngine

    has_quarantine = any(rule.expectation.level == "quarantine" for rule in rules)
    engine = TwoPassEngine(subject, {_ALL: None, **({_PUBLISHED: F.size(FAILED) == 0} if has_quarantine else {})})
    graph = ValidationGraph(engine)
    expectations = []
    for rule in rules:
        is_of_all = not has_quarantine or rule.expectation.level == "quarantine"
        expectation = build_expectation(rule, batch=_ALL if is_of_all else _PUBLISHED)
        needed = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=dict(_FORMAT))
        for configuration in needed.get_metric_configurations():
            graph.build_metric_dependency_graph(configuration, dict(_FORMAT))
        expectations.append(expectation)
    resolved, failures = graph.resolve(dict(_FORMAT), show_progress_bars=False)
    if engine.failure is not None:
        raise engine.failure
    engine.finish()
    messages = {str(failure["exception_info"].exception_message) for failure in failures.values()}
    validations = []
    for rule, expectation in zip(rules, expectations, strict=True):
        try:
            validation = expectation.metrics_validate(
                metrics=resolved, execution_engine=engine, runtime_configuration=dict(_FORMAT)
            )
        except Exception as error:  # Great Expectations does not say which of the metrics failed
            raise not_computable(rule, "; ".join(sorted(messages)) or str(error)) from error
        validations.append(validation.to_json_dict())
    return validations
