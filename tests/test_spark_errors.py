"""Errors of Spark as one line with the right exit code."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from traintable.errors import ConfigError, GateRefused, InputMissing, TraintableError
from traintable.spark_errors import translated


def test_a_value_that_does_not_fit_names_its_expression(spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match=r"DIVIDE_BY_ZERO.*\(id / \(id - id\)\)"), translated("run"):
        spark.range(3).selectExpr("id / (id - id)").collect()


def test_a_missing_file_is_a_missing_input(spark: SparkSession) -> None:
    with pytest.raises(InputMissing, match="vacuumed"), translated("run"):
        spark.read.parquet("/nowhere/at/all").collect()


def test_a_full_disk_names_the_place() -> None:
    with pytest.raises(TraintableError, match="expected a place") as found, translated("/data/t", expected="a place"):
        raise OSError(28, "No space left on device")
    assert (found.value.where, found.value.exit_code) == ("/data/t", 1)


def test_our_own_errors_and_defects_pass_as_they_are() -> None:
    ours = GateRefused(where="w", expected="e", found="f", remedy="r")
    for error in (ours, ZeroDivisionError("a defect")):
        with pytest.raises(type(error)) as found, translated("run"):
            raise error
        assert found.value is error
