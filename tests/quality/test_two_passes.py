"""All that a suite asks is learned in two passes, and is what Great Expectations finds by itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
import pyarrow as pa
import pytest
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from pyspark.sql import DataFrame, SparkSession

from frames import of_rows
from traintable.config.dataset import Gate
from traintable.errors import ConfigError
from traintable.quality import RuleResult, check, value_counts, with_gate_columns
from traintable.table_columns import TableColumns

SCHEMA = "id int, name string, day date, late int, split string, features array<float>"
COLUMNS = TableColumns(key=("id", "name", "day"), label="late", features=("a", "b"))


def rule(kind: str, column: str | None = None, **arguments: Any) -> dict[str, Any]:
    about = {"column": column} if column else {}
    return {"type": f"expect_{kind}", **about, **arguments}


QUANTILES = {"quantiles": [0.1, 0.5], "value_ranges": [[0, 5], [3, 4]]}
RULES = [
    rule("column_values_to_be_between", "a", min_value=0, max_value=20),
    rule("column_values_to_be_between", "a", min_value=0, max_value=20, mostly=0.4),
    rule("column_values_to_be_between", "b", min_value=0, row_condition="late = 1", condition_parser="spark"),
    rule("column_values_to_be_between", "b", min_value=0, row_condition="late = 7", condition_parser="spark"),
    rule("column_values_to_not_be_null", "name"),
    rule("column_values_to_be_null", "name", mostly=0.1),
    rule("column_values_to_be_in_set", "name", value_set=["x", "y"]),
    rule("column_values_to_not_be_in_set", "name", value_set=["y"]),
    rule("column_values_to_match_regex", "name", regex="^[a-z]$"),
    rule("column_value_lengths_to_be_between", "name", min_value=1, max_value=1),
    rule("column_values_to_be_unique", "id"),
    rule("column_values_to_be_unique", "name"),
    rule("column_values_to_be_unique", "name", row_condition="late = 1", condition_parser="spark"),
    rule("compound_columns_to_be_unique", column_list=["name", "late"]),
    rule("compound_columns_to_be_unique", column_list=["id", "late"], ignore_row_if="any_value_is_missing"),
    rule("select_column_values_to_be_unique_within_record", column_list=["id", "late"]),
    rule("column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b"),
    rule("column_pair_values_to_be_equal", column_A="id", column_B="late", ignore_row_if="either_value_is_missing"),
    rule("multicolumn_sum_to_equal", column_list=["id", "late"], sum_total=5),
    rule("column_distinct_values_to_be_in_set", "name", value_set=["x", "y", "z"]),
    rule("column_distinct_values_to_contain_set", "name", value_set=["x", "q"]),
    rule("column_distinct_values_to_equal_set", "late", value_set=[0, 1]),
    rule("column_most_common_value_to_be_in_set", "name", value_set=["x"]),
    rule("column_unique_value_count_to_be_between", "name", min_value=1, max_value=2),
    rule("column_proportion_of_unique_values_to_be_between", "id", min_value=0.5),
    rule("column_proportion_of_non_null_values_to_be_between", "name", min_value=0.9),
    rule("column_mean_to_be_between", "b", min_value=0, max_value=1),
    rule("column_stdev_to_be_between", "a", min_value=0, max_value=1),
    rule("column_sum_to_be_between", "late", min_value=1),
    rule("column_max_to_be_between", "a", max_value=10),
    rule("column_min_to_be_between", "day", min_value="2020-01-01"),
    rule("column_median_to_be_between", "a", min_value=1, max_value=5),
    rule(
        "column_quantile_values_to_be_between",
        "a",
        quantile_ranges={"quantiles": [0.1, 0.5], "value_ranges": [[0, 5], [3, 4]]},
    ),
    rule("column_quantile_values_to_be_between", "b", quantile_ranges=QUANTILES, row_condition="late = 7")
    | {"condition_parser": "spark"},
    rule("table_row_count_to_be_between", min_value=1, max_value=10),
    rule("column_to_exist", "name"),
    rule("column_values_to_be_of_type", "id", type_="IntegerType"),
]


def rows(n: int = 60) -> list[tuple[Any, ...]]:
    import datetime as dt

    found = []
    for i in range(n):
        name = None if i % 11 == 0 else "xyZ"[i % 3] * (1 + i % 2)
        day = dt.date(2019, 12, 25) + dt.timedelta(days=i)
        split = ("train", "validation", "test")[i % 3]
        found.append((i - i % 20 // 19, name, day, None if i == 5 else i % 2, split, [float(i), (i * 7 % 13) - 6.5]))
    return found


@pytest.fixture(scope="module")
def audited(spark: SparkSession) -> DataFrame:
    gate = Gate.model_validate({"expectations": RULES})
    return with_gate_columns(of_rows(spark, SCHEMA, rows()), gate, COLUMNS).cache()


def by_great_expectations(audited: DataFrame, expectations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Great Expectations says of the rows in its own way."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_spark("rows", persist=False).add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": audited})
    suite = gx.ExpectationSuite("suite")
    for i, one in enumerate(expectations):
        kwargs = {name: value for name, value in one.items() if name != "type"}
        suite.add_expectation(ExpectationConfiguration(type=one["type"], kwargs=kwargs, meta={"i": i}).to_domain_obj())
    found = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 3})
    assert len(found.results) == len(expectations)
    results = [result.to_json_dict() for result in found.results]
    return sorted(results, key=lambda result: int(result["expectation_config"]["meta"]["i"]))


def rule_columns(result: RuleResult) -> set[str]:
    """The columns that a rule is about."""
    named = result.column if isinstance(result.column, list) else [result.column]
    return {*named, *(str(result.arguments.get(side)) for side in ("column_A", "column_B"))}


def test_the_verdict_is_that_of_great_expectations(audited: DataFrame) -> None:
    gate = Gate.model_validate({"expectations": RULES})
    ours = check(audited, gate, COLUMNS, classes=(0, 1)).rules[-len(RULES) :]
    assert len(ours) == len(RULES)
    for result, theirs in zip(ours, by_great_expectations(audited, RULES), strict=True):
        assert result.rule == theirs["expectation_config"]["type"]
        assert result.success == theirs["success"], result
        found = theirs["result"] or {}
        assert result.rows == (found["unexpected_count"] if "element_count" in found else None), result
        if not {"id", "name", "day"}.isdisjoint(rule_columns(result)):
            assert "example" not in result.found, "a value of the key"
            assert result.rows is not None or "not shown" in result.found
        elif "observed_value" in found:
            assert result.found == f"{found['observed_value']}", result
    assert {result.success for result in ours} == {True, False}


def counted(rows: DataFrame, folder: Path) -> DataFrame:
    """The rows, each pass over which leaves a file; they are computed in one task."""
    place = str(folder)

    def noted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        handle, _ = tempfile.mkstemp(dir=place)
        os.close(handle)
        yield from batches

    return rows.coalesce(1).mapInArrow(noted, rows.schema)


def test_it_takes_two_passes(spark: SparkSession, audited: DataFrame, tmp_path: Path) -> None:
    gate = Gate.model_validate({"expectations": RULES})
    once = counted(audited, tmp_path)
    found = check(once, gate, COLUMNS, classes=(0, 1))
    assert len(list(tmp_path.iterdir())) == 2
    assert found == check(audited, gate, COLUMNS, classes=(0, 1))


def test_a_rule_on_the_order_of_rows_is_left_to_great_expectations(audited: DataFrame) -> None:
    rules = [rule("column_values_to_be_increasing", "a"), rule("column_values_to_be_between", "a", min_value=0)]
    gate = Gate.model_validate({"expectations": rules})
    found = check(audited, gate, COLUMNS, classes=(0, 1)).rules[-2:]
    theirs = by_great_expectations(audited, rules)
    assert [result.success for result in found] == [result["success"] for result in theirs] == [True, True]
    assert [result.rows for result in found] == [0, 0]


def test_a_rule_that_lists_too_many_values_is_refused(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_counts, "MAX_VALUES", 5)
    gate = Gate.model_validate({"expectations": [rule("column_distinct_values_to_contain_set", "a", value_set=[1])]})
    rows_of_many = with_gate_columns(of_rows(spark, SCHEMA, rows()), gate, COLUMNS)
    with pytest.raises(ConfigError, match=r"column a: expected at most 5 different values, .* found more"):
        check(rows_of_many, gate, COLUMNS, classes=(0, 1))
