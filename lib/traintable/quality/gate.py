"""Let Great Expectations look at exactly the rows that will be published, and give a verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from traintable.config.dataset import Gate
from traintable.quality.audit import FAILED
from traintable.quality.subject import Computed, Subject
from traintable.quality.suite import Rule, built, not_computable, rules_of
from traintable.quality.verdict import Verdict

if TYPE_CHECKING:
    pass

_ALL, _PUBLISHED = "all", "published"
_FORMAT = {"result_format": {"result_format": "BASIC", "partial_unexpected_count": 3}}


def check(
    audited: DataFrame | Subject,
    gate: Gate,
    *,
    key: Sequence[str],
    label: str,
    classes: Sequence[int | str],
    n_features: int,
) -> Verdict:
    """Let Great Expectations look at the audited rows, and give a verdict.

    Rules of level quarantine look at all rows, others at those that fail none of these. Costs two narrow passes, one
    for all that are sums and counts of rows and one for all that are counts of values. Where rows are still to be
    computed, the first of them is the pass that does so, unless there are rules on a part of the rows. A rule on the
    order of rows, or on a histogram, takes what Great Expectations takes for it.
    """
    from great_expectations.validator.validation_graph import ValidationGraph

    from traintable.quality.engine import TwoPassEngine

    subject = Computed(audited) if isinstance(audited, DataFrame) else audited
    rules = rules_of(gate, key=key, label=label, classes=classes, n_features=n_features)
    parts = any(rule.expectation.level == "quarantine" for rule in rules)
    is_published = F.size(FAILED) == 0
    batches = {_ALL: None, **({_PUBLISHED: is_published} if parts else {})}
    engine = TwoPassEngine(subject, batches)
    graph = ValidationGraph(engine)
    expectations = []
    for rule in rules:
        is_of_all = not parts or rule.expectation.level == "quarantine"
        expectation = built(rule, batch=_ALL if is_of_all else _PUBLISHED)
        needed = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=dict(_FORMAT))
        for configuration in needed.get_metric_configurations():
            graph.build_metric_dependency_graph(configuration, dict(_FORMAT))
        expectations.append(expectation)
    resolved, failures = graph.resolve(dict(_FORMAT), show_progress_bars=False)
    if engine.failure is not None:
        raise engine.failure
    engine.finish()
    told = {str(one["exception_info"].exception_message) for one in failures.values()}
    found = []
    for rule, expectation in zip(rules, expectations, strict=True):
        try:
            result = expectation.metrics_validate(
                metrics=resolved, execution_engine=engine, runtime_configuration=dict(_FORMAT)
            )
        except Exception as error:  # Great Expectations says nothing more of what it can't compute
            raise not_computable(rule, "; ".join(sorted(told)) or str(error)) from error
        found.append(_told(rule, result.to_json_dict(), private=set(key)))
    return Verdict(tuple(found))


def _told(rule: Rule, found: dict[str, Any], private: Collection[str]) -> dict[str, Any]:
    """What matters of one of Great Expectations' results; no value of columns that are `private`."""
    result = found.get("result") or {}
    kwargs = rule.expectation.kwargs
    is_private = not set(rule.columns).isdisjoint(private)
    is_on_rows = "element_count" in result
    if is_on_rows:
        said = f"{result['unexpected_count'] or 0:,} of {result['element_count']:,} rows against it"
        shown = result.get("partial_unexpected_list")
        said += f", for example {shown}" if shown and not is_private else ""
    elif is_private:
        said = "values that are not told of a key"
    elif result.get("partial_missing_list"):
        said = f"missing {result['partial_missing_list']}"
    elif result.get("partial_unexpected_list"):
        said = f"also {result['partial_unexpected_list']}"
    else:
        said = f"{result.get('observed_value')}"
    return {
        "id": rule.id,
        "rule": rule.expectation.type,
        "column": kwargs.get("column") or kwargs.get("column_list") or "the table",
        "level": rule.expectation.level,
        "success": bool(found["success"]),
        "found": said,
        "arguments": {name: value for name, value in kwargs.items() if name not in ("column", "column_list")},
        "rows": result["unexpected_count"] if is_on_rows else None,
    }
