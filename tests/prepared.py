"""Rows with all that a number can be, and what a fitted plan makes of them at full precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer

from traintable.config.plan import Plan
from traintable.prepare import FittedPlan, fit_plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NUMBERS = ("normal", "shifted", "skewed", "counts", "tiny", "wide", "mostly_zero", "constant")


def rows(n: int, seed: int) -> pd.DataFrame:
    """Numbers of many kinds, NaN where they are missing; `counts`, `mostly_zero` and `constant` repeat values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "normal": rng.normal(size=n),
            "shifted": 1e9 + rng.normal(size=n),
            "skewed": rng.exponential(1e3, n),
            "counts": rng.poisson(3, n).astype(float),
            "tiny": rng.normal(size=n) * 1e-9,
            "wide": rng.choice([-1, 1], n) * 10 ** rng.uniform(-5, 5, n),
            "mostly_zero": np.where(rng.random(n) < 0.9, 0.0, rng.exponential(size=n)),
            "constant": np.full(n, 0.1),
        }
    )
    for name in NUMBERS:
        frame.loc[rng.random(n) < 0.08, name] = np.nan
    return frame.assign(id=np.arange(n))


def dirty(spark: SparkSession, frame: pd.DataFrame) -> DataFrame:
    """The rows of a frame; what is missing of a number is null, NaN, infinity and minus infinity in turn."""
    arrays: dict[str, pa.Array] = {}
    for name in frame.columns:
        if frame[name].dtype == np.float64:
            values = frame[name].to_numpy(copy=True)
            missing = np.flatnonzero(np.isnan(values))
            values[missing] = [value for value, _ in zip(cycle([0.0, np.nan, np.inf, -np.inf]), missing, strict=False)]
            null = np.zeros(len(values), bool)
            null[missing[::4]] = True
            arrays[name] = pa.array(values, mask=null)
        else:
            arrays[name] = pa.array(frame[name], from_pandas=True)
    return spark.createDataFrame(pa.table(arrays))


def stored(df: DataFrame, folder: Path) -> DataFrame:
    """The rows in a file, which a scan reads without a job."""
    df.coalesce(1).write.mode("overwrite").parquet(str(folder))
    return df.sparkSession.read.parquet(str(folder))


def crossed(
    df: DataFrame, names: Sequence[str], options: Mapping[str, Mapping[str, Any]]
) -> tuple[DataFrame, dict[str, Any]]:
    """Copies of columns, one for each way to prepare it, and a plan's features for them: "name option"."""
    copies = {f"{name} {option}": name for option in options for name in names}
    features = {f"{name} {option}": dict(feature) for option, feature in options.items() for name in names}
    return df.selectExpr("*", *(f"`{name}` AS `{copy}`" for copy, name in copies.items())), features


@dataclass(frozen=True)
class Prepared:
    """A fitted plan, and the features that it gives rows in the order of their `id`, of shape (rows, features)."""

    fitted: FittedPlan
    matrix: Any

    def __getitem__(self, name: str) -> Any:
        return self.matrix[:, self.fitted.features.index(name)]

    @property
    def statements(self) -> str:
        """What the fitted model is made of."""
        return "\n".join(statements(self.fitted.model))

    def of(self, feature: str) -> Any:
        """All features whose names begin with a feature's."""
        places = [i for i, name in enumerate(self.fitted.features) if name.startswith(f"{feature}_")]
        return self.matrix[:, places]


def prepare(train: DataFrame, plan: Mapping[str, Any], others: DataFrame | None = None, **options: Any) -> Prepared:
    """Fit a plan on train and prepare other rows, or train itself, by it."""
    fitted = fit_plan(train, Plan.model_validate(plan), **options)
    return Prepared(fitted, matrix(exact(fitted.model), train if others is None else others))


def exact(model: PipelineModel) -> PipelineModel:
    """The model without the last step to floats, so that all digits of what is fitted are seen."""
    statements = [stage.getStatement().replace(" AS FLOAT)", " AS DOUBLE)") for stage in model.stages]
    return PipelineModel([SQLTransformer(statement=statement) for statement in statements])


def matrix(model: PipelineModel, df: DataFrame) -> Any:
    """The features of rows in the order of their `id`, shape (rows, features)."""
    found = model.transform(df).select("id", "features").toArrow().sort_by("id")
    values = found["features"].combine_chunks()
    return np.asarray(values.flatten(), dtype=np.float64).reshape(len(found), -1)


def statements(model: PipelineModel) -> list[str]:
    """What a fitted model is made of."""
    return [stage.getStatement() for stage in model.stages]
