"""Transformed numbers are those of SciPy and scikit-learn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, PowerTransformer

from prepared import NUMBERS, Prepared, crossed, dirty, matrix, prepare, rows
from traintable.errors import ConfigError
from traintable.prepare import transform
from traintable.statistics import Weighted
from traintable.statistics.yeo_johnson import best_power, yeo_johnson

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BINS = (2, 3, 10, 64)
OPTIONS: dict[str, dict[str, Any]] = {
    "yeo_johnson": {"transform": "yeo_johnson"},
    **{f"bins {n}": {"transform": "quantile_bins", "n_bins": n} for n in BINS},
}
POSITIVE = ("skewed", "counts", "shifted", "mostly_zero")
FLAT = ("shifted", "tiny", "constant")  # the likelihood is: any power is about as good
TRAIN, TEST = rows(400, seed=5), rows(150, seed=6)


def imputed(name: str) -> tuple[Any, Any]:
    """TRAIN and TEST as columns of one number."""
    imputer = SimpleImputer().fit(TRAIN[[name]])
    return imputer.transform(TRAIN[[name]]), imputer.transform(TEST[[name]])


def fitted_power(prepared: Prepared, feature: str) -> float:
    """The power that a fitted model raises a feature to."""
    found = re.search(rf"expm1\(\(?([-0-9.e]+)D\)? \* log1p\(`__prepared1000_{feature}`", prepared.statements)
    assert found
    return float(found[1])


def weighted(values: Any) -> Weighted:
    return Weighted(*np.unique(values, return_counts=True))


@pytest.fixture(scope="module")
def transformed(spark: SparkSession) -> Prepared:
    df, features = crossed(dirty(spark, TRAIN), NUMBERS, OPTIONS)
    df, logs = crossed(df, POSITIVE, {"log1p": {"transform": "log1p"}})
    others, _ = crossed(dirty(spark, TEST), NUMBERS, OPTIONS)
    others, _ = crossed(others, POSITIVE, {"log1p": {}})
    return prepare(df, {"features": features | logs}, others)


@pytest.mark.parametrize("name", POSITIVE)
def test_a_logarithm_is_that_of_numpy_but_never_below_that_of_train(name: str, transformed: Prepared) -> None:
    train, test = imputed(name)
    expected = np.log1p(np.maximum(test, train.min()))[:, 0]
    np.testing.assert_allclose(transformed[f"{name} log1p"], expected, rtol=1e-14)


def test_a_value_below_all_of_train_is_taken_for_the_lowest(spark: SparkSession) -> None:
    train = spark.sql("SELECT id, id - 0.5D AS x FROM range(9)")
    others = spark.sql("SELECT id, id - 5D AS x FROM range(6)")
    found = prepare(train, {"features": {"x": {"transform": "log1p"}}}, others)["x"]
    np.testing.assert_allclose(found, np.log1p([-0.5] * 5 + [0.0]), rtol=1e-14)


@pytest.mark.parametrize("lowest", [-1.0, -2.0])
def test_a_logarithm_of_what_has_none_is_refused(lowest: float, spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match=rf"prepare\.features\.x: expected values above -1.*{lowest}"):
        prepare(spark.sql(f"SELECT id, id + {lowest}D AS x FROM range(9)"), {"features": {"x": {"transform": "log1p"}}})


@pytest.mark.parametrize("name", NUMBERS)
def test_powers_equal_scipy_and_scikit_learn(name: str, transformed: Prepared) -> None:
    (train, test), found = imputed(name), transformed[f"{name} yeo_johnson"]
    power = fitted_power(transformed, f"{name} yeo_johnson")
    np.testing.assert_allclose(found, stats.yeojohnson(test[:, 0], power), rtol=1e-9)
    if name in FLAT:
        return
    assert power == best_power(weighted(train)) == pytest.approx(stats.yeojohnson_normmax(train[:, 0]), rel=1e-6)
    oracle = PowerTransformer(standardize=False).fit(train)
    np.testing.assert_allclose(found, oracle.transform(test)[:, 0], rtol=1e-4)


@pytest.mark.parametrize("name", ["shifted", "tiny"])
def test_a_power_of_a_flat_likelihood_is_as_likely_as_that_of_scipy(name: str, transformed: Prepared) -> None:
    values = imputed(name)[0][:, 0]
    powers = (fitted_power(transformed, f"{name} yeo_johnson"), stats.yeojohnson_normmax(values), 1.0)
    likely = [stats.yeojohnson_llf(power, values) for power in powers]
    assert likely[0] == pytest.approx(max(likely), rel=1e-3)


def test_the_power_of_a_constant_is_1() -> None:
    assert best_power(Weighted(np.array([3.0]), np.array([9]))) == 1.0
    assert best_power(Weighted(np.zeros(0), np.zeros(0, np.int64))) == 1.0


@pytest.mark.parametrize("power", [-3.0, -1.0, 0.0, 1e-9, 0.3, 1.0, 2 - 1e-9, 2.0, 4.5])
def test_the_sql_of_a_power_is_right_for_small_and_large_values(power: float, spark: SparkSession) -> None:
    sizes = np.array([0.0, 1e-15, 1e-8, 1e-3, 0.5, 1.0, 7.0, 1e4, 1e9])
    values = np.concatenate([-sizes[::-1], sizes])
    df = spark.createDataFrame(pa.table({"x": values}))
    found = df.selectExpr(f"{transform.yeo_johnson('x', power)} AS y").toArrow()["y"].to_numpy()
    np.testing.assert_allclose(found, stats.yeojohnson(values, power), rtol=1e-13)
    np.testing.assert_allclose(yeo_johnson(values, power), found, rtol=1e-13)


def test_a_large_power_of_a_large_value_stays_finite(spark: SparkSession) -> None:
    train = spark.sql("SELECT id, 10 - exp(-id / 3D) AS x FROM range(60)")
    model = prepare(train, {"features": {"x": {"transform": "yeo_johnson"}}}).fitted.model
    assert "expm1" in model.stages[0].getStatement()
    found = matrix(model, spark.sql("SELECT id, IF(id = 0, 3e38D, -3e38D) AS x FROM range(2)"))
    assert np.isfinite(found).all()
    assert found[0, 0] == np.finfo(np.float32).max


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("n", BINS)
@pytest.mark.filterwarnings("ignore:.*")  # scikit-learn's, of bins that it leaves out
def test_bins_equal_scikit_learn(name: str, n: int, transformed: Prepared) -> None:
    (train, test), found = imputed(name), transformed[f"{name} bins {n}"]
    if name == "constant":
        assert not found.any()
        return
    oracle = KBinsDiscretizer(n, encode="ordinal", strategy="quantile", quantile_method="linear", subsample=None).fit(
        train
    )
    np.testing.assert_array_equal(found, oracle.transform(test)[:, 0])


def test_all_of_this_takes_one_scan(transformed: Prepared) -> None:
    assert len(transformed.fitted.costs) == 1


@pytest.mark.parametrize("n", [0, 1, 2, 5, 63])
def test_the_search_for_a_bin_finds_that_of_numpy(n: int, spark: SparkSession) -> None:
    edges = np.unique(np.random.default_rng(n).normal(size=n)).tolist()
    values = np.array([*edges, -9.0, 9.0, 0.0, *(np.array(edges) + 1e-6)])
    df = spark.createDataFrame(pa.table({"x": values})).selectExpr(f"{transform.bin_number('x', edges)} AS y")
    expected = np.searchsorted(edges, values, side="right")
    assert df.toArrow()["y"].to_pylist() == expected.tolist() == transform.bin_numbers(values, edges).tolist()


def test_cuts_of_small_numbers_are_as_many_where_bins_have_a_least_width() -> None:
    values = weighted(np.arange(100) * 1e-12)
    assert transform.bin_edges(values, 10) == []
    assert transform.cut_points(values, 10) == [values.values[i] for i in range(10, 100, 10)]
