"""What every way to prepare a column must do, whatever it is. A new one is added to STAGES and nowhere else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

from frames import of_rows
from traintable.config import Plan
from traintable.errors import ConfigError
from traintable.prepare import build, feature_names, fit, learn
from traintable.prepare.pipeline import wanted
from traintable.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

# Name -> plan over the columns x, y (numbers) and c (a category) of the rows below.
STAGES: dict[str, dict[str, Any]] = {
    "impute the mean": {"features": {"x": {}}},
    "impute a constant": {"features": {"x": {"impute": "constant", "fill_value": -1}}},
    "indicate the missing": {"features": {"x": {"indicator": True}}},
    "scale": {"features": {"x": {"scale": "standard"}}},
    "scale, imputed by a constant": {"features": {"x": {"impute": "constant", "fill_value": 9, "scale": "standard"}}},
    "one hot": {"features": {"c": {"encode": "one_hot"}}},
    "one hot of the most frequent": {"features": {"c": {"encode": "one_hot", "top_k": 1}}},
    "one hot of the frequent": {"features": {"c": {"encode": "one_hot", "min_frequency": 99}}},
    "principal components": {
        "features": {"x": {"scale": "standard"}, "y": {"scale": "standard", "indicator": True}},
        "reduce": {"columns": ["x", "y"], "k": 2},
    },
    "all together": {
        "features": {"x": {"scale": "standard"}, "c": {"encode": "one_hot"}, "y": {"scale": "standard"}},
        "reduce": {"columns": ["x", "y"], "k": 1},
    },
}

NAN, INF = math.nan, math.inf
SCHEMA = "id string, x double, y double, c string"
TRAIN = [(str(i), i % 7 + 0.5, i % 5 * 1e3, "abc"[i % 3]) for i in range(40)]
TRAIN += [("null", None, None, None), ("nan", NAN, NAN, "a"), ("inf", INF, -INF, "b")]
CONSTANT = [(str(i), 3.0, 3.0, "only") for i in range(10)]
CASES = [
    ("plain", 1.5, 2e3, "a"),
    ("null", None, None, None),
    ("NaN", NAN, NAN, None),
    ("infinity", INF, INF, None),
    ("-infinity", -INF, -INF, None),
    ("unseen", None, None, "never seen"),
    ("unseen, empty", None, None, ""),
    ("huge", 1e30, -1e30, "a"),
    ("beyond a float", 1e300, -1e300, "a"),
]


@dataclass
class Stage:
    """One way to prepare, fitted on TRAIN, and what it makes of CASES."""

    plan: Plan
    model: PipelineModel
    names: list[str]
    found: dict[str, Row]


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return of_rows(spark, SCHEMA, TRAIN)


@pytest.fixture(scope="module")
def cases(spark: SparkSession) -> DataFrame:
    return of_rows(spark, SCHEMA, CASES).coalesce(1)


def results(model: PipelineModel, rows: DataFrame) -> dict[str, Row]:
    found = model.transform(rows).collect()
    assert len(found) == len({row["id"] for row in found})
    return {row["id"]: row for row in found}


@pytest.fixture(scope="module", params=list(STAGES))
def stage(request: pytest.FixtureRequest, train: DataFrame, cases: DataFrame) -> Stage:
    plan = Plan.model_validate(STAGES[request.param])
    learned = learn(train, plan)
    model = build(plan, learned)
    return Stage(plan, model, feature_names(plan, learned), results(model, cases))


def assert_finite(row: Row, n_features: int) -> None:
    assert len(row["features"]) == n_features
    assert all(value is not None and math.isfinite(value) for value in row["features"]), row


def test_rows_and_input_columns_stay_as_they_are(stage: Stage, cases: DataFrame) -> None:
    transformed = stage.model.transform(cases)
    assert transformed.columns == [*cases.columns, "features"]
    assert transformed.schema["features"].dataType.simpleString() == "array<float>"
    kept = [tuple(row)[:-1] for row in stage.found.values()]
    assert repr(sorted(kept)) == repr(sorted(CASES))  # repr, for NaN is not equal to itself


@pytest.mark.parametrize("case", [case[0] for case in CASES])
def test_every_feature_is_finite_whatever_comes_in(case: str, stage: Stage) -> None:
    assert_finite(stage.found[case], len(stage.names))


@pytest.mark.parametrize("case", ["NaN", "infinity", "-infinity"])
def test_what_is_no_number_is_missing(case: str, stage: Stage) -> None:
    assert stage.found[case]["features"] == stage.found["null"]["features"]


def test_unseen_categories_are_alike_and_not_missing(stage: Stage) -> None:
    unseen = stage.found["unseen"]["features"]
    assert stage.found["unseen, empty"]["features"] == unseen
    has_category = any(feature.encode for feature in stage.plan.features.values())
    assert (unseen != stage.found["null"]["features"]) is has_category


def test_a_missing_column_is_named(stage: Stage, train: DataFrame) -> None:
    for name in stage.plan.features:
        with pytest.raises(ConfigError, match=f"'{name}'"):
            fit(train.drop(name), stage.plan)


def test_no_rows_give_no_rows(stage: Stage, cases: DataFrame) -> None:
    none = stage.model.transform(cases.limit(0))
    assert none.columns == [*cases.columns, "features"]
    assert none.isEmpty()


def test_nothing_to_learn_from_is_told_unless_nothing_is_learned(stage: Stage) -> None:
    nothing = Statistics.empty(wanted(stage.plan))
    means = [name for name, feature in stage.plan.features.items() if not feature.encode and feature.impute == "mean"]
    if means:
        with pytest.raises(ConfigError, match=rf"features\.{means[0]}"):
            build(stage.plan, nothing)
    else:
        assert build(stage.plan, nothing).stages


def test_a_constant_column_gives_finite_features(stage: Stage, spark: SparkSession, cases: DataFrame) -> None:
    constant = of_rows(spark, SCHEMA, CONSTANT)
    learned = learn(constant, stage.plan)
    found = results(build(stage.plan, learned), cases.unionByName(constant))
    for row in found.values():
        assert_finite(row, len(feature_names(stage.plan, learned)))
    assert len({tuple(found[str(i)]["features"]) for i in range(len(CONSTANT))}) == 1


def test_a_saved_model_gives_the_same_when_it_is_loaded(stage: Stage, cases: DataFrame, tmp_path: Path) -> None:
    stage.model.save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert {i: row["features"] for i, row in results(loaded, cases.orderBy(F.desc("id"))).items()} == {
        i: row["features"] for i, row in stage.found.items()
    }
