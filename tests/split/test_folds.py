"""Folds divide train evenly, are null elsewhere, and are what pyspark.ml takes as foldCol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.functions import array_to_vector
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import functions as F
from scipy.stats import chisquare
from sklearn.model_selection import StratifiedKFold

from drawn import N_SEEDS, parts_are_fair, strata
from frames import of_pandas, of_rows
from traintable.errors import ConfigError
from traintable.split import k_fold, stratified_k_fold
from traintable.split.folds import even_sizes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BY = ["case", "s.1", "s 2"]
N = 5


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Random tables, a third of whose rows is not of train."""
    part = F.when(F.col("id") % 7 == 0, F.lit("test")).when(F.col("id") % 7 == 3, F.lit(None)).otherwise(F.lit("train"))
    return of_pandas(spark, strata(200)).withColumn("split", part).cache()


@pytest.fixture(scope="module")
def known(rows: DataFrame) -> pd.DataFrame:
    folds = stratified_k_fold(rows, BY, N, key=["id"], seed=5, min_rows=0)
    folds = k_fold(folds, N, key=["id"], seed=5, name="by hash")
    assert folds.columns == [*rows.columns, "fold", "by hash"]
    assert {folds.schema[name].dataType.simpleString() for name in ("fold", "by hash")} == {"int"}
    return folds.toPandas().sort_values("id", ignore_index=True)


def test_folds_are_of_train_only_and_no_row_is_lost(rows: DataFrame, known: pd.DataFrame) -> None:
    assert known["id"].tolist() == list(range(rows.count()))
    for name in ("fold", "by hash"):
        assert known[name].notna().equals(known["split"] == "train")
        assert set(known[name].dropna()) == set(range(N))


def test_folds_of_a_stratum_and_of_all_rows_differ_by_at_most_one_row(known: pd.DataFrame) -> None:
    train = known[known["split"] == "train"]
    sizes = train.groupby([*BY, "fold"], dropna=False).size().unstack(fill_value=0)
    assert len(sizes) > 400
    assert (sizes.max(axis=1) - sizes.min(axis=1)).max() == 1
    assert sizes.sum().max() - sizes.sum().min() <= 1
    assert chisquare(train["by hash"].value_counts()).pvalue > 1e-3


def test_another_layout_gives_the_same_folds(rows: DataFrame, known: pd.DataFrame) -> None:
    other = stratified_k_fold(rows.repartition(7, "k"), BY, N, key=["id"], seed=5, min_rows=0).toPandas()
    pd.testing.assert_series_equal(other.sort_values("id", ignore_index=True)["fold"], known["fold"])


def test_sizes_are_those_of_scikit_learn(spark: SparkSession) -> None:
    rng = np.random.default_rng(4)
    labels = np.sort(rng.choice(list("abcdef"), 1003, p=[0.4, 0.3, 0.15, 0.1, 0.03, 0.02]))
    frame = pd.DataFrame({"id": range(1003), "y": labels})
    found = stratified_k_fold(of_pandas(spark, frame), ["y"], 7, key=["id"], seed=1).toPandas()
    ours = pd.crosstab(found["fold"], found["y"]).to_numpy()
    folds = StratifiedKFold(7).split(frame, labels)
    theirs = [np.unique(labels[test], return_counts=True)[1].tolist() for _, test in folds]
    assert ours.tolist() == theirs


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 200), max_size=40), st.integers(2, 12))
def test_whatever_the_strata_folds_are_even(sizes: list[int], n: int) -> None:
    found = np.array(list(even_sizes({(str(i),): size for i, size in enumerate(sizes)}, n).values())).reshape(-1, n)
    assert found.sum(axis=1).tolist() == sizes
    assert all(np.ptp(runs) <= 1 for runs in found)
    assert np.ptp(found.sum(axis=0)) <= 1


def test_over_many_seeds_each_row_is_in_each_fold_as_often_as_in_any_other(spark: SparkSession) -> None:
    rows = spark.range(N_SEEDS).withColumnRenamed("id", "seed").crossJoin(spark.range(8))
    found = stratified_k_fold(rows, ["seed"], 4, key=["id"], seed=F.col("seed")).toPandas()  # type: ignore[arg-type]
    parts = found.pivot(index="seed", columns="id", values="fold").to_numpy(int)
    assert (np.sort(parts, axis=1) == np.repeat(range(4), 2)).all()
    assert parts_are_fair(parts, [0.25] * 4)[0] > 1e-3


def test_pyspark_takes_the_folds_and_refuses_rows_without_one(rows: DataFrame) -> None:
    folds = stratified_k_fold(rows, ["k"], 3, key=["id"], seed=5, min_rows=0)
    numbers = folds.select(
        array_to_vector(F.array(F.col("id") % 5 + F.rand(1), F.col("id") % 3 * F.lit(1.0))).alias("features"),
        (F.col("id") % 5 > 2).cast("double").alias("label"),
        "fold",
    )
    grid = ParamGridBuilder().addGrid(LogisticRegression.regParam, [0.0]).build()
    model = LogisticRegression(maxIter=2)
    validator = CrossValidator(
        estimator=model,
        estimatorParamMaps=grid,
        evaluator=BinaryClassificationEvaluator(),
        numFolds=3,
        foldCol="fold",
        collectSubModels=True,
    )
    fitted = validator.fit(numbers.where("fold IS NOT NULL").cache())
    assert len(fitted.subModels) == 3
    assert 0.5 < fitted.avgMetrics[0] <= 1
    with pytest.raises(Exception, match="Fold number must be in range"):
        validator.fit(numbers)


def test_too_few_rows_or_folds_are_refused(spark: SparkSession) -> None:
    rows = of_rows(spark, "id int, `y.1` string", [(i, "a" if i < 30 else None) for i in range(34)])
    with pytest.raises(ConfigError, match=r"at least 5 rows, for 5 folds, found y\.1=null with 4 rows"):
        stratified_k_fold(rows, ["y.1"], 5, key=["id"])
    with pytest.raises(ConfigError, match=r"at least 16 rows.*null with 4 rows"):
        stratified_k_fold(rows, ["y.1"], 4, key=["id"], min_rows=4)
    for n in (1, 101):
        with pytest.raises(ConfigError, match="2 to 100 folds"):
            k_fold(rows, n, key=["id"])
    with pytest.raises(ConfigError, match="names that are free"):
        k_fold(rows, 3, key=["id"], name="Y.1")
    with pytest.raises(ConfigError, match="'idd'"):
        stratified_k_fold(rows, ["y.1"], 3, key=["idd"])


def test_no_rows_give_no_folds(rows: DataFrame) -> None:
    none = stratified_k_fold(rows.where("split IS NULL"), BY, N, key=["id"])
    assert none.where("fold IS NOT NULL").count() == 0
    assert none.schema["fold"].dataType.simpleString() == "int"
