"""Products of numbers are those of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from prepared import Prepared, dirty, matrix, prepare, rows
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NAMES = ["normal", "counts", "skewed", "tiny"]
SECTIONS: list[dict[str, Any]] = [
    {"columns": NAMES},
    {"columns": NAMES[1:], "degree": 4},
    {"columns": NAMES, "degree": 3, "interaction_only": True},
    {"columns": ["counts"]},
]
ROWS = rows(100, seed=1)
SCALED = {name: {"scale": "standard"} for name in NAMES}


@pytest.fixture(scope="module")
def df(spark: SparkSession) -> DataFrame:
    return dirty(spark, ROWS)


def oracle(section: dict[str, Any], values: Any) -> Any:
    options = {"interaction_only": section.get("interaction_only", False), "include_bias": False}
    products = PolynomialFeatures(section.get("degree", 2), **options)
    return products.fit_transform(values)[:, values.shape[1] :]


@pytest.fixture(scope="module")
def multiplied(df: DataFrame) -> Prepared:
    return prepare(df, {"features": SCALED, "interactions": SECTIONS})


def test_products_equal_scikit_learn(multiplied: Prepared) -> None:
    place = len(NAMES)
    for section in SECTIONS:
        values = np.stack([multiplied[name] for name in section["columns"]], axis=1)
        expected = oracle(section, values)
        found = multiplied.matrix[:, place : place + expected.shape[1]]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        place += expected.shape[1]
    assert place == multiplied.matrix.shape[1]
    assert len(multiplied.fitted.costs) == 1


def test_products_are_named_by_what_is_multiplied(multiplied: Prepared) -> None:
    names = multiplied.fitted.features
    assert names[4:7] == ("normal^2", "normal*counts", "normal*skewed")
    assert {"counts^2*skewed*tiny", "tiny^4", "normal*counts*skewed"} <= set(names)
    assert len({name.lower() for name in names}) == len(names)  # "counts^2" is asked for three times


def test_more_products_than_allowed_are_refused(df: DataFrame) -> None:
    section = {"columns": NAMES, "max_features": 9}
    with pytest.raises(ConfigError, match=r"at most 9 products.*10 of 4 columns up to degree 2"):
        prepare(df, {"features": SCALED, "interactions": [section]})
    assert prepare(df, {"features": SCALED, "interactions": [section | {"max_features": 10}]}).matrix.shape[1] == 14


def test_products_are_of_the_numbers_that_selection_leaves(df: DataFrame) -> None:
    features = {**SCALED, "same": {"expr": "counts + 1", "scale": "standard"}}
    section = {"columns": ["counts", "same"]}
    found = prepare(df, {"features": features, "interactions": [section], "select": [{"method": "correlation"}]})
    assert [d.feature for d in found.fitted.dropped] == ["same"]
    assert found.fitted.features == (*NAMES, "counts^2")


def test_products_of_large_numbers_stay_finite(df: DataFrame, spark: SparkSession) -> None:
    features = {"normal": {}, "skewed": {}}
    plan = {"features": features, "interactions": [{"columns": ["normal", "skewed"], "degree": 4}]}
    huge = spark.sql("SELECT id, IF(id = 0, 3e38D, -3e38D) AS normal, 3e38D AS skewed FROM range(2)")
    fitted = prepare(df, plan).fitted
    found = matrix(fitted.model, huge)
    assert np.isfinite(found).all()
    largest = np.finfo(np.float32).max
    assert found[:, fitted.features.index("normal*skewed")].tolist() == [largest, -largest]
