"""A feature stays when a tree uses it more than chance of as many levels would be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from frames import of_pandas
from traintable.config.plan import Plan
from traintable.prepare import FittedPlan, fit_plan
from traintable.prepare.probes import _probes, _shares
from traintable.statistics import Weighted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TREE = {"method": "tree"}


def planted(seed: int, n: int = 4000) -> pd.DataFrame:
    """A strong number, a binary feature that shifts the odds a little, and noise."""
    rng = np.random.default_rng(seed)
    strong, b = rng.normal(size=n), rng.integers(0, 2, n)
    odds = np.where(b == 1, 0.56, 0.44)
    y = (rng.random(n) < np.clip(odds + 0.25 * np.sign(strong), 0, 1)).astype(int)
    return pd.DataFrame({"strong": strong, "b": b, "noise": rng.normal(size=n), "flat": 1.0, "y": y})


def fitted(df: DataFrame, *names: str, **selector: Any) -> FittedPlan:
    plan = {"features": {name: {} for name in names}, "label": "y", "select": [TREE | selector]}
    return fit_plan(df, Plan.model_validate(plan))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_weak_binary_feature_stays_and_noise_of_many_levels_goes(seed: int, spark: SparkSession) -> None:
    found = fitted(of_pandas(spark, planted(seed)), "strong", "b", "noise", "flat")
    assert found.features == ("strong", "b")
    because = {d.feature: d.because for d in found.dropped}
    assert because["noise"].endswith("of the best of 10 random columns of 32 levels")
    assert because["flat"] == "importance 0, not above 0 of the best of 10 random columns of 1 level"


def test_rows_that_look_the_same_draw_apart_in_any_layout(spark: SparkSession) -> None:
    """Where there are but four kinds of rows, a function of the kind could tell all that the two features tell."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.integers(0, 2, 4000), "b": rng.integers(0, 2, 4000)})
    frame["y"] = (rng.random(4000) < np.where(frame["a"] & frame["b"], 0.8, 0.4)).astype(int)
    df = of_pandas(spark, frame.sort_values(["y", "b", "a"]))
    for rows in (df, df.repartition(5)):
        found = fitted(rows, "a", "b", n_probes=20)
        assert found.features == ("a", "b")


def test_random_columns_have_the_levels_of_the_features_in_turn() -> None:
    three, other, two = [0.2, 0.9], [0.5, 0.6], [0.7]
    assert _probes([three, two, [], other], 3) == [two, two, two, three, other, three]
    values = Weighted(np.array([1.0, 2.0, 5.0]), np.array([6, 3, 1]))
    assert _shares(values, [2.0, 5.0]) == [0.6, 0.9]
    assert _shares(values, []) == []
