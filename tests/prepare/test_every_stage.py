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
from traintable.config.plan import Plan
from traintable.errors import ConfigError
from traintable.prepare import FittedPlan, fit_plan, inputs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

XY = {"x": {"scale": "standard"}, "y": {"scale": "robust", "impute": "median"}}
XYC = {**XY, "c": {"encode": "one_hot"}}

# Name -> plan over x and y (numbers), k (few whole numbers), c (a category), g (groups), t (times), late, fold.
STAGES: dict[str, dict[str, Any]] = {
    "impute the mean": {"features": {"x": {}}},
    "impute the median": {"features": {"x": {"impute": "median"}}},
    "impute the mode": {"features": {"k": {"impute": "mode"}}},
    "impute a constant": {"features": {"x": {"impute": "constant", "fill_value": -1}}},
    "impute by group": {"features": {"x": {"impute": "group", "by": "g", "scale": "standard"}}},
    "impute the median by group": {"features": {"x": {"impute": "group", "by": "g", "statistic": "median"}}},
    "impute the last value": {"features": {"x": {"impute": "forward_fill", "by": "g", "time": "t"}}},
    "impute by regression": {"features": {"x": {"impute": "iterative"}, "y": {"impute": "iterative"}}},
    "indicate the missing": {"features": {"x": {"indicator": True}}},
    "cap at quantiles": {"features": {"x": {"outliers": {"method": "quantile"}}}},
    "cap at quartiles": {"features": {"x": {"outliers": {"method": "iqr"}}}},
    "cap at the median": {"features": {"x": {"outliers": {"method": "mad"}}}},
    "flag outliers": {"features": {"x": {"outliers": {"method": "iqr", "action": "flag"}}}},
    "logarithm": {"features": {"k": {"transform": "log1p"}}},
    "Yeo-Johnson": {"features": {"x": {"transform": "yeo_johnson"}}},
    "quantile bins": {"features": {"x": {"transform": "quantile_bins", "n_bins": 4}}},
    "standard scale": {"features": {"x": {"scale": "standard"}}},
    "robust scale": {"features": {"x": {"scale": "robust"}}},
    "scale to 0 and 1": {"features": {"x": {"scale": "min_max"}}},
    "scale by the largest": {"features": {"x": {"scale": "max_abs"}}},
    "all steps of a number": {
        "features": {
            "x": {
                "impute": "median",
                "indicator": True,
                "outliers": {"method": "quantile"},
                "transform": "yeo_johnson",
                "scale": "standard",
            }
        }
    },
    "one hot": {"features": {"c": {"encode": "one_hot"}}},
    "one hot of the most frequent": {"features": {"c": {"encode": "one_hot", "top_k": 1}}},
    "one hot of the frequent": {"features": {"c": {"encode": "one_hot", "min_frequency": 99}}},
    "one hot with three buckets": {"features": {"c": {"encode": "one_hot", "top_k": 1, "num_oov_buckets": 3}}},
    "one hot without buckets": {"features": {"c": {"encode": "one_hot", "num_oov_buckets": 0}}},
    "one hot of trimmed text": {"features": {"c": {"encode": "one_hot", "trim": True, "case": "upper"}}},
    "one hot, imputed": {"features": {"c": {"encode": "one_hot", "impute": "constant", "fill_value": "none"}}},
    "ordinal": {"features": {"c": {"encode": "ordinal"}}},
    "frequency": {"features": {"c": {"encode": "frequency"}}},
    "hashing": {"features": {"c": {"encode": "hashing", "n_buckets": 8}}},
    "target": {"features": {"c": {"encode": "target"}}, "label": "late"},
    "target, smoothed": {"features": {"c": {"encode": "target", "smoothing": 3.0}}, "label": "late"},
    "an expression": {"features": {"ratio": {"expr": "try_divide(x, y)", "scale": "standard"}}},
    "products": {"features": XY, "interactions": [{"columns": ["x", "y"], "degree": 3}]},
    "normalised rows": {"features": XY, "normalize": [{"columns": ["x", "y"], "norm": "l1"}]},
    "select by variance": {"features": XYC, "select": [{"method": "variance"}]},
    "select by correlation": {"features": XYC, "select": [{"method": "correlation"}]},
    "select by F": {"features": XYC, "select": [{"method": "anova_f", "k": 2}], "label": "late"},
    "select by chi-square": {"features": XYC, "select": [{"method": "chi2", "k": 2}], "label": "late"},
    "select by information": {"features": XYC, "select": [{"method": "mutual_info", "k": 2}], "label": "late"},
    "select by relevance": {"features": XYC, "select": [{"method": "mrmr", "k": 1}], "label": "late"},
    "select by a tree": {
        "features": XYC,
        "select": [{"method": "tree", "n_probes": 3, "max_depth": 3}],
        "label": "late",
    },
    "principal components": {"features": XY, "reduce": {"columns": ["x", "y"], "k": 2}},
    "whitened components": {
        "features": XY,
        "reduce": {"columns": ["x", "y"], "explained_variance": 0.99, "whiten": True},
    },
    "singular vectors": {
        "features": XYC,
        "reduce": {"method": "truncated_svd", "columns": ["x", "c"], "k": 2, "prefix": "sv"},
    },
}
# Where null and an unseen word come to the same: the plan imputes null, or components leave out what train has not.
UNSEEN_AS_MISSING = {"one hot, imputed", "singular vectors"}
# What can't be fitted on rows of one value, or on one row, and why; everything else can.
REFUSED = {
    ("constant", "select by variance"): "at least one feature that is kept, found x: variance",
    ("constant", "select by a tree"): "at least 32 labelled rows of two classes",
    ("one_row", "select by variance"): "at least one feature that is kept, found x: variance",
    ("one_row", "select by a tree"): "at least 32 labelled rows of two classes",
    ("one_row", "an expression"): "at least one value in train",
    ("one_row", "target"): "labelled rows in at least two folds",
    ("one_row", "target, smoothed"): "labelled rows in at least two folds",
}

NAN, INF = math.nan, math.inf
SCHEMA = "id string, x double, y double, k double, c string, g string, t int, late int, fold int"
ROWS = [
    (str(i), i % 7 + 0.5, (i * i) % 11 * 1e3, float(i % 3), "abc"[i % 3], "uv"[i % 2], i, int(i % 7 > 2), i % 4)
    for i in range(40)
]
TRAIN = [
    *ROWS,
    ("null", None, None, None, None, None, 40, 1, 0),
    ("nan", NAN, NAN, NAN, "a", "u", 41, 0, 1),
    ("inf", INF, -INF, INF, "b", "v", 42, None, 2),
]
CONSTANT = [(str(i), 3.0, 3.0, 3.0, "only", "u", i, 1, i % 4) for i in range(10)]
CASES = [
    ("plain", 1.5, 2e3, 1.0, "a", "u"),
    ("null", None, None, None, None, "u"),
    ("NaN", NAN, NAN, NAN, None, "u"),
    ("infinity", INF, INF, INF, None, "u"),
    ("-infinity", -INF, -INF, -INF, None, "u"),
    ("unseen", None, None, None, "never seen", "u"),
    ("unseen too", None, None, None, "never seen", "u"),
    ("empty", None, None, None, "", "w"),
    ("huge", 1e30, -1e30, 1e30, "a", "u"),
    ("beyond a float", 1e300, -1e300, 1e300, "a", "u"),
]
SERVED = [(*case, 100, None, None) for case in CASES]  # at one time, so that none is filled by another


@dataclass
class Stage:
    """One way to prepare, fitted on TRAIN, and what it makes of CASES."""

    name: str
    plan: Plan
    fitted: FittedPlan
    found: dict[str, Row]


def of_files(spark: SparkSession, rows: list[tuple[Any, ...]], path: Path, files: int = 1) -> DataFrame:
    """The rows as Parquet files, which the driver scans without a job."""
    of_rows(spark, SCHEMA, rows).repartition(files).write.parquet(str(path))
    return spark.read.schema(SCHEMA).parquet(str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stages")


@pytest.fixture(scope="module")
def train(spark: SparkSession, folder: Path) -> DataFrame:
    return of_files(spark, TRAIN, folder / "train", files=3)


@pytest.fixture(scope="module")
def constant(spark: SparkSession, folder: Path) -> DataFrame:
    return of_files(spark, CONSTANT, folder / "constant")


@pytest.fixture(scope="module")
def one_row(spark: SparkSession, folder: Path) -> DataFrame:
    return of_files(spark, ROWS[:1], folder / "one_row")


@pytest.fixture(scope="module")
def no_rows(spark: SparkSession, folder: Path) -> DataFrame:
    return of_files(spark, [], folder / "no_rows")


@pytest.fixture(scope="module")
def cases(spark: SparkSession) -> DataFrame:
    return of_rows(spark, SCHEMA, SERVED).coalesce(1).cache()


def results(model: PipelineModel, rows: DataFrame) -> dict[str, Row]:
    found = model.transform(rows).collect()
    assert len(found) == len({row["id"] for row in found})
    return {row["id"]: row for row in found}


@pytest.fixture(scope="module", params=list(STAGES))
def stage(request: pytest.FixtureRequest, train: DataFrame, cases: DataFrame) -> Stage:
    plan = Plan.model_validate(STAGES[request.param])
    fitted = fit_plan(train, plan)
    return Stage(request.param, plan, fitted, results(fitted.model, cases))


def assert_finite(row: Row, n_features: int) -> None:
    assert len(row["features"]) == n_features
    assert all(value is not None and math.isfinite(value) for value in row["features"]), row


def test_rows_and_input_columns_stay_as_they_are(stage: Stage, cases: DataFrame) -> None:
    transformed = stage.fitted.model.transform(cases)
    assert transformed.columns == [*cases.columns, "features"]
    assert transformed.schema["features"].dataType.simpleString() == "array<float>"
    kept = [tuple(row)[:-1] for row in stage.found.values()]
    assert repr(sorted(kept, key=repr)) == repr(sorted(SERVED, key=repr))  # repr, for NaN is not equal to itself


def test_every_feature_is_finite_whatever_comes_in(stage: Stage) -> None:
    for row in stage.found.values():
        assert_finite(row, len(stage.fitted.features))


@pytest.mark.parametrize("case", ["NaN", "infinity", "-infinity"])
def test_what_is_no_number_is_missing(case: str, stage: Stage) -> None:
    assert stage.found[case]["features"] == stage.found["null"]["features"]


def test_unseen_categories_are_alike_and_not_missing(stage: Stage) -> None:
    unseen = stage.found["unseen"]["features"]
    assert stage.found["unseen too"]["features"] == unseen
    left = {d.feature for d in stage.fitted.dropped}
    has_category = any(feature.encode and name not in left for name, feature in stage.plan.features.items())
    if stage.name not in UNSEEN_AS_MISSING:
        assert (unseen != stage.found["null"]["features"]) is has_category


def test_a_missing_column_is_named(stage: Stage, train: DataFrame) -> None:
    for name in inputs(stage.plan):
        with pytest.raises(ConfigError, match=f"'{name}'"):
            fit_plan(train.drop(name), stage.plan)


def test_rows_of_another_split_are_refused(stage: Stage, train: DataFrame) -> None:
    rows = train.withColumn("split", F.when(F.col("id") == "7", "test").otherwise("train"))
    with pytest.raises(ConfigError, match="1 of 'test'"):
        fit_plan(rows, stage.plan)


def test_no_rows_give_no_rows(stage: Stage, cases: DataFrame) -> None:
    none = stage.fitted.model.transform(cases.limit(0))
    assert none.columns == [*cases.columns, "features"]
    assert none.isEmpty()


def test_nothing_to_learn_from_is_refused(stage: Stage, no_rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match="rows to learn from"):
        fit_plan(no_rows, stage.plan)


@pytest.mark.parametrize("rows", ["constant", "one_row"])
def test_columns_of_one_value_give_finite_features_or_the_one_error_that_fits(
    rows: str, stage: Stage, cases: DataFrame, request: pytest.FixtureRequest
) -> None:
    few = request.getfixturevalue(rows)
    message = REFUSED.get((rows, stage.name))
    if message is not None:
        with pytest.raises(ConfigError, match=message):
            fit_plan(few, stage.plan)
        return
    fitted = fit_plan(few, stage.plan)
    found = results(fitted.model, cases.unionByName(few))
    for row in found.values():
        assert_finite(row, len(fitted.features))
    if "target" not in stage.name:  # whose rows see other folds
        assert len({tuple(found[row["id"]]["features"]) for row in few.select("id").collect()}) == 1


def test_a_saved_model_gives_the_same_when_it_is_loaded(stage: Stage, cases: DataFrame, tmp_path: Path) -> None:
    stage.fitted.model.save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert {type(part).__module__.split(".")[0] for part in loaded.stages} == {"pyspark"}
    assert {i: row["features"] for i, row in results(loaded, cases.orderBy(F.desc("id"))).items()} == {
        i: row["features"] for i, row in stage.found.items()
    }


def test_another_layout_of_the_rows_gives_the_same_model(stage: Stage, train: DataFrame) -> None:
    again = fit_plan(train.repartition(7, "y").where("true"), stage.plan)
    assert again.features == stage.fitted.features
    statements = [part.getStatement() for part in again.model.stages]
    assert statements == [part.getStatement() for part in stage.fitted.model.stages]
