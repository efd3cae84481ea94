"""Rows to draw from: hundreds of small random tables in one DataFrame, and thousands of seeds in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SEEDS = 2_000

_names = st.sampled_from([None, "", "a", "b", "null", "é`.", "\0"])
_table = st.lists(st.tuples(_names, st.sampled_from([None, 0, 1])), max_size=25)


@dataclass(frozen=True)
class Cases:
    """Tables as rows of one frame: `case`, the strata `s.1` and `s 2`, a key of `the id` and `part`, and numbers."""

    frame: pd.DataFrame
    df: DataFrame
    folder: Path

    @cached_property
    def layouts(self) -> dict[str, DataFrame]:
        """The same rows in other partitions, files and orders."""
        moved = self.df.orderBy("part", "the id")
        found = {f"{n} partitions": moved.repartition(n, "x", "the id").cache() for n in (1, 7, 200)}
        files = str(self.folder / "200 files")
        moved.repartition(200, "x").write.parquet(files)
        return {**found, "200 files": moved.sparkSession.read.parquet(files)}


def cases(spark: SparkSession, folder: Path, n: int = 300) -> Cases:
    """`n` tables that hypothesis makes up, always the same ones."""
    tables: list[list[tuple[Any, Any]]] = []

    @settings(max_examples=n, derandomize=True, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(_table)
    def collect(table: list[tuple[Any, Any]]) -> None:
        tables.append(table)

    collect()
    rows = [(case, one, two) for case, table in enumerate(tables) for one, two in table]
    frame = pd.DataFrame(rows, columns=["case", "s.1", "s 2"]).astype({"s 2": "Int64"})
    rng = np.random.default_rng(5)
    frame["the id"] = rng.permutation(len(frame)) // 3
    frame["part"] = frame.groupby("the id").cumcount().map({0: "one", 1: "two", 2: None})
    frame["x"] = rng.normal(10, 3, len(frame))
    frame["w"] = np.where(rng.random(len(frame)) < 0.1, 0.0, rng.exponential(2.0, len(frame)))
    return Cases(frame, spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)).cache(), folder)


def ordered(rows: DataFrame) -> pd.DataFrame:
    """The rows of a sample in the order of their key."""
    frame = rows.toPandas()
    return frame.sort_values(["the id", "part"], ignore_index=True)


def of_seeds(spark: SparkSession, n: int, columns: dict[str, Sequence[Any]] | None = None) -> DataFrame:
    """`n` rows, numbered by `id`, for each of 2,000 seeds, with columns of their own."""
    arrays = {"seed": np.repeat(np.arange(SEEDS), n), "id": np.tile(np.arange(n), SEEDS)}
    table = {name: pa.array(values) for name, values in arrays.items()}
    for name, values in (columns or {}).items():
        table[name] = pa.array([*values] * SEEDS)
    return spark.createDataFrame(pa.table(table))


def inclusion(found: pd.DataFrame, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows the sample of each seed holds, shape (seeds, rows)."""
    included = np.zeros((SEEDS, n), bool)
    included[found["seed"], found["id"]] = True
    assert included.sum() == len(found)
    return included


def fairness(included: Any, expected: Callable[[np.random.Generator], Any], replicates: int = 200) -> dict[str, float]:
    """How many standard deviations chi-squares of rows and pairs of rows lie from those of samples by NumPy."""
    rng = np.random.default_rng(11)
    simulated = [expected(rng).astype(float) for _ in range(replicates)]
    ones = np.mean([s.sum(axis=0) for s in simulated], axis=0)
    twos = np.mean([s.T @ s for s in simulated], axis=0)
    scale = np.maximum(twos, 1)

    def chi(sample: Any) -> tuple[float, float]:
        pairs = np.triu((sample.T @ sample - twos) ** 2 / scale, 1).sum()
        return float(((sample.sum(axis=0) - ones) ** 2 / np.maximum(ones, 1)).sum()), float(pairs)

    known = np.array([chi(s) for s in simulated])
    z = (np.array(chi(np.asarray(included, float))) - known.mean(axis=0)) / known.std(axis=0)
    return {"rows": float(z[0]), "pairs": float(z[1])}
