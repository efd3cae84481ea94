"""A test set that is frozen stays, row by row, and nothing else becomes test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from frames import of_pandas
from traintable.errors import ConfigError
from traintable.split import keep_test, missing_test

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEY = ["the.id", "k`"]
N = 1200


def now() -> pd.DataFrame:
    """Rows in all parts and in none; a key may hold a null, and groups too."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"the.id": range(N), "k`": np.where(np.arange(N) % 3 == 0, None, "x")})
    frame["g"] = pd.array(rng.integers(0, 300, N), "Int64")
    frame.loc[frame["g"] < 3, "g"] = pd.NA
    frame["split"] = rng.choice(["train", "validation", "test", None], N, p=[0.5, 0.2, 0.2, 0.1])
    return frame


def before() -> pd.DataFrame:
    """An earlier version: half of the rows, some of them gone since; every tenth was test."""
    frame = now()[["the.id", "k`"]][::2]
    gone = pd.DataFrame({"the.id": range(N, N + 40), "k`": "x"})
    frame = pd.concat([frame, gone], ignore_index=True)
    frame["split"] = np.where(frame["the.id"] % 10 == 0, "test", "train")
    return frame


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, now()).repartition(5).cache()


@pytest.fixture(scope="module")
def previous(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, before()).cache()


@pytest.mark.parametrize("otherwise", ["train", "validation", None])
@pytest.mark.parametrize("group", [(), ("g",)])
def test_every_row_is_where_it_should_be(
    otherwise: str | None, group: tuple[str, ...], rows: DataFrame, previous: DataFrame
) -> None:
    kept = keep_test(rows, previous, key=KEY, otherwise=otherwise, group=group, reason="why")
    assert kept.columns == [*rows.columns, "why"]
    found = kept.toPandas().sort_values("the.id", ignore_index=True)
    expected = now()
    frozen = (expected["the.id"] % 10 == 0).to_numpy()
    groups = expected["g"].astype("string").fillna("null")
    touched = groups.isin(set(groups[frozen])).to_numpy() & ~frozen & bool(group)
    part = expected["split"].to_numpy(object)
    is_new = (part == "test") & ~frozen & ~touched
    why = np.full(N, None, object)
    why[touched & ~pd.isna(part)] = "frozen_group"
    if otherwise is None:
        why[is_new] = "new_test"
    part = np.where(frozen, "test", np.where(touched, None, np.where(is_new, otherwise, part)))
    assert frozen.sum() == 120
    assert touched.sum() > 300 or not group
    assert found["split"].fillna("none").tolist() == pd.Series(part).fillna("none").tolist()
    assert found["why"].fillna("none").tolist() == pd.Series(why).fillna("none").tolist()


def test_rows_that_have_vanished_are_counted(rows: DataFrame, previous: DataFrame) -> None:
    assert missing_test(rows, previous, key=KEY) == (124, 4)
    assert missing_test(rows.where("`the.id` >= 600"), previous, key=KEY) == (124, 64)
    assert missing_test(rows, previous.where("split = 'train'"), key=KEY) == (0, 0)


def test_keeping_again_changes_nothing(rows: DataFrame, previous: DataFrame) -> None:
    once = keep_test(rows, previous, key=KEY)
    twice = keep_test(once.repartition(3), once, key=KEY)
    assert once.exceptAll(twice).count() == 0


def test_keys_of_another_type_and_wrong_places_are_refused(rows: DataFrame, previous: DataFrame) -> None:
    other = previous.withColumn("the.id", F.col("`the.id`").cast("string"))
    with pytest.raises(ConfigError, match=r"column 'the\.id'.*in the earlier version, string, found bigint"):
        keep_test(rows, other, key=KEY)
    with pytest.raises(ConfigError, match="'train', 'validation' or None"):
        keep_test(rows, previous, key=KEY, otherwise="test")
    with pytest.raises(ConfigError, match=r"earlier version.*'split'"):
        keep_test(rows, previous.drop("split"), key=KEY)
    with pytest.raises(ConfigError, match="'split'"):
        keep_test(rows.drop("split"), previous, key=KEY)
