"""Periods that differ from those before them are found, and calm ones are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis_contexts import in_memory, numbers_of, read
from traintable.analyse.anomalies.period_counts import UNIT, PeriodCounter, period_counter
from traintable.analyse.anomalies.period_grid import MAX_PERIODS, PeriodGrid, period_grid, period_numbers
from traintable.analyse.anomalies.period_scores import score_periods

ROLES: dict[str, Any] = {"numbers": ("x", "skew"), "categories": ("word",), "times": ("when",), "time": "when"}
DAY = 70


def calm(seed: int, days: int = 100, per_day: int = 200, *, weekly: bool = False) -> pd.DataFrame:
    """Days like each other but for their weekday, on which rows, missing values and shares may depend."""
    rng = np.random.default_rng(seed)
    weekday = np.arange(days) % 7
    sizes = rng.poisson(np.where(weekly & (weekday > 4), per_day // 3, per_day))
    day = np.repeat(np.arange(days), sizes)
    n, free = len(day), weekly & (weekday[day] > 4)
    x = rng.normal(size=n) + 2.0 * free
    x[rng.random(n) < np.where(free, 0.3, 0.02)] = np.nan
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(day * 86400 + rng.integers(0, 86400, n), unit="s"),
            "day": day,
            "x": x,
            "skew": rng.lognormal(0, 1.5, n),
            "word": np.where(rng.random(n) < np.where(free, 0.8, 0.3), "a", rng.choice(["b", "c"], n)),
        }
    )


def score(frame: pd.DataFrame, **more: Any) -> list[dict[str, Any]]:
    context = in_memory(frame, **{**ROLES, **more})
    grid = period_grid(context)
    assert grid is not None
    counter = period_counter(context, grid)
    when = numbers_of(frame, ["when"])["when"]
    return score_periods(counter, counter.count(when, read(frame, ROLES["numbers"], ROLES["categories"])))


@pytest.mark.parametrize("weekly", [False, True])
def test_calm_days_are_not_strange(weekly: bool) -> None:
    n_scored = 0
    for seed in range(12):
        periods = score(calm(seed, weekly=weekly))
        assert [p for p in periods if p["is_strange"]] == []
        n_scored += sum(p["score"] is not None for p in periods)
    assert n_scored > 12 * 60


def missing(frame: pd.DataFrame, on_day: Any) -> None:
    frame.loc[on_day & (np.arange(len(frame)) % 4 == 0), "x"] = np.nan


def shifted(frame: pd.DataFrame, on_day: Any) -> None:
    frame.loc[on_day, "x"] += 1.0


def absurd(frame: pd.DataFrame, on_day: Any) -> None:
    frame.loc[on_day, "skew"] *= -1e300


def swapped(frame: pd.DataFrame, on_day: Any) -> None:
    frame.loc[on_day, "word"] = "b"


def unseen(frame: pd.DataFrame, on_day: Any) -> None:
    frame.loc[on_day & (np.arange(len(frame)) % 2 == 0), "word"] = [
        f"new {i}" for i in range(int((on_day & (np.arange(len(frame)) % 2 == 0)).sum()))
    ]


def lost(frame: pd.DataFrame, on_day: Any) -> None:
    frame.drop(frame.index[on_day & (np.arange(len(frame)) % 3 > 0)], inplace=True)


def gone(frame: pd.DataFrame, on_day: Any) -> None:
    frame.drop(frame.index[on_day], inplace=True)


@pytest.mark.parametrize(
    ("plant", "columns", "statistic"),
    [
        (missing, ["x"], "missing"),
        (shifted, ["x"], "mean"),
        (absurd, ["skew"], "mean"),
        (swapped, ["word"], "share of 'b'"),
        (unseen, ["word"], "share of all others"),
        (lost, [], "rows"),
        (gone, [], "rows"),
    ],
)
@pytest.mark.parametrize("weekly", [False, True])
def test_a_strange_day_is_found_and_no_other(
    plant: Callable[[pd.DataFrame, Any], None], columns: list[str], statistic: str, weekly: bool
) -> None:
    frame = calm(5, weekly=weekly)
    plant(frame, (frame["day"] == DAY).to_numpy())
    strange = [p for p in score(frame.reset_index(drop=True)) if p["is_strange"]]
    assert [(p["period"], p["columns"]) for p in strange] == [("2024-03-11", columns)]
    assert statistic in [reason["statistic"] for reason in strange[0]["because"]]
    assert strange[0]["score"] >= 6


@pytest.mark.parametrize("size", [400, 1_000_000])
def test_certain_differences_that_do_not_matter_are_not_strange(size: int) -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(size, (60, 1))
    counts[40], counts[50] = size * 0.85, size * 0.6
    periods = score_periods(PeriodCounter(PeriodGrid("day", 0, 60), (), {}, {}), counts)
    assert [period["period"] for period in periods if period["is_strange"]] == ["1970-02-20"]


def test_columns_that_follow_time_and_a_last_day_that_is_not_over_are_not_strange() -> None:
    frame = calm(4)
    frame["skew"] = frame["when"].dt.month + 0.0
    frame["word"] = frame["when"].dt.month.map({1: "Jan", 2: "Feb", 3: "Mar", 4: "Apr"})
    rows = frame[(frame["day"] < 99) | (np.arange(len(frame)) % 9 == 0)].reset_index(drop=True)
    assert [period for period in score(rows) if period["is_strange"]] == []


def test_what_is_counted_is_what_pandas_counts_and_adds_up_in_any_layout() -> None:
    frame = calm(9, days=40)
    frame.loc[frame.index[::50], "when"] = pd.NaT
    frame.loc[frame.index[::30], "word"] = None
    context = in_memory(frame, **ROLES)
    grid = period_grid(context)
    assert grid is not None
    counter = period_counter(context, grid)
    when = numbers_of(frame, ["when"])["when"]

    def of(part: pd.DataFrame, times: pa.Array) -> Any:
        return counter.count(times, read(part, ROLES["numbers"], ROLES["categories"]))

    whole = of(frame, when)
    order = np.random.default_rng(0).permutation(len(frame))
    parts = [of(frame.iloc[p], when.take(pa.array(p))) for p in np.array_split(order, 7)]
    assert (sum(parts) == whole).all()
    by_day = frame.dropna(subset="when").groupby(lambda i: frame["when"][i].normalize())
    assert whole[:, 0].tolist() == by_day.size().tolist()
    assert whole[:, 1].tolist() == by_day["x"].count().tolist()
    number = counter.numbers[0]
    means = (by_day["x"].mean() - number.centre) / number.scale
    np.testing.assert_allclose(whole[:, 2] / UNIT / whole[:, 1], means, atol=1e-6)
    words = (
        by_day["word"].apply(lambda word: word.isna().sum()),
        *(by_day["word"].apply(lambda word, w=w: (word == w).sum()) for w in counter.categories["word"]),
    )
    assert whole[:, 5:9].T.tolist() == [counts.tolist() for counts in words]
    assert (whole[:, 9] == 0).all()


@pytest.mark.parametrize(
    ("kind", "alias"), [("hour", "h"), ("day", "D"), ("week", "W-SUN"), ("month", "M"), ("year", "Y")]
)
def test_periods_are_those_of_pandas(kind: str, alias: str) -> None:
    times = pd.Series(
        pd.to_datetime(["1850-03-01T05:07:00", "1969-12-31T23:59:59", "1970-01-01T00:00:00", "2024-02-29T12:00:00"])
    )
    seconds = (times.astype("datetime64[us]").astype(np.int64) / 1e6).to_numpy()
    numbers = period_numbers(seconds, kind)
    starts = times.dt.to_period(alias).dt.start_time
    for number, start in zip(numbers.tolist(), starts, strict=True):
        [name] = PeriodGrid(kind, number, 1).names()
        assert pd.Timestamp(name) == start


def test_the_grid_is_the_finest_that_is_full_enough() -> None:
    def of(days: float, n: int) -> PeriodGrid | None:
        times = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.linspace(0, days * 86400, n), unit="s")
        return period_grid(in_memory(pd.DataFrame({"when": times}), times=("when",), time="when"))

    kinds = {
        (3, 50_000): "hour",
        (300, 50_000): "day",
        (300, 10_000): "week",
        (2900, 50_000): "month",
        (50, 20): "year",
    }
    for (days, n), kind in kinds.items():
        grid = of(days, n)
        assert grid is not None
        assert (grid.kind, grid.n <= MAX_PERIODS) == (kind, True)
    assert (
        period_grid(in_memory(pd.DataFrame({"when": [pd.NaT]}).astype("datetime64[us]"), times=("when",), time="when"))
        is None
    )


def test_single_times_far_from_all_others_do_not_make_the_periods_longer() -> None:
    frame = calm(1, days=60)
    frame["when"] = frame["when"].astype("datetime64[us]")
    frame.loc[[3, 4], "when"] = [np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31", "us")]
    grid = period_grid(in_memory(frame, **ROLES))
    assert grid is not None
    assert (grid.kind, grid.n <= MAX_PERIODS) == ("day", True)
    assert set(grid.names()) <= set(frame["when"].astype(str).str[:10])


def test_values_of_a_column_can_be_the_periods() -> None:
    frame = calm(3, days=60)
    frame["part"] = [f"part {day:03}" for day in frame["day"]]
    shifted(frame, (frame["day"] == 40).to_numpy())
    context = in_memory(frame, numbers=("x",), categories=("part",), partition="part")
    grid = period_grid(context)
    assert grid is not None
    counter = period_counter(context, grid)
    assert "part" not in counter.categories
    periods = score_periods(
        counter, counter.count(read(frame, (), ("part",)).category("part"), read(frame, ("x",), ("part",)))
    )
    assert [(p["period"], p["columns"]) for p in periods if p["is_strange"]] == [("part 040", ["x"])]
