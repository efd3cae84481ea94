"""Instants are whole microseconds since 1970 in UTC, as pandas counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from frames import of_rows
from traintable.errors import ConfigError
from traintable.temporal.instants import iso, micros, parse_instants, require_time, time_range

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "`the day` date, at timestamp, word string"
TIMES = ["1900-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999", "2013-03-31 01:30:00", "2026-11-30 22:00:00.5"]


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    times = [pd.Timestamp(text, tz="UTC").to_pydatetime() for text in TIMES]
    return of_rows(spark, SCHEMA, [*((time.date(), time, "a") for time in times), (None, None, None)])


def test_dates_and_timestamps_count_as_pandas_counts_them(rows: DataFrame) -> None:
    counted = rows.select(micros("the day").alias("day"), micros("at").alias("at")).collect()
    expected = [pd.Timestamp(text, tz="UTC") for text in TIMES]
    assert [row["at"] for row in counted] == [*(time.value // 1000 for time in expected), None]
    assert [row["day"] for row in counted] == [*(time.floor("D").value // 1000 for time in expected), None]
    assert [iso(row["at"]) for row in counted[:-1]] == [time.isoformat() for time in expected]
    n, first, last = time_range(rows, "at") or (0, 0, 0)
    assert (n, first <= counted[0]["at"], last >= counted[3]["at"]) == (4, True, True)
    assert last - first <= counted[3]["at"] - counted[0]["at"] + 2
    assert time_range(rows.where("at IS NULL"), "at") is None


def test_texts_are_read_as_spark_reads_them_and_others_are_named(rows: DataFrame) -> None:
    texts = {"validation": "2013-03-01", "test": "2013-03-16 06:00:00+02:00"}
    expected = {"validation": pd.Timestamp("2013-03-01", tz="UTC"), "test": pd.Timestamp("2013-03-16 04:00", tz="UTC")}
    assert parse_instants(rows, texts, where="split.time") == {k: time.value // 1000 for k, time in expected.items()}
    with pytest.raises(ConfigError, match=r"split\.time\.test: .*found 'in spring'"):
        parse_instants(rows, {**texts, "test": "in spring"}, where="split.time")


def test_only_dates_and_timestamps_are_times(rows: DataFrame) -> None:
    require_time(rows, "the day", where="split.time.column")
    require_time(rows, "at", where="split.time.column")
    with pytest.raises(ConfigError, match=r"split\.time\.column: .*'word' of type string"):
        require_time(rows, "word", where="split.time.column")
    with pytest.raises(ConfigError, match="att"):
        require_time(rows, "att", where="split.time.column")
