"""Exactness, invariance and fairness of the stratified split over random tables, layouts and seeds."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from drawn import N_SEEDS, parts_are_fair, strata
from frames import of_pandas, of_rows
from traintable.columns import SPLITS
from traintable.errors import ConfigError
from traintable.split import stratified

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BY = ["case", "s.1", "s 2"]
RATIOS = [
    {"train": 0.7, "validation": 0.15, "test": 0.15},
    {"train": 0.5, "test": 0.5},
    {"train": 0.333, "validation": 0.333, "test": 0.334},
]
HALVES = {"train": 0.5, "validation": 0.25, "test": 0.25}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, strata(300)).cache()


def counts(n: int, ratios: dict[str, float]) -> list[int]:
    """The cumulated ratios as they are written, rounded half up."""
    written = [Decimal(str(ratios.get(part, 0))) for part in SPLITS]
    reached = [int((n * sum(written[: i + 1])).quantize(0, ROUND_HALF_UP)) for i in range(3)]
    return [reached[0], reached[1] - reached[0], n - reached[1]]


@pytest.mark.parametrize("ratios", RATIOS)
def test_each_stratum_of_each_table_is_divided_exactly_in_any_layout(ratios: dict[str, float], rows: DataFrame) -> None:
    layouts = [rows.coalesce(1), rows.repartition(200 if ratios is RATIOS[0] else 7, "k")]
    found = [
        stratified(df, BY, ratios, key=["k", "id"], seed=11, min_rows=0).toPandas().sort_values("id", ignore_index=True)
        for df in layouts
    ]
    pd.testing.assert_frame_equal(found[1], found[0])
    sizes = found[0].groupby([*BY, "split"], dropna=False).size().unstack(fill_value=0)
    sizes = sizes.reindex(columns=list(SPLITS), fill_value=0)
    assert len(sizes) > 500
    assert sizes.to_numpy().tolist() == [counts(n, ratios) for n in sizes.sum(axis=1)]


def test_sizes_are_those_of_scikit_learn_but_for_one_row(spark: SparkSession) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"id": range(997), "y": rng.choice(["a", "b", "c"], 997, p=[0.6, 0.3, 0.1])})
    ratios = {"train": 0.8, "test": 0.2}
    split = stratified(of_pandas(spark, frame), ["y"], ratios, key=["id"], seed=1).toPandas()
    sizes = pd.crosstab(split["y"], split["split"])
    train, test = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(frame, frame["y"]))
    for part, places in (("train", train), ("test", test)):
        theirs = frame["y"].iloc[places].value_counts()
        assert (sizes[part] - theirs).abs().max() <= 1
    whole = stratified(of_pandas(spark, frame), [], ratios, key=["id"], seed=1).toPandas()["split"].value_counts()
    train, test = next(ShuffleSplit(1, test_size=0.2, random_state=0).split(frame))
    assert abs(whole["train"] - len(train)) <= 1
    assert whole.sum() == 997


def test_over_many_seeds_each_row_and_each_pair_is_drawn_as_often_as_it_should(spark: SparkSession) -> None:
    """Two strata of 8 rows for each seed, all in one table: rows of one stratum compete, those of two do not."""
    seeds = spark.range(N_SEEDS).withColumnRenamed("id", "seed")
    rows = seeds.crossJoin(spark.range(16).withColumn("s", F.col("id") % 2))
    split = stratified(rows, ["seed", "s"], HALVES, key=["id"], seed=F.col("seed"))  # type: ignore[arg-type]
    found = split.toPandas().replace({"split": dict(zip(SPLITS, range(3), strict=True))})
    parts = found.pivot(index="seed", columns="id", values="split").to_numpy(int)
    assert (np.sort(parts[:, ::2], axis=1) == [0, 0, 0, 0, 1, 1, 2, 2]).all()
    each, _ = parts_are_fair(parts, list(HALVES.values()))
    assert each > 1e-3
    across = [parts_are_fair(parts[:, [i, j]], list(HALVES.values()))[1] for i in (0, 2, 4) for j in (1, 3, 5)]
    assert min(across) * len(across) > 1e-3
    together = np.array([(parts[:, [i, j]] == 0).all(axis=1).sum() for i in range(0, 16, 2) for j in range(0, i, 2)])
    share = 4 * 3 / (8 * 7)  # of two given rows being two of four out of eight
    z = (together - N_SEEDS * share) / np.sqrt(N_SEEDS * share * (1 - share))
    assert np.abs(z).max() < 4.5


def test_too_few_rows_of_a_stratum_are_named_with_what_is_needed(spark: SparkSession) -> None:
    rows = of_rows(spark, "id int, y string", [(i, ["a", "b", None][min(2, i // 20)]) for i in range(42)])
    ratios = {"train": 0.8, "validation": 0.1, "test": 0.1}
    with pytest.raises(ConfigError, match=r"10 rows, found y=null with 2 rows\. .*min_rows=0") as caught:
        stratified(rows, ["y"], ratios, key=["id"], seed=1)
    assert "y=a" not in caught.value.found
    with pytest.raises(ConfigError, match="y=null with 2 rows; y=a with 20 rows; y=b with 20 rows"):
        stratified(rows, ["y"], ratios, key=["id"], seed=1, min_rows=3)
    assert stratified(rows, ["y"], ratios, key=["id"], seed=1, min_rows=0).count() == 42
    assert stratified(rows.where("y = 'a'"), ["y"], ratios, key=["id"], seed=1, min_rows=2).count() == 20


def test_keys_that_repeat_are_named(spark: SparkSession) -> None:
    rows = of_rows(spark, "id int, y string", [(i // 20, "a") for i in range(40)])
    with pytest.raises(ConfigError, match=r"rows that differ in id.*20 times"):
        stratified(rows, ["y"], HALVES, key=["id"], seed=1)


def test_no_rows_give_no_rows(rows: DataFrame) -> None:
    none = stratified(rows.where("false"), BY, HALVES, key=["id"], seed=1)
    assert none.columns == [*rows.columns, "split"]
    assert none.schema["split"].dataType.simpleString() == "string"
    assert none.count() == 0
