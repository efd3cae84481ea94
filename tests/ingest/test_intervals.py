"""Intervals cover time without gaps, and their names lead back to them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traintable.errors import ConfigError
from traintable.ingest.intervals import floor, intervals, last_complete, next_start

SCHEDULES = ["hourly", "daily", "weekly", "monthly"]
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))


@given(MOMENTS, st.sampled_from(SCHEDULES))
def test_each_moment_is_in_one_interval(moment: datetime, schedule: str) -> None:
    start = floor(moment, schedule)
    assert start <= moment < next_start(start, schedule)
    assert floor(next_start(start, schedule), schedule) == next_start(start, schedule)
    found = last_complete(schedule, moment)
    assert found.end == start
    assert intervals(found.name, schedule) == [found]


def test_several_intervals_follow_each_other() -> None:
    names = [interval.name for interval in intervals("2023-12-01/2024-04-01", "monthly")]
    assert names == ["2023-12-01/2024-01-01", "2024-01-01/2024-02-01", "2024-02-01/2024-03-01", "2024-03-01/2024-04-01"]
    assert [i.name for i in intervals("2026-11-01T22/2026-11-02", "hourly")] == [
        "2026-11-01T22/2026-11-01T23",
        "2026-11-01T23/2026-11-02",
    ]
    assert len(intervals("2026-10-05/2026-11-02", "weekly")) == 4
    assert [i.name for i in intervals("2026-11-01", "daily")] == ["2026-11-01/2026-11-02"]


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("2026-11-01/2026-11-01", "daily"),
        ("2026-11-02/2026-11-01", "daily"),
        ("2026-11-01T05/2026-11-02", "daily"),
        ("2026-11-01", "weekly"),
        ("2026-11-02/2026-12-01", "monthly"),
        ("November", "daily"),
        ("2026-11-01/", "daily"),
        ("1900-01-01/2100-01-01", "hourly"),
    ],
)
def test_what_is_no_interval_is_refused(text: str, schedule: str) -> None:
    with pytest.raises(ConfigError, match="--interval"):
        intervals(text, schedule)
