"""Labels by rule."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from frames import of_rows
from traintable.errors import ConfigError
from traintable.label import by_expression


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return of_rows(spark, "id int, delay double, word string", [(1, 31.0, "a"), (2, 30.0, "b"), (3, None, None)])


def labels(rows: DataFrame, expr: str) -> list[object]:
    return [row["late"] for row in by_expression(rows, "late", expr).orderBy("id").collect()]


def test_a_boolean_is_0_or_1_and_null_where_its_inputs_are(rows: DataFrame) -> None:
    assert labels(rows, "delay > 30") == [1, 0, None]


def test_text_and_whole_numbers_stay_as_they_are(rows: DataFrame) -> None:
    assert labels(rows, "upper(word)") == ["A", "B", None]
    assert labels(rows, "id % 2") == [1, 0, 1]


@pytest.mark.parametrize("name", ["delay", "DELAY", "split", "Features"])
def test_a_name_that_is_taken_but_for_case_is_refused(rows: DataFrame, name: str) -> None:
    with pytest.raises(ConfigError, match=r"label\.name: .*names that are free"):
        by_expression(rows, name, "delay > 30")


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("delay * 2", "Cut a continuous"),
        ("dely > 30", "Did you mean 'delay'"),
        ("delay + date'2013-01-01'", "label.expr"),
    ],
)
def test_what_is_no_answer_is_refused(rows: DataFrame, expr: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        by_expression(rows, "late", expr)
