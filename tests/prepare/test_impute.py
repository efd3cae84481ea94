"""Missing numbers become what scikit-learn and pandas put in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer

from prepared import NUMBERS, Prepared, crossed, dirty, prepare, rows
from traintable.config.plan import Plan
from traintable.config.promise import Promise
from traintable.errors import ConfigError
from traintable.prepare import fit

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

OPTIONS: dict[str, dict[str, Any]] = {
    "mean": {"impute": "mean"},
    "unset": {"indicator": True},
    "median": {"impute": "median"},
    "constant": {"impute": "constant", "fill_value": -7},
    "group mean": {"impute": "group", "by": "group"},
    "group median": {"impute": "group", "by": "group", "statistic": "median"},
    "before": {"impute": "forward_fill", "time": "time"},
    "before, by group": {"impute": "forward_fill", "time": "time", "by": "group"},
}
MODES = ("counts", "mostly_zero", "constant")


def with_groups(n: int, seed: int) -> pd.DataFrame:
    """Rows in groups, at times that several share; one group has no value of `normal`."""
    rng = np.random.default_rng(seed)
    frame = rows(n, seed).assign(time=pd.array(rng.integers(0, n // 3, n), "Int64"))
    frame.loc[rng.random(n) < 0.05, "time"] = pd.NA
    frame["group"] = rng.choice(["a", "b'", "empty", None], n, p=[0.5, 0.3, 0.1, 0.1])
    frame.loc[frame["group"] == "empty", "normal"] = np.nan
    return frame


TRAIN, TEST = with_groups(400, seed=1), with_groups(150, seed=2)
TEST.loc[:20, "group"] = "unseen"


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return dirty(spark, TRAIN)


@pytest.fixture(scope="module")
def imputed(spark: SparkSession, train: DataFrame) -> Prepared:
    df, features = crossed(train, NUMBERS, OPTIONS)
    modes = crossed(df, MODES, {"mode": {"impute": "mode"}})
    others, _ = crossed(dirty(spark, TEST), NUMBERS, OPTIONS)
    others, _ = crossed(others, MODES, {"mode": {}})
    return prepare(modes[0], {"features": features | modes[1]}, others)


CONSTANTS = [(name, option) for option in ("mean", "unset", "median", "constant") for name in NUMBERS]
CONSTANTS += [(name, "mode") for name in MODES]


@pytest.mark.parametrize(("name", "option"), CONSTANTS)
def test_a_constant_of_train_is_that_of_scikit_learn(name: str, option: str, imputed: Prepared) -> None:
    strategy = {"mode": "most_frequent", "unset": "mean"}.get(option, option)
    oracle = SimpleImputer(strategy=strategy, fill_value=-7.0).fit(TRAIN[[name]])
    np.testing.assert_allclose(imputed[f"{name} {option}"], oracle.transform(TEST[[name]])[:, 0], rtol=1e-14)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_was_missing_is_indicated(name: str, imputed: Prepared) -> None:
    assert 0 < TEST[name].isna().sum() < len(TEST)
    assert imputed[f"{name} unset_<missing>"].tolist() == TEST[name].isna().tolist()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_group_has_its_own_and_others_have_that_of_all(name: str, statistic: str, imputed: Prepared) -> None:
    groups, whole = TRAIN.groupby("group")[name].agg(statistic), TRAIN[name].agg(statistic)
    expected = TEST[name].fillna(TEST["group"].map(groups)).fillna(whole)
    assert TEST.loc[TEST["group"].isin(["unseen", "empty"]) | TEST["group"].isna(), name].isna().any()
    np.testing.assert_allclose(imputed[f"{name} group {statistic}"], expected, rtol=1e-14)


def filled_forward(name: str, *, by_group: bool) -> pd.Series:
    """The last value at or before each row's time; a row without a group or without a time has only its own."""
    assert TEST["time"].isna().sum() > 3
    ordered = TEST[TEST["time"].notna()].sort_values(["time", name], na_position="first")
    found = ordered.groupby("group", dropna=True)[name].ffill() if by_group else ordered[name].ffill()
    return ordered[name].fillna(found).reindex(TEST.index).fillna(TEST[name]).fillna(TRAIN[name].mean())


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("option", ["before", "before, by group"])
def test_the_last_value_in_time_is_that_of_pandas(name: str, option: str, imputed: Prepared) -> None:
    expected = filled_forward(name, by_group="group" in option)
    np.testing.assert_allclose(imputed[f"{name} {option}"], expected, rtol=1e-14)


def test_all_of_this_takes_one_scan(imputed: Prepared) -> None:
    assert len(imputed.fitted.costs) == 1


@pytest.mark.parametrize("method", ["mean", "median", "mode", "group", "forward_fill", "iterative"])
def test_nothing_to_learn_from_is_refused(method: str, train: DataFrame) -> None:
    more = {"group": {"by": "group"}, "forward_fill": {"time": "time"}}.get(method, {})
    plan = Plan.model_validate({"features": {"x": {"impute": method, **more}}})
    with pytest.raises(ConfigError, match=rf"prepare\.features\.x.*to take the {method}"):
        fit(train.selectExpr("*", "CAST('NaN' AS DOUBLE) AS x"), plan)


def test_a_constant_needs_nothing_to_learn_from(train: DataFrame) -> None:
    feature = {"impute": "constant", "fill_value": 3, "scale": "robust", "transform": "yeo_johnson"}
    found = prepare(train.selectExpr("id", "CAST(NULL AS DOUBLE) AS x"), {"features": {"x": feature}})
    assert not found.matrix.any()


@pytest.mark.parametrize("values", [[2.5, None, None], [2.0, 1.0, None], [3.0, 1.0, 3.0, 1.0, 0.5, None]])
def test_the_smallest_of_the_most_frequent_is_imputed(values: list[float | None], spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"id": range(len(values)), "x": pa.array(values, pa.float64())}))
    frame = pd.DataFrame({"x": values}, dtype=float)
    expected = SimpleImputer(strategy="most_frequent").fit_transform(frame)[:, 0]
    assert prepare(df, {"features": {"x": {"impute": "mode"}}})["x"].tolist() == expected.tolist()


def test_a_mode_of_very_many_values_needs_one_that_is_frequent(spark: SparkSession) -> None:
    plan = Plan.model_validate({"features": {"x": {"impute": "mode"}}})
    with pytest.raises(ConfigError, match=r"prepare\.features\.x.*frequent enough.*impute: median"):
        fit(spark.range(100_000).selectExpr("id", "id / 7D AS x"), plan)


def test_too_many_groups_for_medians_are_told_with_the_feature(spark: SparkSession) -> None:
    df = spark.range(2500).selectExpr("id", "id / 7D AS x", "CAST(id % 1001 AS STRING) AS `the group`")
    feature = {"impute": "group", "by": "the group", "statistic": "median"}
    expected = r"prepare\.features\.x.*at most 1,000 groups.*more in column 'the group'.*statistic: mean"
    with pytest.raises(ConfigError, match=expected):
        fit(df, Plan.model_validate({"features": {"x": feature}}))
    fit(df, Plan.model_validate({"features": {"x": feature | {"statistic": "mean"}}}))


def test_numbers_outside_their_declared_range_are_missing(train: DataFrame) -> None:
    declared = {"normal": Promise(min=-1, max=0.5), "skewed": Promise(max=900), "counts": Promise(min=2)}
    plan = {"features": {name: {"impute": "median", "indicator": True} for name in declared}}
    found = prepare(train, plan, columns=declared)
    for name, column in declared.items():
        valid = TRAIN[name].where(TRAIN[name].between(column.min or -np.inf, column.max or np.inf))
        assert 20 < valid.isna().sum() - TRAIN[name].isna().sum() < 380
        np.testing.assert_allclose(found[name], valid.fillna(valid.median()), rtol=1e-14)
        assert found[f"{name}_<missing>"].tolist() == valid.isna().tolist()
