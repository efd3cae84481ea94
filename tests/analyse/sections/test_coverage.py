"""The periods that a coverage shows, and its gaps, are those of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chunks import chunk, learned
from traintable.analyse.sections import coverage
from traintable.statistics.periods import Periods
from traintable.statistics.values import Values


def covered(times: pd.DatetimeIndex) -> dict[str, object]:
    seconds = times.as_unit("us").astype("int64") / 1e6
    rows = chunk({"t": list(seconds)})
    values = learned(Values("t"), rows).weighted()
    described = coverage.describe_coverage(learned(Periods("t"), rows), values, day_only=False)
    assert described is not None
    return described


@pytest.mark.parametrize(
    ("spacing", "n", "period", "rule"),
    [
        ("5min", 500, "hour", "h"),
        ("7h", 900, "day", "D"),
        ("D", 400, "day", "D"),
        ("D", 401, "week", "W-MON"),
        ("3D", 1_500, "month", "MS"),
        ("20D", 2_000, "year", "YS"),
    ],
)
def test_the_finest_periods_that_are_few_enough(spacing: str, n: int, period: str, rule: str) -> None:
    times = pd.date_range("1999-03-04 05:06", periods=n, freq=spacing)
    shown = covered(times)
    expected = pd.Series(1, times).resample(rule, label="left", closed="left").sum()
    shape = "%Y-%m-%dT%H:%M:%S" if period == "hour" else "%Y-%m-%d"
    assert shown["period"] == period
    assert shown["days"] == [(start.strftime(shape), int(n)) for start, n in expected.items() if n]
    assert shown["step_seconds"] == pd.Timedelta(times[1] - times[0]).total_seconds()


def test_weekends_are_no_gaps_but_a_missing_fortnight_is() -> None:
    days = pd.bdate_range("2024-01-01", "2024-12-31")
    kept = days[(days < "2024-05-06") | (days > "2024-05-17")]
    assert covered(kept)["gaps"] == [("2024-05-04", "2024-05-19", 16)]


def test_weekly_rows_have_gaps_of_weeks() -> None:
    days = pd.date_range("2024-01-01", periods=40, freq="7D")
    assert covered(days)["gaps"] == []
    shown = covered(days.delete([20, 21, 22]))
    assert (shown["gap_period"], shown["gaps"]) == ("week", [("2024-05-20", "2024-06-03", 3)])


def test_seasons_are_described_where_there_are_some() -> None:
    rng = np.random.default_rng(0)
    even = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 60 * 24, 5_000), unit="h")
    assert coverage.describe_seasons(covered(pd.DatetimeIndex(even))) == []
    office = even[(even.hour >= 9) & (even.hour < 17) & (even.dayofweek < 5)]
    days, hours = coverage.describe_seasons(covered(pd.DatetimeIndex(office)))
    assert days.startswith("Saturday has 0.0%")
    assert hours.endswith("have 100.0% of the rows.")
