"""A plan of everything: the same model from any layout of the rows, loaded anywhere, in few scans."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

from prepared import dirty, matrix, rows, statements, stored
from traintable.config.plan import Plan
from traintable.config.promise import Promise
from traintable.errors import ConfigError
from traintable.prepare import FittedPlan, fit, fit_plan, inputs, serving_inputs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CAP = {"outliers": {"method": "iqr"}}
EVERYTHING: dict[str, Any] = {
    "features": {
        "normal": {**CAP, "transform": "yeo_johnson", "scale": "standard", "indicator": True},
        "shifted": {"impute": "iterative", "scale": "standard"},
        "skewed": {"impute": "group", "by": "group", "transform": "log1p", "scale": "robust"},
        "counts": {"impute": "mode", "transform": "quantile_bins", "n_bins": 4, "scale": "min_max"},
        "tiny": {"impute": "forward_fill", "time": "id", "by": "group", "scale": "max_abs"},
        "wide": {"impute": "iterative", "outliers": {"method": "mad", "action": "flag"}},
        "ratio": {"expr": "try_divide(normal, 1 + abs(counts))", "impute": "median", "scale": "standard"},
        "constant": {"scale": "standard"},
        "word": {"encode": "one_hot", "top_k": 3, "trim": True, "case": "lower"},
        "code": {"encode": "target", "smoothing": 3},
        "place": {"encode": "hashing", "n_buckets": 4},
        "group": {"encode": "ordinal", "impute": "mode"},
    },
    "label": "late",
    "interactions": [{"columns": ["normal", "ratio"]}],
    "normalize": [{"columns": ["counts", "skewed"]}],
    "select": [{"method": "variance"}, {"method": "anova_f", "k": 11}],
    "reduce": {"columns": ["normal", "ratio", "shifted"], "k": 2},
}
PLAN = Plan.model_validate(EVERYTHING)
RANGES = {"normal": Promise(min=-2, max=2), "ratio": Promise(max=1)}
N = 400


def with_words(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = rows(n, seed).assign(late=rng.integers(0, 2, n), group=rng.choice(["u", "v", None], n))
    frame["word"] = rng.choice(["a", " a", "B", "b", "c", "d", None], n)
    frame["code"] = pd.array(np.where(frame["late"] == 1, rng.integers(0, 3, n), rng.integers(1, 5, n)), "Int64")
    frame["place"] = rng.choice(["x", "y", "z", None], n)
    return frame.assign(fold=pd.array(rng.integers(0, 3, n), "Int32"))


TRAIN = with_words(N, seed=1)
TEST = with_words(100, seed=2).assign(fold=pd.array([None] * 100, "Int32"))


@pytest.fixture(scope="module")
def train(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    return stored(dirty(spark, TRAIN), tmp_path_factory.mktemp("train"))


@pytest.fixture(scope="module")
def test(spark: SparkSession) -> DataFrame:
    return dirty(spark, TEST)


@pytest.fixture(scope="module")
def fitted(train: DataFrame) -> FittedPlan:
    return fit_plan(train, PLAN, columns=RANGES)


@pytest.fixture(scope="module")
def prepared(fitted: FittedPlan, test: DataFrame) -> Any:
    return matrix(fitted.model, test)


def test_a_plan_of_everything_takes_two_scans(fitted: FittedPlan) -> None:
    assert [cost.jobs for cost in fitted.costs] == [1, 1]
    assert fitted.statistics.n_rows == N
    assert {d.feature for d in fitted.dropped} >= {"constant"}


def test_features_are_named_in_the_order_of_the_array(fitted: FittedPlan, prepared: Any) -> None:
    assert prepared.shape == (len(TEST), len(fitted.features))
    assert fitted.features[-5:] == ("normal^2", "normal*ratio", "ratio^2", "pc1", "pc2")
    missing = fitted.features.index("normal_<missing>")
    out = ~TEST["normal"].between(-2, 2)
    assert prepared[:, missing].tolist() == out.tolist()


@pytest.mark.parametrize("layout", ["one partition", "seven", "shuffled", "many, mostly empty"])
def test_the_same_rows_in_another_layout_give_the_same_model(
    layout: str, fitted: FittedPlan, spark: SparkSession, train: DataFrame
) -> None:
    if layout == "shuffled":
        other = dirty(spark, TRAIN).orderBy(F.xxhash64("id"))
    else:
        other = train.repartition({"one partition": 1, "seven": 7}.get(layout, 40), "group")
    again = fit_plan(other, PLAN, columns=RANGES)
    assert statements(again.model) == statements(fitted.model)
    assert (again.features, again.dropped) == (fitted.features, fitted.dropped)


def test_a_cache_gives_the_same_model_without_reading(train: DataFrame, tmp_path: Path) -> None:
    features = {"normal": {"impute": "median", "scale": "standard"}, "group": {"encode": "one_hot"}}
    plan = Plan.model_validate({"features": features})
    first, again = (fit_plan(train, plan, columns=RANGES, cache=str(tmp_path)) for _ in range(2))
    assert [first.costs[0].engine, again.costs[0].engine] == ["files, driver", "cache"]
    assert again.costs[0].bytes == 0
    assert statements(again.model) == statements(first.model)


def test_a_loaded_model_is_of_sparks_own_stages_and_gives_the_same(
    fitted: FittedPlan, prepared: Any, test: DataFrame, tmp_path: Path
) -> None:
    fitted.model.save(str(tmp_path / "model"))
    kinds = {json.loads(path.read_text())["class"] for path in tmp_path.rglob("part-*.txt")}
    assert kinds == {"org.apache.spark.ml.PipelineModel", "org.apache.spark.ml.feature.SQLTransformer"}
    loaded = PipelineModel.load(str(tmp_path / "model"))
    np.testing.assert_array_equal(matrix(loaded, test.repartition(3)), prepared)


def test_columns_hold_what_the_array_holds(prepared: Any, train: DataFrame, test: DataFrame) -> None:
    fitted = fit_plan(train, PLAN, columns=RANGES, output="columns")
    found, names = fitted.model.transform(test), fitted.features
    gone = set(EVERYTHING["features"]) & set(names)
    assert gone >= {"skewed", "counts"}  # features of their names take their place
    assert found.columns == [*(name for name in test.columns if name not in gone), *names]
    assert {found.schema[name].dataType.simpleString() for name in names} == {"float"}
    assert not any(re.search(r"[ ,;{}()\n\t=]", name) for name in names)  # Delta takes these in no name
    columns = found.orderBy("id").select(*[F.col(f"`{name}`") for name in names]).toPandas()
    np.testing.assert_array_equal(columns.to_numpy(np.float64), prepared)


def test_a_plan_of_raw_columns_takes_one_scan(train: DataFrame) -> None:
    features = {
        **{n: {"scale": "standard", "indicator": True} for n in ("normal", "shifted", "skewed")},
        "counts": {"impute": "median", **CAP, "transform": "yeo_johnson", "scale": "standard"},
        "wide": {"impute": "iterative"},
        "tiny": {"impute": "group", "by": "group", "statistic": "median"},
        "word": {"encode": "one_hot"},
        "code": {"encode": "target"},
        "place": {"encode": "frequency"},
    }
    plan = {"features": features, "label": "late", "reduce": {"columns": ["normal", "shifted", "skewed"], "k": 2}}
    plan["select"] = [{"method": "mutual_info", "k": 8}, {"method": "variance"}]
    plan["interactions"] = [{"columns": ["counts", "tiny"]}]
    assert len(fit_plan(train, Plan.model_validate(plan)).costs) == 1


def test_moments_of_what_order_statistics_bound_take_a_third_scan(train: DataFrame) -> None:
    before = {"impute": "forward_fill", "time": "id", **CAP}
    plan = {"features": {"normal": before, "wide": {}}, "reduce": {"columns": ["normal", "wide"], "k": 1}}
    assert len(fit_plan(train, Plan.model_validate(plan)).costs) == 3


def test_what_several_features_share_is_in_the_order_of_the_plan(train: DataFrame) -> None:
    names = [f"n{i}" for i in range(12)]
    df = train.selectExpr(*(f"normal + {i} AS {name}" for i, name in enumerate(names)))
    plan = {"features": {name: {} for name in names}, "normalize": [{"columns": names}]}
    text = statements(fit(df, Plan.model_validate(plan)))[0]
    assert re.findall(r"AS `__prepared1001_(n\d+)`", text) == names


STRANGE_NAMES = ("a b", "c`d", "e'f", 'g"h', "i.j", "k\\l", "ü\n", "__n", "select", "100%")
STRANGE_WORDS = ("it's", 'a "b"', "c\\d", "\\n", "e\nf", "g\th", "`i`", "%_", "日本", "😀", "", " ", "null", "--")
STRANGE_WORDS += ("\\'", "/*", "__THIS__", "${env:HOME}", "${system:user.name}")


def test_columns_may_have_any_name(spark: SparkSession) -> None:
    columns: dict[str, list[Any]] = {name: [0.0, 2.0 * i, None] for i, name in enumerate(STRANGE_NAMES)}
    df = spark.createDataFrame(pa.table({"id": [0, 1, 2], **columns, "c`'c": ["u", None, "u"]}))
    plan = Plan.model_validate(
        {
            "features": {**{name: {"scale": "max_abs"} for name in columns}, "c`'c": {"encode": "one_hot"}},
            "interactions": [{"columns": ["c`d", "i.j"]}],
            "normalize": [{"columns": ["ü\n", "e'f"], "norm": "max"}],
        }
    )
    found = matrix(fit(df, plan), df)
    for i, name in enumerate(STRANGE_NAMES):
        if name not in ("ü\n", "e'f"):
            assert found[:, i].tolist() == ([0, 1, 0.5] if i else [0, 0, 0])
    n = len(STRANGE_NAMES)
    assert found[:, n : n + 3].tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert found[:, n + 3 :].tolist() == [[0, 0, 0], [1, 1, 1], [0.25, 0.25, 0.25]]


def test_categories_may_be_any_text(spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"id": range(len(STRANGE_WORDS)), "word": STRANGE_WORDS}))
    fitted = fit_plan(df, Plan.model_validate({"features": {"word": {"encode": "one_hot"}}}))
    found = matrix(fitted.model, df).argmax(axis=1)
    assert [fitted.features[place] for place in found] == [f"word_{word}" for word in STRANGE_WORDS]


def test_rows_of_other_splits_are_refused(train: DataFrame) -> None:
    plan = Plan.model_validate({"features": {"normal": {}}})
    part = F.when(F.col("id") < 3, "validation").when(F.col("id") < 5, None).otherwise("train")
    mixed = train.withColumn("split", part)
    with pytest.raises(ConfigError, match=r"3 of 'validation'.*leaks") as caught:
        fit(mixed, plan)
    assert "2 of 'null'" in caught.value.found
    model = fit(mixed.where("split = 'train'"), plan)
    assert model.transform(mixed).where("split = 'validation'").count() == 3


def test_no_rows_are_refused(train: DataFrame) -> None:
    for features in (
        {"normal": {}},
        {"normal": {"impute": "constant", "fill_value": 0}},
        {"word": {"encode": "hashing"}},
    ):
        with pytest.raises(ConfigError, match="expected rows to learn from, found none"):
            fit(train.limit(0), Plan.model_validate({"features": features}))


def test_what_is_learned_of_nothing_needs_no_column_to_be_read(train: DataFrame) -> None:
    plan = {"features": {"word": {"encode": "hashing"}, "normal": {"impute": "constant", "fill_value": 0}}}
    assert [cost.engine for cost in fit_plan(train, Plan.model_validate(plan)).costs] == ["count"]


def test_a_model_needs_the_columns_that_it_reads(fitted: FittedPlan, test: DataFrame) -> None:
    assert inputs(PLAN) == {*EVERYTHING["features"], "id", "late", "fold"} - {"ratio"}
    assert serving_inputs(PLAN) == inputs(PLAN) - {"late"}
    few = test.select("id", *(name for name in serving_inputs(PLAN) if name != "id"))
    assert fitted.model.transform(few).columns[-1] == "features"
