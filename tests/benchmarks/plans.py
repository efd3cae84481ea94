"""One plan, as each side writes it down: 12 stages for traintable, pyspark.ml and scikit-learn."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline
from pyspark.ml.feature import (
    PCA,
    Imputer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    QuantileDiscretizer,
    RobustScaler,
    StandardScaler,
    StringIndexer,
    VarianceThresholdSelector,
    VectorAssembler,
)
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA as SklearnPCA  # noqa: N811
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.preprocessing import MaxAbsScaler as SklearnMaxAbs
from sklearn.preprocessing import MinMaxScaler as SklearnMinMax
from sklearn.preprocessing import Normalizer as SklearnNormalizer
from sklearn.preprocessing import OneHotEncoder as SklearnOneHot
from sklearn.preprocessing import RobustScaler as SklearnRobust
from sklearn.preprocessing import StandardScaler as SklearnStandard

from traintable.config.plan import Plan

# Columns by what becomes of them.
FLIGHTS: dict[str, tuple[str, ...]] = {
    "reduced": ("dep_time", "sched_dep_time", "arr_time", "sched_arr_time"),
    "robust": ("dep_delay", "arr_delay", "air_time"),
    "min_max": ("month", "day"),
    "max_abs": ("hour", "minute"),
    "binned": ("distance",),
    "selected": ("year", "flight"),
    "categories": ("carrier", "origin", "dest"),
}
WIDE: dict[str, tuple[str, ...]] = {
    "reduced": tuple(f"x{i}" for i in range(60)),
    "robust": tuple(f"x{i}" for i in range(60, 110)),
    "min_max": tuple(f"x{i}" for i in range(110, 140)),
    "max_abs": tuple(f"x{i}" for i in range(140, 170)),
    "binned": tuple(f"x{i}" for i in range(170, 180)),
    "selected": tuple(f"x{i}" for i in range(180, 190)),
    "categories": tuple(f"c{i}" for i in range(10)),
}
N_BINS = 10


def ours(columns: dict[str, tuple[str, ...]], k: int) -> Plan:
    """Impute by mean and median, four scales, bins, variance selection, one-hot, components, normalised."""
    features: dict[str, dict[str, Any]] = {}
    features |= {name: {"scale": "standard"} for name in columns["reduced"]}
    features |= {name: {"impute": "median", "scale": "robust"} for name in columns["robust"]}
    features |= {name: {"scale": "min_max"} for name in columns["min_max"]}
    features |= {name: {"scale": "max_abs"} for name in columns["max_abs"]}
    features |= {name: {"transform": "quantile_bins", "n_bins": N_BINS} for name in columns["binned"]}
    features |= {name: {} for name in columns["selected"]}
    features |= {name: {"encode": "one_hot"} for name in columns["categories"]}
    return Plan.model_validate(
        {
            "features": features,
            "normalize": [{"columns": columns["max_abs"]}],
            "select": [{"method": "variance"}],
            "reduce": {"columns": columns["reduced"], "k": k},
        }
    )


def spark_ml(columns: dict[str, tuple[str, ...]], k: int) -> Pipeline:
    """The same with multi-column stages, as the guide of pyspark.ml has it."""

    def imputed(part: str) -> list[str]:
        return [f"{name}_i" for name in columns[part]]

    means = ["reduced", "min_max", "max_abs", "binned", "selected"]
    by_mean = [name for part in means for name in columns[part]]
    places, bins = [f"{name}_x" for name in columns["categories"]], [f"{name}_b" for name in columns["binned"]]
    hot = [f"{name}_h" for name in columns["categories"]]
    assembled = [
        VectorAssembler(inputCols=imputed(part), outputCol=part)
        for part in ("reduced", "robust", "min_max", "max_abs", "selected")
    ]
    return Pipeline(
        stages=[
            Imputer(inputCols=by_mean, outputCols=[f"{name}_i" for name in by_mean]),
            Imputer(strategy="median", inputCols=list(columns["robust"]), outputCols=imputed("robust")),
            *assembled,
            StandardScaler(inputCol="reduced", outputCol="standard", withMean=True),
            PCA(inputCol="standard", outputCol="components", k=k),
            RobustScaler(inputCol="robust", outputCol="robust_s", withCentering=True),
            MinMaxScaler(inputCol="min_max", outputCol="min_max_s"),
            MaxAbsScaler(inputCol="max_abs", outputCol="max_abs_s"),
            Normalizer(inputCol="max_abs_s", outputCol="normalized"),
            QuantileDiscretizer(inputCols=imputed("binned"), outputCols=bins, numBuckets=N_BINS),
            VarianceThresholdSelector(featuresCol="selected", outputCol="selected_s"),
            StringIndexer(inputCols=list(columns["categories"]), outputCols=places, handleInvalid="keep"),
            OneHotEncoder(inputCols=places, outputCols=hot, dropLast=False),
            VectorAssembler(
                inputCols=["robust_s", "min_max_s", "normalized", *bins, "selected_s", *hot, "components"],
                outputCol="features",
            ),
        ]
    )


def scikit_learn(columns: dict[str, tuple[str, ...]], k: int) -> ColumnTransformer:
    """The same on a pandas frame."""
    mean = SimpleImputer
    hot = SklearnOneHot(handle_unknown="ignore", sparse_output=True)
    bins = KBinsDiscretizer(N_BINS, encode="ordinal", strategy="quantile", quantile_method="linear")
    return ColumnTransformer(
        [
            ("robust", make_pipeline(SimpleImputer(strategy="median"), SklearnRobust()), list(columns["robust"])),
            ("min_max", make_pipeline(mean(), SklearnMinMax()), list(columns["min_max"])),
            ("max_abs", make_pipeline(mean(), SklearnMaxAbs(), SklearnNormalizer()), list(columns["max_abs"])),
            ("binned", make_pipeline(mean(), bins), list(columns["binned"])),
            ("selected", make_pipeline(mean(), VarianceThreshold()), list(columns["selected"])),
            ("categories", hot, list(columns["categories"])),
            ("reduced", make_pipeline(mean(), SklearnStandard(), SklearnPCA(k)), list(columns["reduced"])),
        ]
    )
