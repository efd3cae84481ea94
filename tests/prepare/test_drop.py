"""Rows of train that outliers take out of it: as many as before stay or go, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import functions as F
from scipy import stats

from prepared import dirty, rows, stored
from traintable.config.plan import Plan
from traintable.config.promise import Promise
from traintable.errors import ConfigError
from traintable.prepare import drop_outliers, fit_plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS = rows(400, seed=11)
RULES: dict[str, dict[str, Any]] = {
    "normal": {"method": "mad", "factor": 2},
    "skewed": {"method": "iqr"},
    "shifted": {"method": "quantile", "low": 0.02, "high": 0.97},
    "twice": {"method": "mad"},
}
FEATURES: dict[str, Any] = {name: {"outliers": {**rule, "action": "drop"}} for name, rule in RULES.items()}
FEATURES["twice"]["expr"] = "2 * wide"
FEATURES |= {"counts": {"outliers": {"method": "iqr"}}, "tiny": {}}
PLAN = Plan.model_validate({"features": FEATURES})
RANGES = {"skewed": Promise(max=4000)}


@pytest.fixture(scope="module")
def train(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    return stored(dirty(spark, ROWS), tmp_path_factory.mktemp("train"))


def expected() -> dict[int, list[str]]:
    """The rows that go, and the features that are out of bounds."""
    values = {name: ROWS[name] for name in RULES if name != "twice"} | {"twice": 2 * ROWS["wide"]}
    values["skewed"] = values["skewed"].where(values["skewed"] <= 4000)
    reasons: dict[int, list[str]] = {}
    for name, rule in RULES.items():
        known = values[name].dropna()
        if rule["method"] == "quantile":
            low, high = np.quantile(known, [rule["low"], rule["high"]])
        elif rule["method"] == "iqr":
            q = np.quantile(known, [0.25, 0.75])
            low, high = q + 1.5 * np.array([-1, 1]) * (q[1] - q[0])
        else:
            reach = rule.get("factor", 3) * stats.median_abs_deviation(known, scale="normal")
            low, high = known.median() - reach, known.median() + reach
        for i in np.flatnonzero((values[name] < low) | (values[name] > high)):
            reasons.setdefault(int(i), []).append(name)
    return reasons


def test_each_row_stays_or_goes_with_its_reasons(train: DataFrame) -> None:
    kept, gone = drop_outliers(train, PLAN, columns=RANGES)
    assert kept.columns == train.columns
    assert gone.columns == [*train.columns, "_outlier"]
    reasons = {row["id"]: row["_outlier"] for row in gone.select("id", "_outlier").collect()}
    assert reasons == expected()
    assert any(len(names) > 1 for names in reasons.values())
    stays = [row["id"] for row in kept.select("id").collect()]
    assert sorted([*stays, *reasons]) == ROWS["id"].tolist()


def test_other_partitions_lose_the_same_rows(train: DataFrame) -> None:
    _, gone = drop_outliers(train.repartition(6), PLAN, columns=RANGES)
    assert {row["id"] for row in gone.select("id").collect()} == set(expected())


def test_a_row_of_the_bounds_themselves_and_one_without_values_stay(spark: SparkSession) -> None:
    train = spark.sql("SELECT id, IF(id = 0, NULL, IF(id < 50, 1D, 2D)) AS x FROM range(100)")
    rule = {"method": "quantile", "low": 0, "high": 1, "action": "drop"}
    kept, gone = drop_outliers(train, Plan.model_validate({"features": {"x": {"outliers": rule}}}))
    assert (kept.count(), gone.count()) == (100, 0)


def test_without_values_or_rules_all_rows_stay(train: DataFrame) -> None:
    nothing = train.withColumn("normal", F.lit(None).cast("double"))
    rule = {"normal": {"outliers": {"method": "mad", "action": "drop"}}}
    for df, features in ((nothing, rule), (train, {"normal": {"outliers": {"method": "mad"}}})):
        kept, gone = drop_outliers(df, Plan.model_validate({"features": features}))
        assert kept.count() == 400
        assert gone.isEmpty()
        assert gone.schema["_outlier"].dataType.simpleString() == "array<string>"


def test_rows_of_other_splits_and_unknown_columns_are_refused(train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"1 of 'test'.*leaks"):
        drop_outliers(train.withColumn("split", F.when(F.col("id") == 3, "test").otherwise("train")), PLAN)
    with pytest.raises(ConfigError, match="'shifted'"):
        drop_outliers(train.drop("shifted"), PLAN)
    kept, _ = drop_outliers(train.withColumn("split", F.lit("train")), PLAN, columns=RANGES)
    assert kept.count() == 400 - len(expected())


def test_a_fitted_plan_drops_no_rows(train: DataFrame) -> None:
    fitted = fit_plan(train, PLAN, columns=RANGES)
    assert fitted.model.transform(train).count() == 400
    assert fitted.features == tuple(FEATURES)


def test_a_column_of_the_name_that_is_added_is_refused(train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"drop_outliers.*'_outlier'"):
        drop_outliers(train.withColumn("_Outlier", F.lit(1)), PLAN, columns=RANGES)
