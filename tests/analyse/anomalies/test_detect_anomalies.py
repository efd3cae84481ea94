"""Planted rows and days are found first, with their causes, and all rows are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analysis_contexts import learned, of_table, read
from frames import of_pandas
from traintable import analyse
from traintable.analyse.anomalies import AnomalyModel, detect_anomalies, fit_anomaly_model, score_anomalies
from traintable.analyse.mahalanobis import ellipsoid
from traintable.analyse.rows.context import AnalysisContext
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N = 24_000
PLANTED = {11: "a.b", 222: "c d", 3333: "word"}
ROLES: dict[str, Any] = {
    "numbers": ("a.b", "c d", "e"),
    "categories": ("word",),
    "times": ("when",),
    "time": "when",
    "key": ("id`", "part"),
}


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "id`": np.arange(N),
            "part": "p",
            "a.b": rng.normal(size=N),
            "c d": 1e9 + rng.normal(size=N),
            "e": np.where(rng.random(N) < 0.3, np.nan, rng.uniform(size=N)),
            "word": rng.choice(["x", "y"], N),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N) * 86400 // 240, unit="s"),
        }
    )
    rows.loc[11, "a.b"], rows.loc[222, "c d"], rows.loc[3333, "word"] = -25.0, 1e9 + 30, "once"
    rows.loc[rows["when"].dt.normalize() == "2024-03-20", "e"] = np.nan
    return rows


@pytest.fixture(scope="module")
def context(spark: SparkSession) -> AnalysisContext:
    return of_table(of_pandas(spark, frame()), **ROLES)


@pytest.fixture(scope="module")
def section(context: AnalysisContext) -> dict[str, Any]:
    anomalies = detect_anomalies(context)
    assert anomalies is not None
    return anomalies


@pytest.fixture(scope="module")
def model(context: AnalysisContext) -> AnomalyModel:
    fitted = fit_anomaly_model(context)
    assert fitted is not None
    return fitted


@pytest.fixture(scope="module")
def scored(context: AnalysisContext, model: AnomalyModel) -> pd.DataFrame:
    return score_anomalies(context.df.repartition(3), model).toPandas().sort_values("id`", ignore_index=True)


def test_planted_rows_come_first_with_the_columns_that_caused_them(section: dict[str, Any]) -> None:
    first = {row["key"]["id`"]: row for row in section["rows"][:3]}
    assert {key: row["because"][0][0] for key, row in first.items()} == PLANTED
    assert all(row["key"] == {"id`": key, "part": "p"} and row["n"] == 1 for key, row in first.items())
    assert len(section["rows"]) == 20
    assert [row["score"] >= section["threshold"] for row in section["rows"][:4]] == [True, True, True, False]
    assert section["rows"] == sorted(section["rows"], key=lambda row: -row["score"])
    assert section["features"] == ["a.b", "c d", "e", "word"]
    assert section["sample_rows"] == 16_000


def test_all_rows_are_counted_by_the_scores_they_get(section: dict[str, Any], scored: pd.DataFrame) -> None:
    counts, _ = np.histogram(scored["anomaly_score"], section["scores"]["edges"])
    assert section["scores"]["counts"] == counts.tolist()
    assert sum(section["scores"]["counts"]) == N
    assert section["n"] == (scored["anomaly_score"] >= section["threshold"]).sum()
    best = scored.nlargest(3, "anomaly_score")
    assert [row["score"] for row in section["rows"][:3]] == best["anomaly_score"].tolist()


def test_a_forest_of_a_table_is_that_of_its_profile(context: AnalysisContext, scored: pd.DataFrame) -> None:
    model = analyse.isolation_forest(context.df.repartition(5), ["a.b", "c d", "e", "word"], key=["id`", "part"])
    rows = analyse.score_anomalies(context.df, model).toPandas().sort_values("id`", ignore_index=True)
    assert rows["anomaly_score"].tolist() == scored["anomaly_score"].tolist()


@pytest.mark.parametrize(("columns", "where"), [(["when"], "true"), (None, "`id``` < 5"), ([], "true")])
def test_a_table_in_which_nothing_differs_has_no_forest(context: AnalysisContext, columns: Any, where: str) -> None:
    with pytest.raises(ConfigError, match="at least 8 rows"):
        analyse.isolation_forest(context.df.where(where), columns, key=["id`", "part"])


def test_scored_rows_keep_their_columns_and_name_causes_only_of_anomalies(
    scored: pd.DataFrame, model: AnomalyModel, context: AnalysisContext
) -> None:
    rows = frame()
    pd.testing.assert_frame_equal(scored[["a.b", "c d", "e"]], rows[["a.b", "c d", "e"]])
    assert list(scored.columns) == [*rows.columns, "anomaly_score", "anomaly_because"]
    is_named = scored["anomaly_because"].map(len) > 0
    assert (is_named == (scored["anomaly_score"] >= model.threshold)).all()
    assert scored["anomaly_because"][11][0] == "a.b"
    matrix = model.encoder.transform(read(rows, model.encoder.inputs.numbers, model.encoder.inputs.categories))
    assert model.scores(matrix).tolist() == scored["anomaly_score"].tolist()
    with pytest.raises(ConfigError, match="anomaly_score"):
        score_anomalies(context.df.withColumnRenamed("part", "anomaly_score"), model)
    with pytest.raises(ConfigError, match="which is not among them"):
        score_anomalies(context.df.drop("word"), model)


def test_contributions_add_up_to_the_shortening_of_the_path(model: AnomalyModel) -> None:
    rows = frame()[:4000]
    matrix = model.encoder.transform(read(rows, model.encoder.inputs.numbers, model.encoder.inputs.categories))
    own = -np.log2(model.scores(matrix)) * model.forest.average_length
    usual = np.mean([tree.length[0] for tree in model.forest.trees])
    np.testing.assert_allclose(model.contributions(matrix).sum(axis=1), usual - own, atol=1e-9)


def test_rows_far_from_the_mean_are_counted(section: dict[str, Any]) -> None:
    rows, names = frame(), ROLES["numbers"]
    shape = ellipsoid(learned(rows, numbers=names).gram, names)
    assert shape is not None
    squared, distances = shape.squared_distances(read(rows, names, ())), section["mahalanobis"]
    assert (distances["columns"], distances["rank"], distances["expected"]) == (list(names), 3, N / 1000)
    assert distances["limit"] == pytest.approx(chi2.isf(0.001, 3))
    assert distances["n"] == (squared >= distances["limit"]).sum() > 1
    counts, _ = np.histogram(squared, distances["distances"]["edges"])
    assert distances["distances"]["counts"] == counts.tolist()


def test_the_planted_day_is_strange_and_no_other(section: dict[str, Any]) -> None:
    strange = [period for period in section["by_time"] if period["is_strange"]]
    assert [(p["period"], p["columns"], p["rows"]) for p in strange] == [("2024-03-20", ["e"], 240)]
    assert (section["period"], len(section["by_time"])) == ("day", 100)


def test_another_layout_gives_the_same(context: AnalysisContext, section: dict[str, Any]) -> None:
    df = context.df.repartition(7, "word", "e").sortWithinPartitions("c d")
    assert detect_anomalies(AnalysisContext(df, context.statistics, **ROLES)) == section


def test_without_a_key_equal_rows_are_one(spark: SparkSession) -> None:
    rows = pd.DataFrame({"x": [*np.random.default_rng(0).normal(size=600), 50.0, 50.0, np.inf]})
    anomalies = detect_anomalies(of_table(of_pandas(spark, rows), numbers=("x",)))
    assert anomalies is not None
    [far] = [row for row in anomalies["rows"] if row["n"] == 2]
    assert (far["key"], far["because"][0][0]) == ({}, "x")
    assert sum(anomalies["scores"]["counts"]) == 603
    assert (anomalies["by_time"], anomalies["period"]) == ([], None)


@pytest.mark.parametrize("case", ["no rows", "one row", "all null", "constant"])
def test_what_can_not_be_compared_has_no_anomalies(spark: SparkSession, case: str) -> None:
    values = {"no rows": [], "one row": [1.0], "all null": [None] * 50, "constant": [2.0] * 50}[case]
    rows = pd.DataFrame({"x": pd.Series(values, dtype=float), "w": pd.Series(["s"] * len(values), dtype=str)})
    assert detect_anomalies(of_table(of_pandas(spark, rows), numbers=("x",), categories=("w",))) is None
