"""The fitted pipeline gives the numbers that scikit-learn and pandas give, wherever it was fitted and loaded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from frames import of_pandas
from traintable.config import Column, Plan
from traintable.errors import ConfigError
from traintable.prepare import build, feature_names, fit, learn
from traintable.prepare.pipeline import wanted
from traintable.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

STANDARD = {"scale": "standard"}
SCALED = ["shifted", "holed", "ranged", "whole"]
REDUCED = ["p1", "p2", "p3", "p4"]
PLAN = Plan.model_validate(
    {
        "features": {
            **dict.fromkeys([*SCALED, *REDUCED, "constant"], STANDARD),
            "holed": {"scale": "standard", "indicator": True},
            "filled": {"impute": "constant", "fill_value": -1, "scale": "standard"},
            "plain": {},
            "word": {"encode": "one_hot", "top_k": 3},
            "rare": {"encode": "one_hot", "min_frequency": 5},
            "code": {"encode": "one_hot"},
        },
        "reduce": {"columns": REDUCED, "k": 3},
    }
)
RANGES = {"ranged": Column(min=0, max=100, on_invalid="null")}


def rows(n: int, seed: int) -> pd.DataFrame:
    """Rows with nulls everywhere; numbers also have NaN, infinities and impossible values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)) @ np.random.default_rng(0).normal(size=(4, 4)), columns=REDUCED)
    frame["shifted"] = rng.normal(size=n) * 1e-2 + 1e6
    frame["holed"] = rng.exponential(size=n)
    frame["ranged"] = rng.uniform(-20, 120, n)
    frame["filled"] = rng.exponential(size=n)
    frame["plain"] = rng.normal(size=n) * 1e-3
    frame.loc[frame.index[:6], "holed"] = [np.nan, np.inf, -np.inf] * 2
    frame["whole"] = pd.array(rng.integers(0, 50, n), "Int32")
    frame["constant"] = 0.1
    frame["word"] = rng.choice(["b", "a", "c", "d", "e"], n, p=[0.3, 0.3, 0.2, 0.1, 0.1])
    frame["rare"] = rng.choice(["x", "y", "z"], n, p=[0.5, 0.495, 0.005])
    frame["code"] = pd.array(rng.integers(1, 4, n), "Int64")
    for name in frame.columns.difference(["constant"]):
        frame.loc[rng.random(n) < 0.08, name] = None
    return frame.assign(id=range(n))


TRAIN, TEST = rows(500, seed=1), rows(200, seed=2)
TEST.loc[TEST.index[:20], ["word", "rare", "code"]] = ["unseen", "", 99]


@dataclass
class Prepared:
    """A pipeline that was fitted on TRAIN, and what it makes of TEST."""

    learned: Statistics
    model: PipelineModel
    names: list[str]
    matrix: Any

    def __getitem__(self, name: str) -> Any:
        return self.matrix[:, self.names.index(name)]


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, TRAIN)


@pytest.fixture(scope="module")
def test(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, TEST)


def features(df: DataFrame) -> Any:
    return np.array(df.orderBy("id").toPandas()["features"].tolist(), dtype=np.float64)


@pytest.fixture(scope="module")
def prepared(train: DataFrame, test: DataFrame) -> Prepared:
    learned = learn(train.repartition(7), PLAN, columns=RANGES)
    model = build(PLAN, learned, columns=RANGES)
    return Prepared(learned, model, feature_names(PLAN, learned), features(model.transform(test)))


def cleaned(frame: pd.DataFrame, names: list[str]) -> Any:
    """The numbers with all that is no value as NaN."""
    values = frame[names].astype("float64").replace([np.inf, -np.inf], np.nan)
    if "ranged" in names:
        values["ranged"] = values["ranged"].where(values["ranged"].between(0, 100))
    return values.to_numpy()


def scaled(names: list[str]) -> tuple[Any, Any]:
    """TRAIN and TEST, imputed and scaled by scikit-learn; its deviation is that of n, ours of n - 1."""
    imputer, scaler = SimpleImputer(), StandardScaler()
    train = imputer.fit_transform(cleaned(TRAIN, names))
    scaler.fit(train)
    bessel = np.sqrt((len(train) - 1) / len(train))
    return scaler.transform(train) * bessel, scaler.transform(imputer.transform(cleaned(TEST, names))) * bessel


@pytest.mark.parametrize("name", SCALED)
def test_imputing_and_scaling_equal_scikit_learn(name: str, prepared: Prepared) -> None:
    np.testing.assert_allclose(prepared[name], scaled([name])[1][:, 0], rtol=1e-6, atol=1e-7)


def test_a_declared_constant_is_imputed_before_scaling(prepared: Prepared) -> None:
    filled, given = TRAIN["filled"].fillna(-1), TEST["filled"].fillna(-1)
    np.testing.assert_allclose(prepared["filled"], (given - filled.mean()) / filled.std(), rtol=1e-6)


def test_a_number_that_is_not_scaled_is_imputed_only(prepared: Prepared) -> None:
    np.testing.assert_allclose(prepared["plain"], TEST["plain"].fillna(TRAIN["plain"].mean()), rtol=1e-6)


def test_what_is_missing_or_impossible_is_imputed_and_indicated(prepared: Prepared) -> None:
    missing = np.isnan(cleaned(TEST, ["holed"])[:, 0])
    assert prepared["holed_<missing>"].tolist() == missing.astype(float).tolist()
    for name in ("holed", "ranged"):
        invalid = np.isnan(cleaned(TEST, [name])[:, 0])
        assert 10 < invalid.sum() < 150
        np.testing.assert_allclose(prepared[name][invalid], 0, atol=1e-7)


def test_a_column_that_is_constant_in_train_gives_0_whatever_comes(prepared: Prepared, test: DataFrame) -> None:
    assert not prepared["constant"].any()
    other = features(prepared.model.transform(test.limit(3).withColumn("constant", F.lit(5.0))))
    assert not other[:, prepared.names.index("constant")].any()


@pytest.mark.parametrize(("name", "top_k", "least"), [("word", 3, 1), ("rare", 200, 5), ("code", 200, 1)])
def test_categories_equal_scikit_learn_with_the_unseen_and_the_missing(
    name: str, top_k: int, least: int, prepared: Prepared
) -> None:
    train, test = TRAIN[name].dropna().astype(str), TEST[name].astype("string")
    counts = train.value_counts()
    words = sorted(counts[counts >= least].index, key=lambda word: (-counts[word], word))[:top_k]
    assert [n for n in prepared.names if n.startswith(f"{name}_")] == [
        f"{name}_{w}" for w in [*words, "<other>", "<missing>"]
    ]
    encoder = OneHotEncoder(categories=[words], handle_unknown="ignore", sparse_output=False).fit([[words[0]]])
    known = encoder.transform(test.fillna("no word").to_numpy(dtype=object).reshape(-1, 1))
    found = np.stack([prepared[f"{name}_{word}"] for word in words], axis=1)
    np.testing.assert_array_equal(found, known)
    assert prepared[f"{name}_<missing>"].tolist() == test.isna().astype(float).tolist()
    assert prepared[f"{name}_<other>"].tolist() == (test.notna() & ~test.isin(words)).astype(float).tolist()
    assert prepared[f"{name}_<other>"].sum() >= 15


def test_components_equal_those_of_scikit_learn_with_the_largest_loading_positive(prepared: Prepared) -> None:
    train, test = scaled(REDUCED)
    pca = PCA(n_components=3).fit(train)
    loadings = pca.components_
    signs = np.sign(loadings[np.arange(3), np.abs(loadings).argmax(axis=1)])
    found = np.stack([prepared[f"pc{i}"] for i in (1, 2, 3)], axis=1)
    np.testing.assert_allclose(found, pca.transform(test) * signs, rtol=1e-5, atol=1e-6)
    assert not set(REDUCED) & set(prepared.names)


def test_the_same_rows_in_other_partitions_give_the_same_stages(train: DataFrame, prepared: Prepared) -> None:
    other = fit(train.coalesce(1).orderBy(F.desc("plain")), PLAN, columns=RANGES)
    assert [s.getStatement() for s in other.stages] == [s.getStatement() for s in prepared.model.stages]


def test_a_loaded_model_is_one_of_sparks_own_and_gives_the_same(
    prepared: Prepared, test: DataFrame, tmp_path: Path
) -> None:
    prepared.model.save(str(tmp_path / "model"))
    kinds = {json.loads(path.read_text())["class"] for path in tmp_path.rglob("part-*.txt")}
    assert kinds == {"org.apache.spark.ml.PipelineModel", "org.apache.spark.ml.feature.SQLTransformer"}
    loaded = PipelineModel.load(str(tmp_path / "model"))
    np.testing.assert_array_equal(features(loaded.transform(test)), prepared.matrix)


def test_columns_hold_what_the_array_holds(prepared: Prepared, test: DataFrame) -> None:
    model = build(PLAN, prepared.learned, columns=RANGES, output="columns")
    names = feature_names(PLAN, prepared.learned, output="columns")
    found = model.transform(test)
    assert sorted(found.columns) == sorted({*test.columns, *names})
    assert {found.schema[name].dataType.simpleString() for name in names} == {"float"}
    assert not any(re.search(r"[ ,;{}()\n\t=]", name) for name in names)  # Delta takes these in no name
    matrix = found.orderBy("id").select(*[F.col(f"`{name}`") for name in names]).toPandas().to_numpy(np.float64)
    np.testing.assert_array_equal(matrix, prepared.matrix)


STRANGE_NAMES = ("a b", "c`d", "e'f", 'g"h', "i.j", "k\\l", "ü\n", "__n", "select", "100%")
STRANGE_WORDS = (
    "it's",
    'a "b"',
    "c\\d",
    "\\n",
    "e\nf",
    "g\th",
    "`i`",
    "%_",
    "日本",
    "😀",
    "",
    " ",
    "null",
    "--",
    "\\'",
    "/*",
)


def test_columns_may_have_any_name(spark: SparkSession) -> None:
    columns: dict[str, list[Any]] = {name: [0.0, 2.0 * i, None] for i, name in enumerate(STRANGE_NAMES)}
    df = spark.createDataFrame(pa.table({"id": [0, 1, 2], **columns, "c`'c": ["u", None, "u"]}))
    plan = Plan.model_validate({"features": {**{name: {} for name in columns}, "c`'c": {"encode": "one_hot"}}})
    found = features(fit(df, plan).transform(df))
    for i in range(len(STRANGE_NAMES)):
        assert found[:, i].tolist() == [0, 2 * i, i]
    assert found[:, len(STRANGE_NAMES) :].tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


def words_in_their_places(spark: SparkSession, words: tuple[str, ...]) -> None:
    df = spark.createDataFrame(pa.table({"id": range(len(words)), "word": words}))
    plan = Plan.model_validate({"features": {"word": {"encode": "one_hot"}}})
    learned = learn(df, plan)
    found = features(build(plan, learned).transform(df))
    names = feature_names(plan, learned)
    assert [names[place] for place in found.argmax(axis=1)] == [f"word_{word}" for word in words]


def test_categories_may_be_any_text(spark: SparkSession) -> None:
    words_in_their_places(spark, STRANGE_WORDS)


def test_categories_may_be_what_spark_substitutes(spark: SparkSession) -> None:
    words_in_their_places(spark, ("__THIS__", "${env:HOME}", "${system:user.name}"))


@pytest.mark.parametrize("name", ["__x", "features"])
def test_an_input_column_of_any_name_stays_as_it_is(name: str, spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"id": [0, 1], "x": [1.0, 3.0], name: ["kept", "too"]}))
    plan = Plan.model_validate({"features": {"x": {}}})
    if name == "features":
        with pytest.raises(ConfigError, match="'features'"):
            fit(df, plan).transform(df)
    else:
        found = fit(df, plan).transform(df)
        assert found.columns == [*df.columns, "features"]
        assert [row[name] for row in found.orderBy("id").collect()] == ["kept", "too"]


def test_rows_of_other_splits_are_refused(train: DataFrame) -> None:
    plan = Plan.model_validate({"features": {"plain": {}}})
    part = F.when(F.col("id") < 3, "validation").when(F.col("id") < 5, None).otherwise("train")
    mixed = train.withColumn("split", part)
    with pytest.raises(ConfigError, match=r"2 of 'None', 3 of 'validation'.*leaks"):
        fit(mixed, plan)
    model = fit(mixed.where("split = 'train'"), plan)
    assert model.transform(mixed).where("split = 'validation'").count() == 3


def test_an_unknown_column_is_named_with_the_nearest(train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"'shiftet'.*'shifted'"):
        fit(train, Plan.model_validate({"features": {"shiftet": {}}}))


@pytest.mark.parametrize("kind", ["string", "date", "array<double>"])
def test_a_column_that_is_no_number_is_refused_unless_it_is_encoded(kind: str, train: DataFrame) -> None:
    df = train.withColumn("x", F.lit(None).cast(kind) if kind != "string" else F.lit("text"))
    with pytest.raises(ConfigError, match=r"prepare\.features\.x"):
        fit(df, Plan.model_validate({"features": {"x": {"impute": "constant", "fill_value": 0}}}))


def test_the_mean_of_nothing_is_refused_and_a_constant_is_not(spark: SparkSession) -> None:
    mean, constant = (
        Plan.model_validate({"features": {"x": feature}})
        for feature in ({"scale": "standard"}, {"impute": "constant", "fill_value": 0, "scale": "standard"})
    )
    with pytest.raises(ConfigError, match=r"prepare\.features\.x"):
        build(mean, Statistics.empty(wanted(mean)))
    assert build(constant, Statistics.empty(wanted(constant))).stages


def test_two_features_of_one_name_get_different_ones(spark: SparkSession) -> None:
    plan = Plan.model_validate({"features": {"x": {"encode": "one_hot"}, "x_<other>": {}}})
    learned = Statistics.empty(wanted(plan))
    learned.update(pa.RecordBatch.from_pydict({"x_<other>": [1.0], "x": ["a"]}))
    build(plan, learned)
    assert feature_names(plan, learned) == ["x_a", "x_<other>", "x_<missing>", "x_<other>_2"]
