"""Train comes before validation and validation before test, with the gap between them empty."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from frames import of_rows
from traintable.errors import ConfigError
from traintable.split import by_time

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

VALIDATION, TEST = (datetime(2013, month, day, tzinfo=timezone.utc) for month, day in ((9, 15), (11, 1)))
MICRO = timedelta(microseconds=1)


def instants(gap: timedelta) -> list[datetime | None]:
    """Times on, just before and just after everything that decides."""
    edges = [VALIDATION, VALIDATION - gap, TEST, TEST - gap]
    near = [edge + step for edge in edges for step in (-MICRO, 0 * MICRO, MICRO)]
    return [None, datetime(1969, 12, 31, tzinfo=timezone.utc), datetime(2100, 1, 1, tzinfo=timezone.utc), *near]


def expected(moment: datetime | None, gap: timedelta) -> str | None:
    if moment is None or timedelta() < VALIDATION - moment <= gap or timedelta() < TEST - moment <= gap:
        return None
    return "train" if moment < VALIDATION else "validation" if moment < TEST else "test"


@pytest.fixture(scope="module")
def dates(spark: SparkSession) -> DataFrame:
    return of_rows(spark, "id int, `the day` date", [(1, VALIDATION.date()), (2, None)])


@pytest.mark.parametrize(("text", "gap"), [("0 seconds", timedelta()), ("1 day", timedelta(days=1))])
def test_every_row_is_in_the_part_of_its_time_or_in_none(text: str, gap: timedelta, spark: SparkSession) -> None:
    rows = list(enumerate(instants(gap)))
    df = of_rows(spark, "id int, `a.t` timestamp", rows)
    split = by_time(df, "a.t", validation="2013-09-15", test="2013-11-01 00:00:00", gap=text)
    assert split.columns == [*df.columns, "split"]
    found = {row["id"]: row["split"] for row in split.collect()}
    assert found == {i: expected(moment, gap) for i, moment in rows}


def test_a_date_is_the_first_moment_of_its_day(dates: DataFrame) -> None:
    first = by_time(dates, "the day", validation="2013-09-15", test="2013-11-01")
    later = by_time(dates, "the day", validation="2013-09-15 00:00:00.000001", test="2013-11-01")
    assert [row["split"] for row in first.orderBy("id").collect()] == ["validation", None]
    assert [row["split"] for row in later.orderBy("id").collect()] == ["train", None]


@pytest.mark.parametrize(
    ("time", "validation", "test", "message"),
    [
        ("the day", "2013-11-01", "2013-09-15", "before test"),
        ("the day", "2013-09-15", "2013-09-15", "before test"),
        ("the day", "15.9.2013", "2013-11-01", r"split\.time\.validation.*'15.9.2013'"),
        ("the day", "2013-09-15", "2013-02-30", r"split\.time\.test.*'2013-02-30'"),
        ("the dy", "2013-09-15", "2013-11-01", "'the dy'.*'the day'"),
    ],
)
def test_what_does_not_divide_time_is_refused(
    time: str, validation: str, test: str, message: str, dates: DataFrame
) -> None:
    with pytest.raises(ConfigError, match=message):
        by_time(dates, time, validation=validation, test=test)
