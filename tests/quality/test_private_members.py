"""What quality.engine overrides and uses of Great Expectations, most of it not public, is as it was."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import great_expectations
import pytest
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine, MetricComputationConfiguration
from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations import registry
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.validation_graph import ValidationGraph

from traintable.quality.engine import TwoPassEngine

ADVICE = (
    f"Great Expectations {great_expectations.__version__} has moved this. Read how its engine resolves metrics now "
    "(execution_engine/execution_engine.py: resolve_metrics), and adapt lib/traintable/quality/engine.py, domains.py "
    "and gate.py; then run tests/quality/test_two_passes.py, which compares all verdicts with its own."
)
RESOLVE = "_process_direct_and_bundled_metric_computation_configurations"
BUILD = "_build_direct_and_bundled_metric_computation_configurations"
SIGNATURES: list[tuple[Any, str, list[str]]] = [
    (SparkDFExecutionEngine, "resolve_metrics", ["metrics_to_resolve", "metrics", "runtime_configuration"]),
    (SparkDFExecutionEngine, "resolve_metric_bundle", ["metric_fn_bundle"]),
    (SparkDFExecutionEngine, RESOLVE, ["metric_fn_direct_configurations", "metric_fn_bundle_configurations"]),
    (SparkDFExecutionEngine, BUILD, ["metrics_to_resolve", "metrics", "runtime_configuration"]),
    (SparkDFExecutionEngine, "load_batch_data", ["batch_id", "batch_data"]),
    (SparkDFExecutionEngine, "get_domain_records", ["domain_kwargs"]),
    (SparkDFBatchData, "__init__", ["execution_engine", "dataframe"]),
    (ValidationGraph, "build_metric_dependency_graph", ["metric_configuration", "runtime_configuration"]),
    (ValidationGraph, "resolve", ["runtime_configuration", "min_graph_edges_pbar_enable", "show_progress_bars"]),
    (Expectation, "get_validation_dependencies", ["execution_engine", "runtime_configuration"]),
    (Expectation, "metrics_validate", ["metrics", "runtime_configuration", "execution_engine", "kwargs"]),
    (registry, "get_metric_kwargs", ["metric_name", "configuration", "runtime_configuration"]),
    (registry, "get_metric_provider", ["metric_name", "execution_engine"]),
]


@pytest.mark.parametrize(("owner", "name", "parameters"), SIGNATURES, ids=[name for _, name, _ in SIGNATURES])
def test_what_is_overridden_or_called_has_the_same_parameters(owner: Any, name: str, parameters: list[str]) -> None:
    member = getattr(owner, name, None)
    assert member is not None, f"{owner.__name__}.{name} is gone. {ADVICE}"
    found = [parameter for parameter in inspect.signature(member).parameters if parameter != "self"]
    assert found == parameters, f"{owner.__name__}.{name} takes other parameters. {ADVICE}"


def test_a_metric_to_be_computed_has_the_same_fields() -> None:
    names = ["metric_configuration", "metric_fn", "metric_provider_kwargs"]
    names += ["compute_domain_kwargs", "accessor_domain_kwargs"]
    assert [field.name for field in fields(MetricComputationConfiguration)] == names, ADVICE
    assert hasattr(MetricPartialFunctionTypes, "WINDOW_CONDITION_FN"), ADVICE


def test_the_engine_calls_what_is_overridden() -> None:
    assert RESOLVE in inspect.getsource(ExecutionEngine.resolve_metrics), ADVICE
    source = inspect.getsource(getattr(ExecutionEngine, RESOLVE))
    assert "self.resolve_metric_bundle" in source, ADVICE
    assert "_metric_cache" in inspect.getsource(ExecutionEngine), ADVICE


def test_the_engine_overrides_nothing_by_accident() -> None:
    known = {name for owner in SparkDFExecutionEngine.__mro__ for name in vars(owner)}
    own = {name for name in vars(TwoPassEngine) if not name.startswith("__")} - {"_abc_impl"}
    assert own & known == {"resolve_metrics", "resolve_metric_bundle", RESOLVE}, ADVICE
    set_in_init = set(inspect.getsource(ExecutionEngine.__init__).split("self.")[1:])
    fields_of_theirs = {text.split(" ", 1)[0].split("=", 1)[0].rstrip(":") for text in set_in_init}
    assert not {"_subject", "_batches", "_row_counts", "_resolved", "_domains", "failure", "holds"} & fields_of_theirs
