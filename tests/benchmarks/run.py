"""Measured comparisons, as a table in Markdown; what is compared is first checked to be equal.

    python tests/benchmarks/run.py [fit] [x30] [wide] [profile] [refit] [draws]

All by default. Each peer is used as its documentation recommends, with its input cached or in memory; both sides run in
turn, five times after one that does not count, in one process on the same files.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
from data import flights, wide
from draws import draws
from measure import HEADER, Side, compare
from plans import FLIGHTS, WIDE, ours, scikit_learn, spark_ml
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from traintable import get_spark, prepare
from traintable.statistics import Statistics, Wanted, scan

RANK_ERROR = 0.001  # pyspark.ml's medians and quartiles are right for a rank that is wrong by so much


def fit(spark: SparkSession, folder: str, copies: int = 10) -> None:
    """Fit and transform of a plan of 12 stages on the flights."""
    _fit(spark, f"x{copies}", flights(spark, folder, copies), FLIGHTS, k=3, with_sklearn=copies <= 10)


def fit_wide(spark: SparkSession, folder: str) -> None:
    """The same plan on 200 columns."""
    _fit(spark, "200 columns", wide(spark, folder), WIDE, k=10, with_sklearn=True)


def _fit(
    spark: SparkSession, name: str, rows: DataFrame, columns: dict[str, tuple[str, ...]], *, k: int, with_sklearn: bool
) -> None:
    plan, theirs = ours(columns, k), spark_ml(columns, k)
    fitted = prepare.fit_plan(rows, plan)
    kept = rows.cache()
    kept.count()
    model = theirs.fit(kept)
    kept.unpersist(blocking=True)
    _check_fit(rows, fitted, model, columns)

    def fit_theirs() -> None:
        kept = rows.cache()
        theirs.fit(kept)
        kept.unpersist(blocking=True)

    fit_ours = Side(lambda: prepare.fit_plan(rows, plan), lambda: sum(c.bytes for c in fitted.costs) / 1e6)
    compare(spark, f"fit, {name}, pyspark.ml (input cached)", fit_ours, Side(fit_theirs))
    compare(spark, f"transform, {name}, pyspark.ml", _transform(fitted.model, rows), _transform(model, rows))
    if with_sklearn:
        frame = rows.toPandas()
        fit_ours = Side(fit_ours.work, fit_ours.megabytes)
        peer = Side(lambda: scikit_learn(columns, k).fit(frame))
        compare(spark, f"fit, {name}, scikit-learn (in memory)", fit_ours, peer)


def _transform(model: PipelineModel, rows: DataFrame) -> Side:
    features = model.transform(rows).select("features")
    if dict(features.dtypes)["features"] == "vector":
        features = features.select(vector_to_array("features", "float32").alias("features"))
    return Side(lambda: features.write.format("noop").mode("overwrite").save())


def _check_fit(
    rows: DataFrame, fitted: prepare.FittedPlan, model: PipelineModel, columns: dict[str, tuple[str, ...]]
) -> None:
    """Raise unless both give the same features: exactly, up to sign, or within the ranks that the peer guarantees."""
    some = rows.limit(5000)
    a = np.array([row[0] for row in fitted.model.transform(some).select("features").collect()])
    b = np.array([row[0] for row in model.transform(some).select(vector_to_array("features")).collect()])
    n_robust, n_binned = len(columns["robust"]), len(columns["binned"])
    exact = len(columns["min_max"]) + len(columns["max_abs"])
    np.testing.assert_allclose(a[:, :n_robust], b[:, :n_robust], rtol=0.05, atol=0.05)
    np.testing.assert_allclose(
        a[:, n_robust : n_robust + exact], b[:, n_robust : n_robust + exact], rtol=1e-6, atol=1e-6
    )
    bins = slice(n_robust + exact, n_robust + exact + n_binned)
    assert (a[:, bins] != b[:, bins]).mean() < 0.02
    k = sum(name.startswith("pc") for name in fitted.features)
    np.testing.assert_allclose(np.abs(a[:, -k:]), np.abs(b[:, -k:]), rtol=1e-3, atol=1e-3)


def profile(spark: SparkSession, folder: str, copies: int = 10) -> None:
    """All statistics of all columns: counts, nulls, distinct, moments, quantiles, extremes, top values, covariance."""
    rows = flights(spark, folder, copies)
    path = f"{folder}/x{copies}/*.parquet"
    database = duckdb.connect()
    database.execute("SET threads = 2")
    wanted = Wanted.everything(dict(rows.dtypes))
    found = scan(rows, wanted)
    _check_profile(found, database.execute(f"SUMMARIZE SELECT * FROM read_parquet('{path}')").df())
    compare(
        spark,
        f"profile of {len(rows.columns)} columns, x{copies}, DuckDB SUMMARIZE",
        Side(lambda: scan(rows, wanted), lambda: found.cost.bytes / 1e6),
        Side(lambda: database.execute(f"SUMMARIZE SELECT * FROM read_parquet('{path}')").fetchall()),
    )


def _check_profile(found: Statistics, summary: pd.DataFrame) -> None:
    """Raise unless what both know is equal."""
    for row in summary.itertuples():
        if row.column_name not in found.wanted.summary or row.column_type == "TIMESTAMP":
            continue
        known = found.summary[row.column_name]
        mean, variance = found.gram.mean_and_variance(row.column_name)
        np.testing.assert_allclose(
            [known.min, known.max, mean, np.sqrt(variance), 100 * (1 - known.n / known.n_rows)],
            [float(row.min), float(row.max), float(row.avg), float(row.std), float(row.null_percentage)],
            rtol=1e-6,
            atol=0.01,
        )


def refit(spark: SparkSession, folder: str) -> None:
    """Fit again after 1% of rows were added, against fitting anew."""
    rows, plan = flights(spark, folder, 10), ours(FLIGHTS, 3)
    path, cache, before = f"{folder}/grown", f"{folder}/cache", f"{folder}/cache_before"
    shutil.copytree(f"{folder}/x10", path)
    prepare.fit_plan(spark.read.parquet(path), plan, cache=before)
    one_percent = F.pmod(F.xxhash64("time_hour", "flight", "carrier"), F.lit(100)) == 0
    rows.where(one_percent).coalesce(1).write.mode("append").parquet(path)
    grown = spark.read.parquet(path)

    def again() -> prepare.FittedPlan:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(before, cache)
        return prepare.fit_plan(grown, plan, cache=cache)

    anew = prepare.fit_plan(grown, plan)
    assert _statements(again()) == _statements(anew)
    peer = Side(lambda: prepare.fit_plan(grown, plan), lambda: sum(c.bytes for c in anew.costs) / 1e6)
    compare(spark, "refit after 1% more rows, x10, fit anew", Side(again), peer)


def _statements(fitted: prepare.FittedPlan) -> list[str]:
    return [stage.getStatement() for stage in fitted.model.stages]


def main(chosen: list[str]) -> None:
    """Measure and print."""
    sections: dict[str, Callable[[SparkSession, str], None]] = {
        "fit": fit,
        "x30": lambda spark, folder: (fit(spark, folder, 30), profile(spark, folder, 30))[0],
        "wide": fit_wide,
        "profile": profile,
        "refit": refit,
        "draws": draws,
    }
    spark = get_spark("bench", spark__driver__memory="8g")
    with tempfile.TemporaryDirectory() as folder:
        print(HEADER, flush=True)
        for name in chosen or sections:
            sections[name](spark, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
