"""Scaled numbers are those of scikit-learn; what is constant in train is 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from prepared import NUMBERS, Prepared, crossed, dirty, matrix, prepare, rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCALERS = {
    "standard": StandardScaler(),
    "robust": RobustScaler(),
    "min_max": MinMaxScaler(),
    "max_abs": MaxAbsScaler(),
}
FILLED = {"impute": "constant", "fill_value": -5}
OPTIONS: dict[str, dict[str, Any]] = {name: {"scale": name} for name in SCALERS}
OPTIONS |= {f"filled {name}": {"scale": name, **FILLED} for name in SCALERS}
NORMALIZED = {"l1": ("normal", "counts", "mostly_zero"), "l2": ("skewed", "tiny"), "max": ("wide", "constant")}
TRAIN, TEST = rows(400, seed=3), rows(150, seed=4)
TEST.loc[:4, ["counts", "mostly_zero", "normal"]] = 0.0
BESSEL = np.sqrt((len(TRAIN) - 1) / len(TRAIN))  # ours is the deviation of n - 1


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return dirty(spark, TRAIN)


@pytest.fixture(scope="module")
def scaled(spark: SparkSession, train: DataFrame) -> Prepared:
    df, features = crossed(train, NUMBERS, OPTIONS)
    others, _ = crossed(dirty(spark, TEST), NUMBERS, OPTIONS)
    return prepare(df, {"features": features}, others)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("option", OPTIONS)
def test_scaling_equals_scikit_learn(name: str, option: str, scaled: Prepared) -> None:
    method, found = option.split()[-1], scaled[f"{name} {option}"]
    imputer = SimpleImputer(strategy="constant", fill_value=-5.0) if "filled" in option else SimpleImputer()
    scaler = SCALERS[method].fit(imputer.fit_transform(TRAIN[[name]]))
    expected = scaler.transform(imputer.transform(TEST[[name]]))[:, 0] * (BESSEL if method == "standard" else 1.0)
    if name == "constant" and "filled" not in option and method != "max_abs":
        assert not found.any()
        return
    spread = float(TRAIN[name].std()) if method != "max_abs" else np.inf
    rounding = np.spacing(np.abs(TRAIN[name]).max()) / spread  # of the double nearest to the centre
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=2 * rounding)


def test_all_of_this_takes_one_scan(scaled: Prepared) -> None:
    assert len(scaled.fitted.costs) == 1


def test_at_1e9_the_deviation_is_right_to_the_last_digits(scaled: Prepared) -> None:
    present = TEST["shifted"].notna()
    wide = TRAIN["shifted"].fillna(TRAIN["shifted"].mean()).astype(np.longdouble)
    slope = np.polyfit(TEST["shifted"][present] - 1e9, scaled["shifted standard"][present], 1)[0]
    assert slope == pytest.approx(float(1 / wide.std(ddof=1)), rel=1e-12)


def test_a_column_that_is_constant_in_train_gives_0_whatever_comes(spark: SparkSession) -> None:
    options = {name: {"scale": name} for name in ("standard", "robust", "min_max")}
    df, features = crossed(spark.range(5).selectExpr("id", "0.1D AS x"), ["x"], options)
    found = prepare(df, {"features": features}, df.selectExpr("id", *(f"id + 7 AS `{name}`" for name in features)))
    assert not found.matrix.any()


def test_a_quartile_distance_of_0_scales_nothing_but_keeps_the_differences(scaled: Prepared) -> None:
    values = TEST["mostly_zero"].fillna(TRAIN["mostly_zero"].mean())
    assert TRAIN["mostly_zero"].fillna(TRAIN["mostly_zero"].mean()).quantile(0.75) == 0
    np.testing.assert_allclose(scaled["mostly_zero robust"], values, rtol=1e-14)


def test_rows_divided_by_their_norm_equal_scikit_learn(spark: SparkSession, train: DataFrame) -> None:
    features = {name: {"impute": "constant", "fill_value": 0} for names in NORMALIZED.values() for name in names}
    sections = [{"columns": names, "norm": norm} for norm, names in NORMALIZED.items()]
    found = prepare(train, {"features": features, "normalize": sections}, dirty(spark, TEST))
    assert len(found.fitted.costs) == 1
    for norm, names in NORMALIZED.items():
        expected = Normalizer(norm).transform(TEST[list(names)].fillna(0.0).to_numpy())
        assert norm != "l1" or not expected[:5].any()
        np.testing.assert_allclose(np.stack([found[name] for name in names], axis=1), expected, rtol=1e-14)


def test_the_norm_of_what_selection_leaves_is_that_of_the_rest(train: DataFrame) -> None:
    df = train.selectExpr("*", "counts AS same", "counts AS again")
    features = {name: {"impute": "constant", "fill_value": 0} for name in ("counts", "same", "again")}
    for norm in ("l1", "l2", "max"):
        section = {"columns": ["counts", "same", "again"], "norm": norm}
        found = prepare(df, {"features": features, "normalize": [section], "select": [{"method": "correlation"}]})
        assert found.fitted.features == ("counts",)
        assert found["counts"].tolist() == np.sign(TRAIN["counts"].fillna(0.0)).tolist()


def test_features_are_those_numbers_rounded_to_floats(spark: SparkSession, scaled: Prepared) -> None:
    others, _ = crossed(dirty(spark, TEST), NUMBERS, OPTIONS)
    found = matrix(scaled.fitted.model, others)
    np.testing.assert_array_equal(found, scaled.matrix.astype(np.float32))


@pytest.mark.parametrize("scale", SCALERS)
def test_no_number_becomes_more_than_a_float_holds(scale: str, spark: SparkSession) -> None:
    values = ", ".join(f"({i}, {value})" for i, value in enumerate(["1e-9D", "2e-9D", "3e-9D", "5e-9D"]))
    train = spark.sql(f"SELECT * FROM VALUES {values} AS rows(id, x)")
    model = prepare(train, {"features": {"x": {"scale": scale}}}).fitted.model
    huge = spark.sql("SELECT * FROM VALUES (0, 3e38D), (1, -3e38D), (2, 2e-9D) AS rows(id, x)")
    high, low, usual = matrix(model, huge)[:, 0]
    assert (high, low) == (np.finfo(np.float32).max, np.finfo(np.float32).min)
    assert abs(usual) < 2
