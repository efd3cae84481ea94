"""A draw depends on seed, purpose and key, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from scipy.stats import chi2_contingency, kstest

from traintable.sample import keyed_hash

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N = 5000


@pytest.fixture(scope="module")
def draws(spark: SparkSession) -> pd.DataFrame:
    """Numbers in 0 to 1 of rows with the keys 0, 1, 2, ..., drawn in several ways."""
    keys = spark.range(N).select("id", F.lit(None).cast("long").alias("no.thing"), F.lit("").alias("empty"))
    ways = {
        "one": keyed_hash(["id"], seed=1, purpose="split"),
        "another seed": keyed_hash(["id"], seed=2, purpose="split"),
        "another purpose": keyed_hash(["id"], seed=1, purpose="fold"),
        "a wide seed": keyed_hash(["id"], seed=2**40, purpose="split"),
        "with a null": keyed_hash(["id", "no.thing"], seed=1, purpose="split"),
        "with an empty text": keyed_hash(["id", "empty"], seed=1, purpose="split"),
    }
    found = keys.repartition(3).withColumns(ways).toPandas().sort_values("id", ignore_index=True)
    return (found[list(ways)].astype("float64") + 2.0**63) / 2.0**64


def test_draws_are_uniform(draws: pd.DataFrame) -> None:
    for name in draws:
        assert kstest(draws[name], "uniform").pvalue > 1e-3, name
        assert draws[name].is_unique


def test_draws_of_another_seed_purpose_or_key_are_independent(draws: pd.DataFrame) -> None:
    tenths = (draws * 10).astype(int)
    for i, one in enumerate(tenths):
        for other in list(tenths)[i + 1 :]:
            assert chi2_contingency(pd.crosstab(tenths[one], tenths[other])).pvalue > 1e-4, (one, other)


def test_draws_of_neighbouring_keys_are_independent(draws: pd.DataFrame) -> None:
    one = draws["one"].to_numpy()
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.05
