"""What is wrong with the rows is told before anything is read, with the column's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from prepared import matrix
from traintable.config.plan import Plan
from traintable.errors import ConfigError
from traintable.prepare import fit, fit_plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return spark.sql("SELECT id, id * 0.5D AS x, id * 2 AS y, CAST(id % 3 AS STRING) AS word FROM range(20)").cache()


def plan(**features: dict[str, Any]) -> Plan:
    return Plan.model_validate({"features": features})


@pytest.mark.parametrize(
    "feature",
    [
        {"xx": {}},
        {"wort": {"encode": "one_hot"}},
        {"x": {"impute": "group", "by": "grup"}},
        {"x": {"impute": "forward_fill", "time": "tim"}},
        {"new": {"expr": "x + zz"}},
    ],
)
def test_an_unknown_column_is_named_with_those_that_are_there(feature: dict[str, Any], train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"'(xx|wort|grup|tim|zz)', which is not among them.*(Did you mean|Known)"):
        fit(train, plan(**feature))


@pytest.mark.parametrize("kind", ["string", "date", "timestamp", "array<double>", "binary"])
def test_a_column_that_is_no_number_is_refused_unless_it_is_encoded(kind: str, train: DataFrame) -> None:
    df = train.withColumn("x", F.lit(None).cast(kind))
    for feature in ({}, {"expr": "x"}):
        with pytest.raises(ConfigError, match=rf"prepare\.features\.x: expected a number.*{kind}"):
            fit(df, plan(x={"impute": "constant", "fill_value": 0, **feature}))


@pytest.mark.parametrize("kind", ["boolean", "tinyint", "int", "bigint", "float", "double", "decimal(9,4)"])
def test_numbers_of_all_types_are_numbers_and_categories(kind: str, train: DataFrame) -> None:
    df = train.selectExpr("id", f"CAST(IF(id < 4, NULL, id % 2) AS {kind}) AS x", f"CAST(id % 2 AS {kind}) AS c")
    found = matrix(fit(df, plan(x={"impute": "median"}, c={"encode": "ordinal"})), df)
    ids = np.arange(20)
    np.testing.assert_array_equal(found[:, 0], np.where(ids < 4, 0.5, ids % 2))
    assert set(found[:, 1]) == {0, 1}


@pytest.mark.parametrize("expression", ["nofunc(x)", "x + array(1)", "x +", "sum(x)", "rand()"])
def test_an_expression_that_does_not_fit_is_refused(expression: str, train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"prepare\.features\.new"):
        fit(train, plan(new={"expr": expression}))


def test_an_input_column_of_the_name_of_the_array_is_refused(train: DataFrame) -> None:
    df = train.withColumn("features", F.lit("kept"))
    with pytest.raises(ConfigError, match="'features'"):
        fit(df, plan(x={}))
    assert fit(df.withColumnRenamed("features", "__x"), plan(x={})).transform(
        df.withColumnRenamed("features", "__x")
    ).columns == [*train.columns, "__x", "features"]


def test_a_feature_takes_the_place_of_the_column_it_is_made_from_only(train: DataFrame) -> None:
    made = plan(x={}, new={"expr": "y + 1"}, y={"expr": "x * y"})
    fitted = fit_plan(train, made, output="columns")
    found = fitted.model.transform(train)
    assert found.columns == ["id", "word", "x", "new", "y"]
    assert [row.new for row in found.orderBy("id").collect()] == [2 * i + 1 for i in range(20)]
    for clash in (plan(word={"expr": "x"}), plan(x={"expr": "y"}), plan(split={"expr": "y"})):
        with pytest.raises(ConfigError, match=r"'(word|x|split)', which is a column of the rows already"):
            fit(train, clash, output="columns")
    clash = plan(x={"indicator": True})
    with pytest.raises(ConfigError, match="'x_<missing>'"):
        fit(train.withColumn("x_<missing>", F.lit(1)), clash, output="columns")


def test_a_feature_of_an_array_may_have_the_name_of_a_column(train: DataFrame) -> None:
    found = fit(train, plan(word={"expr": "x"})).transform(train)
    assert found.columns == [*train.columns, "features"]
    assert [row.features for row in found.orderBy("id").collect()] == [[i / 2] for i in range(20)]


@pytest.mark.parametrize("name", ["${x}", "a ${env:HOME}", "__THIS__", "of __THIS__ table"])
def test_what_a_statement_would_substitute_is_refused_as_a_name(name: str, train: DataFrame) -> None:
    df = train.withColumnRenamed("x", name)
    features: list[dict[str, Any]] = [
        {name: {}},
        {name: {"encode": "one_hot"}},
        {"y": {"impute": "group", "by": name}},
        {name: {"expr": "y + 1"}},
        {"new": {"expr": f"`{name}` + 1"}},
        {"new": {"expr": f"IF(word = '{name}', 1, 0)"}},
    ]
    for feature in features:
        with pytest.raises(ConfigError, match=r"prepare\.features: expected names.*Rename"):
            fit(df, plan(**feature))
    fit(df, plan(y={}))  # which is not in the statement


def test_a_column_that_is_there_twice_is_named(train: DataFrame) -> None:
    both = train.join(train.selectExpr("id AS other", "y AS X"), train["id"] == 1, "cross")
    with pytest.raises(ConfigError, match=r"prepare\.features.*'x' 2 times"):
        fit(both, plan(x={}))
    fit(both, plan(y={}))


@pytest.mark.parametrize("name", ["features", "Features", "FEATURES"])
def test_a_column_of_the_name_that_is_added_is_refused_whatever_its_case(name: str, train: DataFrame) -> None:
    with pytest.raises(ConfigError, match="rows without a column 'features'"):
        fit(train.withColumnRenamed("y", name), plan(x={}))


def test_components_may_have_any_name(train: DataFrame) -> None:
    section = {"columns": ["x", "y"], "k": 1, "prefix": "${x}____THIS__"}
    known = Plan.model_validate({"features": {"x": {}, "y": {}}, "reduce": section})
    for output, name in (("array", "${x}____THIS__1"), ("columns", "$_x_THIS_1")):
        fitted = fit_plan(train, known, output=output)
        assert fitted.features == (name,)
        assert fitted.model.transform(train).columns[-1] == ("features" if output == "array" else name)
