"""Fit and transform: one exact scan against the usual Spark ML pipeline, on the same files and cores.

    python tests/benchmarks/fit.py [COPIES]

Both impute, scale and encode the same columns of the flights (COPIES times over, default 10) and take 4 components of
the scaled numbers; the peer has multi-column stages and cached input. First the results are checked to be equal; then
the two are run in turn, and medians and ratios are printed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import PCA, Imputer, OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from traintable import get_spark, prepare
from traintable.config import Plan

ROOT = Path(__file__).parent.parent.parent
NUMERIC = ["dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "air_time", "distance"]
NUMERIC += ["hour", "minute"]
CATEGORICAL = ["carrier", "origin", "dest"]
COMPONENTS, ROUNDS = 4, 5


def plan() -> Plan:
    """What traintable fits."""
    features = {name: {"scale": "standard"} for name in NUMERIC}
    features |= {name: {"encode": "one_hot"} for name in CATEGORICAL}
    return Plan.model_validate({"features": features, "reduce": {"columns": NUMERIC, "k": COMPONENTS}})


def usual() -> Pipeline:
    """What the Spark ML guide would have one write."""
    imputed = [f"{name}_i" for name in NUMERIC]
    indexed = [f"{name}_x" for name in CATEGORICAL]
    encoded = [f"{name}_h" for name in CATEGORICAL]
    return Pipeline(
        stages=[
            Imputer(inputCols=NUMERIC, outputCols=imputed),
            VectorAssembler(inputCols=imputed, outputCol="numbers"),
            StandardScaler(inputCol="numbers", outputCol="scaled", withMean=True),
            PCA(inputCol="scaled", outputCol="components", k=COMPONENTS),
            StringIndexer(inputCols=CATEGORICAL, outputCols=indexed, handleInvalid="keep"),
            OneHotEncoder(inputCols=indexed, outputCols=encoded, dropLast=False),
            VectorAssembler(inputCols=[*encoded, "components"], outputCol="features"),
        ]
    )


def check_equal(df: DataFrame, ours: PipelineModel, theirs: PipelineModel) -> None:
    """Raise unless both give the same components (up to sign) and the same places of categories."""
    sample = df.limit(5000)
    a = np.array([row[0] for row in ours.transform(sample).select("features").collect()])
    b = np.array([row[0] for row in theirs.transform(sample).select(vector_to_array("features")).collect()])
    components_a, components_b = a[:, -COMPONENTS:], b[:, -COMPONENTS:]
    np.testing.assert_allclose(np.abs(components_a), np.abs(components_b), rtol=1e-4, atol=1e-4)
    place = 0
    for labels in theirs.stages[4].labelsArray:
        theirs_here = b[:, place : place + len(labels)]
        ours_from = next(i for i in range(a.shape[1]) if np.array_equal(a[:, i], theirs_here[:, 0]))
        np.testing.assert_array_equal(a[:, ours_from : ours_from + len(labels)], theirs_here)
        place += len(labels) + 1


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Run both in turn and print medians and their ratio."""
    ours(), theirs()
    pairs = [(timed(ours), timed(theirs)) for _ in range(ROUNDS)]
    a, b = statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    print(f"| {name} | {a:.1f} s | {b:.1f} s | {b / a:.1f}x | {ratios[0]:.1f} to {ratios[-1]:.1f}x |", flush=True)


def main(copies: int) -> None:
    """Measure and print a table in Markdown."""
    spark = get_spark("bench")
    folder = tempfile.mkdtemp()
    flights = spark.read.format("delta").load(str(ROOT / "data/warehouse/flights"))
    times = spark.range(copies).withColumnRenamed("id", "copy")
    numbers = [(F.col(name) + F.col("copy") % 3).cast("double").alias(name) for name in NUMERIC]
    flights.crossJoin(F.broadcast(times)).select(*numbers, *CATEGORICAL).write.parquet(f"{folder}/rows")
    rows = spark.read.parquet(f"{folder}/rows")
    cached = rows.cache()
    print(f"{cached.count():,} rows, {len(NUMERIC)} numbers, {len(CATEGORICAL)} categories\n")
    theirs = usual().fit(cached)
    cached.unpersist(blocking=True)
    ours = prepare.fit(rows, plan())
    check_equal(rows, ours, theirs)

    def fit_usual() -> None:
        kept = rows.cache()
        usual().fit(kept)
        kept.unpersist(blocking=True)

    def transform(model: PipelineModel) -> Callable[[], None]:
        features = model.transform(rows).select("features")
        if dict(features.dtypes)["features"] == "vector":
            features = features.select(vector_to_array("features", "float32").alias("features"))
        return lambda: features.write.format("noop").mode("overwrite").save()

    print("| | traintable | Spark ML | ratio of medians | ratios of pairs |\n| --- | --- | --- | --- | --- |")
    compare("fit", lambda: prepare.fit(rows, plan()), fit_usual)
    compare("transform to a float array", transform(ours), transform(theirs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
