"""A hash of the key or of the group decides, so no row and no group ever changes its part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from scipy.stats import chi2_contingency, chisquare

from drawn import N_SEEDS, parts_are_fair
from frames import of_pandas
from traintable.columns import SPLITS
from traintable.errors import ConfigError
from traintable.split import by_group, by_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RATIOS = {"train": 0.7, "validation": 0.2, "test": 0.1}
N = 4000


def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"the.id": range(N), "it`s": [None if i % 50 == 0 else f"k{i % 9}" for i in range(N)]})
    frame["g 1"] = pd.array(rng.integers(0, 400, N), "Int64")
    frame["g.2"] = rng.choice(["x", "y"], N)
    frame.loc[rng.random(N) < 0.05, "g 1"] = pd.NA
    frame.loc[rng.random(N) < 0.2, "g.2"] = None
    return frame


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, table()).cache()


def both(rows: DataFrame, seed: int = 3) -> pd.DataFrame:
    """The part by key in `split`, that by group in `by_group`."""
    grouped = by_group(rows, ["g 1", "g.2"], RATIOS, seed=seed).withColumnRenamed("split", "by_group")
    split = by_hash(grouped, RATIOS, key=["the.id", "it`s"], seed=seed)
    assert split.columns == [*rows.columns, "by_group", "split"]
    return split.toPandas().sort_values("the.id", ignore_index=True)


@pytest.fixture(scope="module")
def known(rows: DataFrame) -> pd.DataFrame:
    return both(rows)


def test_parts_have_about_their_ratios(known: pd.DataFrame) -> None:
    counts = known["split"].value_counts()[list(SPLITS)]
    assert chisquare(counts, [N * RATIOS[part] for part in SPLITS]).pvalue > 1e-3
    groups = known.groupby(["g 1", "g.2"], dropna=False)["by_group"].first().value_counts()[list(SPLITS)]
    assert chisquare(groups, [groups.sum() * RATIOS[part] for part in SPLITS]).pvalue > 1e-3


def test_no_row_and_no_group_changes_its_part_as_data_grows_and_whatever_the_layout(
    rows: DataFrame, known: pd.DataFrame
) -> None:
    few = rows.where("`the.id` % 3 = 1").repartition(7)
    more = few.unionByName(rows.where("`the.id` % 3 != 1").withColumn("the.id", F.col("`the.id`") + 10_000))
    grown = both(more.repartition(200)).set_index("the.id")
    third = known[known["the.id"] % 3 == 1].set_index("the.id")
    pd.testing.assert_frame_equal(grown.loc[third.index], third)
    names = ["g 1", "g.2"]
    kept = grown.groupby(names, dropna=False)["by_group"].first()
    before = known.groupby(names, dropna=False)["by_group"].first()
    pd.testing.assert_series_equal(kept, before)


def test_no_group_is_on_two_sides_and_null_is_a_group(known: pd.DataFrame) -> None:
    groups = known.groupby(["g 1", "g.2"], dropna=False)["by_group"]
    assert known["g 1"].isna().any()
    assert groups.nunique().max() == 1
    assert groups.ngroups > 1000


def test_another_seed_is_independent(rows: DataFrame, known: pd.DataFrame) -> None:
    other = both(rows, seed=4)
    assert chi2_contingency(pd.crosstab(known["split"], other["split"])).pvalue > 1e-3
    assert (other["by_group"] != known["by_group"]).any()


@pytest.mark.parametrize("covariate", ["the.id", "it`s"])
def test_the_part_is_independent_of_what_the_key_is_made_of(covariate: str, known: pd.DataFrame) -> None:
    value = known[covariate] % 7 if covariate == "the.id" else known[covariate].fillna("null")
    assert chi2_contingency(pd.crosstab(known["split"], value)).pvalue > 1e-3


def test_parts_that_are_not_asked_get_no_rows_and_a_larger_train_keeps_its_rows(rows: DataFrame) -> None:
    two = by_hash(rows, {"test": 0.25, "train": 0.75}, key=["the.id"], seed=1).withColumnRenamed("split", "two")
    one = by_hash(two, {"train": 1}, key=["the.id"], seed=1).withColumnRenamed("split", "one")
    three = by_hash(one, {"train": 0.8, "validation": 0.1, "test": 0.1}, key=["the.id"], seed=1)
    found = three.groupBy("two", "one", "split").count().toPandas()
    assert set(found["two"]) == {"train", "test"}
    assert set(found["one"]) == {"train"}
    assert set(found.loc[found["two"] == "train", "split"]) == {"train"}


def test_over_many_seeds_each_row_is_in_each_part_as_often_as_it_should(spark: SparkSession) -> None:
    seeds = spark.range(N_SEEDS).withColumnRenamed("id", "seed")
    rows = seeds.crossJoin(spark.range(8))
    found = by_hash(rows, RATIOS, key=["id"], seed=F.col("seed")).toPandas()  # type: ignore[arg-type]
    parts = found.pivot(index="seed", columns="id", values="split").replace(dict(zip(SPLITS, range(3), strict=True)))
    each, pairs = parts_are_fair(parts.to_numpy(int), list(RATIOS.values()))
    assert each > 1e-3
    assert pairs > 1e-3


@pytest.mark.parametrize(
    "ratios",
    [
        {},
        {"train": 0.5, "validation": 0.2, "test": 0.2},
        {"train": 0.5, "validation": 0.6, "test": 0.1},
        {"train": 1.1, "test": -0.1},
        {"train": 1.0, "test": 0.0},
        {"train": 0.5, "holdout": 0.5},
    ],
)
def test_ratios_that_are_none_are_refused(ratios: dict[str, float], rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match="sum to 1"):
        by_hash(rows, ratios, key=["the.id"], seed=1)
    with pytest.raises(ConfigError, match="sum to 1"):
        by_group(rows, ["g 1"], ratios, seed=1)


def test_an_unknown_column_is_named(rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"split\.hash.*'the.idd'.*'the.id'"):
        by_hash(rows, RATIOS, key=["the.idd"], seed=1)
    with pytest.raises(ConfigError, match=r"split\.group.*'g 3'"):
        by_group(rows, ["g 3"], RATIOS, seed=1)
