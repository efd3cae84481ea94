"""Blocks of time are equally long in rows, and rows near an edge are in none."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from frames import of_pandas, of_rows
from traintable.errors import ConfigError
from traintable.split import time_k_fold

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N_ROWS = 1003
HOUR = pd.Timedelta(hours=1)


def times() -> pd.DataFrame:
    """Different instants, dense in one week and sparse elsewhere, in no order; every 20th row has none."""
    rng = np.random.default_rng(6)
    seconds = np.concatenate(
        [rng.choice(7 * 86_400, 700, replace=False), 10**6 + rng.choice(10**8, 303, replace=False)]
    )
    moment = pd.Timestamp("1969-12-25", tz="UTC") + pd.to_timedelta(rng.permutation(seconds), unit="s")
    frame = pd.DataFrame({"id": range(N_ROWS), "a.t": moment})
    missing = frame[::20].assign(id=lambda rows: rows["id"] + N_ROWS)
    missing["a.t"] = missing["a.t"].where(missing["id"] < 0)
    return pd.concat([frame, missing], ignore_index=True)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, times()).cache()


def folds(rows: DataFrame, n: int, **settings: str) -> pd.DataFrame:
    found = time_k_fold(rows, "a.t", n, **settings)
    assert found.columns == [*rows.columns, "fold"]
    assert found.schema["fold"].dataType.simpleString() == "int"
    return found.toPandas().sort_values("id", ignore_index=True)


@pytest.mark.parametrize("n", [2, 7])
def test_blocks_are_those_of_scikit_learn(n: int, rows: DataFrame) -> None:
    found = folds(rows.repartition(n), n)
    dated = found.dropna(subset="a.t").sort_values("a.t", ignore_index=True)
    for fold, (_, test) in enumerate(KFold(n).split(dated)):
        assert (dated["fold"].iloc[test] == fold).all()
    assert found.loc[found["a.t"].isna(), "fold"].isna().all()


def test_rows_within_gap_and_embargo_of_an_edge_have_no_fold(rows: DataFrame) -> None:
    plain, found = folds(rows, 5), folds(rows, 5, gap="2 hours", embargo="1 hours")
    firsts, lasts = plain.groupby("fold")["a.t"].min(), plain.groupby("fold")["a.t"].max()
    assert len(firsts) == 5
    near = np.zeros(len(plain), bool)
    for first, last in zip(firsts[1:], lasts[:-1], strict=True):
        near |= ((plain["a.t"] >= first - 2 * HOUR) & (plain["a.t"] < first)).to_numpy()
        near |= ((plain["a.t"] > last) & (plain["a.t"] <= last + HOUR)).to_numpy()
    assert near.sum() > 8
    expected = plain["fold"].mask(near)
    pd.testing.assert_series_equal(found["fold"], expected)


def test_rows_of_one_moment_stay_together_and_only_train_has_folds(spark: SparkSession) -> None:
    day = datetime(2020, 1, 1, tzinfo=timezone.utc)
    data = [(day + timedelta(days=i // 10), "train" if i % 2 else "test") for i in range(400)]
    found = time_k_fold(of_rows(spark, "`the day` timestamp, split string", data), "the day", 6).toPandas()
    assert found["fold"].notna().equals(found["split"] == "train")
    train = found[found["split"] == "train"]
    assert train.groupby("the day")["fold"].nunique().max() == 1
    sizes = train["fold"].value_counts().sort_index()
    assert sizes.sum() == 200
    assert sizes.min() >= 200 // 6 - 5
    assert train.sort_values("the day")["fold"].is_monotonic_increasing


def test_dates_are_instants_and_too_few_of_them_are_refused(spark: SparkSession) -> None:
    days = of_rows(spark, "d date", [((datetime(2020, 1, 1) + timedelta(days=i % 3)).date(),) for i in range(30)])
    assert sorted(time_k_fold(days, "d", 3).toPandas().value_counts().tolist()) == [10, 10, 10]
    with pytest.raises(ConfigError, match=r"different times for 4 blocks, found 30 rows from 2020-01-01.*-03"):
        time_k_fold(days, "d", 4)
    with pytest.raises(ConfigError, match="for 2 blocks"):  # the second day takes both halves' ends
        time_k_fold(days.where("day(d) = 2"), "d", 2)
    with pytest.raises(ConfigError, match="for 3 blocks"):
        time_k_fold(days.limit(2), "d", 3)
    with pytest.raises(ConfigError, match="a date or a timestamp"):
        time_k_fold(days.selectExpr("1 AS d"), "d", 3)
    assert time_k_fold(days.where("false"), "d", 3).count() == 0
