"""The rules that are always on, against planted defects."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from frames import of_rows
from traintable.config.dataset import Gate
from traintable.errors import ConfigError, GateRefused
from traintable.quality import Verdict, check, require_classes, with_gate_columns
from traintable.table_columns import TableColumns

SCHEMA = "id int, day int, late int, split string, features array<float>"
CLEAN = [
    (i, 1, late, part, [0.5, float(i)])
    for i, (part, late) in enumerate((part, late) for part in ("train", "validation", "test") for late in (0, 1))
]
COLUMNS = TableColumns(key=("id", "day"), label="late", features=("a", "b"))


def verdict(spark: SparkSession, rows: list[tuple[Any, ...]], gate: Gate | None = None) -> Verdict:
    gate = gate or Gate()
    df = of_rows(spark, SCHEMA, rows)
    return check(with_gate_columns(df, gate, COLUMNS).cache(), gate, COLUMNS, classes=(0, 1))


def test_clean_rows_pass_and_a_warning_does_not_refuse(spark: SparkSession) -> None:
    warning = {"type": "expect_column_max_to_be_between", "column": "b", "max_value": 1, "severity": "warning"}
    found = verdict(spark, CLEAN, Gate.model_validate({"expectations": [warning]}))
    assert found.refusals == []
    assert [(rule.column, rule.level) for rule in found.warnings] == [("b", "warn")]
    found.raise_if_refused("t")


def test_each_defect_breaks_its_rule(spark: SparkSession) -> None:
    defects = [
        (0, 1, 0, "train", [0.5, 0.5]),  # the key of another row, in the same split
        (90, None, 0, "train", [0.5, 0.5]),
        (91, 1, None, "train", [0.5, 0.5]),
        (92, 1, 2, "test", [0.5, 0.5]),
        (93, 1, 0, "train", [float("nan"), 0.5]),
        (94, 1, 0, "train", [float("inf"), 0.5]),
        (95, 1, 0, "train", [None, 0.5]),
        (96, 1, 0, "train", [0.5]),
    ]
    without_a_class = [row for row in CLEAN if row[2:4] != (1, "validation")]
    found = verdict(spark, without_a_class + defects, Gate(min_rows_per_split=2))
    broken = {(rule.rule.removeprefix("expect_"), str(rule.column)): rule.found for rule in found.refusals}
    assert set(broken) == {
        ("column_sum_to_be_between", "is_validation"),
        ("column_values_to_not_be_null", "day"),
        ("column_values_to_not_be_null", "late"),
        ("column_distinct_values_to_contain_set", "split_class"),
        ("column_values_to_be_in_set", "split_class"),
        ("column_values_to_be_in_set", "n_features"),
        ("column_values_to_be_in_set", "n_features_not_finite"),
        ("compound_columns_to_be_unique", "['id', 'day']"),
    }
    assert broken["column_values_to_be_in_set", "n_features_not_finite"].startswith("3 of 13 rows")
    with pytest.raises(GateRefused, match="7 more rules do not hold"):
        found.raise_if_refused("t")


def test_features_as_columns_are_checked_alike(spark: SparkSession) -> None:
    df = of_rows(spark, SCHEMA, [*CLEAN, (93, 1, 0, "train", [float("nan"), 0.5])])
    df = df.selectExpr("id", "day", "late", "split", "features[0] AS a", "features[1] AS b")
    columns = TableColumns(key=("id", "day"), label="late", features=("a", "b"), as_array=False)
    audited = with_gate_columns(df, Gate(), columns)
    assert audited.agg({"n_features_not_finite": "sum"}).collect()[0][0] == 1


def test_a_rule_that_can_not_be_computed_is_a_fault_of_the_configuration(spark: SparkSession) -> None:
    rule = {"type": "expect_column_mean_to_be_between", "column": "split", "min_value": 0}
    with pytest.raises(ConfigError, match="Great Expectations can compute"):
        verdict(spark, CLEAN, Gate.model_validate({"expectations": [rule]}))


def test_a_rule_on_an_unknown_column_names_the_nearest(spark: SparkSession) -> None:
    rule = {"type": "expect_column_values_to_be_null", "column": "lat"}
    gate = Gate.model_validate({"expectations": [rule]})
    with pytest.raises(ConfigError, match="Did you mean 'late'"):
        with_gate_columns(of_rows(spark, SCHEMA, CLEAN), gate, COLUMNS)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"train": {"0": 5, "1": 5}, "validation": {"0": 5}, "test": {"0": 5, "1": 5}}, "none of class 1"),
        ({"train": {"0": 5, "1": 5}, "validation": {"0": 5, "1": 1}}, "split 'test'.*found 0; removed before: 9 gap"),
        ({"train": {"0": 5, "1": 5, "7": 1}}, "class 7"),
        ({"train": {"no": 5, "yes": 5}}, r"present: no, yes"),
    ],
)
def test_too_few_rows_of_a_class_are_refused_before_the_fit(counts: dict[str, dict[str, int]], said: str) -> None:
    with pytest.raises(GateRefused, match=said):
        require_classes(counts, {"gap": 9}, classes=(0, 1), min_rows=2, table="t")
