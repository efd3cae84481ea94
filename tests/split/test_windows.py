"""Windows walk forward: train, gap, validation, never the future unless an embargo asks for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from frames import of_pandas
from traintable.errors import ConfigError
from traintable.split import TimeWindow, time_windows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 100
START = pd.Timestamp("2020-02-01", tz="UTC")


@pytest.fixture(scope="module")
def hours(spark: SparkSession) -> DataFrame:
    """One row an hour, and one without a time."""
    instants = [*(START + timedelta(hours=i) for i in range(N)), None]
    return of_pandas(
        spark, pd.DataFrame({"id": range(N + 1), "a t": pd.Series(instants, dtype="datetime64[us, UTC]")})
    ).cache()


def parts(windows: list[TimeWindow], hours: DataFrame) -> list[dict[str, list[int]]]:
    """The ids in each part of each window, from one job."""
    df = hours
    for i, window in enumerate(windows):
        df = window.apply(df).withColumnRenamed("split", f"w{i}")
    found = df.toPandas().sort_values("id")
    names = [f"w{i}" for i in range(len(windows))]
    return [{p: found.loc[found[n] == p, "id"].tolist() for p in ("train", "validation")} for n in names]


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("rolling", [True, False])
def test_windows_are_those_of_scikit_learn(rolling: bool, gap: int, hours: DataFrame) -> None:
    held_out, n = 12, 5
    length = N - gap - n * held_out
    settings: dict[str, Any] = {"train": f"{length} hours", "gap": f"{gap} hours", "expanding": not rolling}
    settings |= {"end": "2020-02-05 04:00:00"}  # the last hour is over then
    windows = time_windows(hours, "a t", validation=f"{held_out} hours", **settings)
    splitter = TimeSeriesSplit(n, test_size=held_out, gap=gap, max_train_size=length if rolling else None)
    expected = [
        {"train": train.tolist(), "validation": test.tolist()} for train, test in splitter.split(np.zeros((N, 1)))
    ]
    assert parts(windows, hours) == expected


def test_an_embargo_lets_later_rows_into_train_after_it(hours: DataFrame) -> None:
    windows = time_windows(
        hours, "a t", train="20 hours", validation="10 hours", gap="5 hours", step="30 hours", embargo="7 hours"
    )
    found = parts(windows, hours)
    assert [len(w["validation"]) for w in found] == [10, 10, 10]
    assert found[0] == {"train": [*range(20), *range(42, N)], "validation": [*range(25, 35)]}
    assert found[2] == {"train": [*range(60, 80)], "validation": [*range(85, 95)]}
    assert windows[2].train_again is None


def test_start_and_end_bound_the_windows(hours: DataFrame) -> None:
    bounds = {"start": "2020-02-01 10:00:00", "end": "2020-02-02"}
    windows = time_windows(hours, "a t", train="4 hours", validation="3 hours", **bounds)
    assert [w["validation"] for w in parts(windows, hours)] == [[14, 15, 16], [17, 18, 19], [20, 21, 22]]
    described = json.loads(json.dumps(windows[0].to_dict()))
    assert described == {
        "time": "a t",
        "train": [["2020-02-01T10:00:00+00:00", "2020-02-01T14:00:00+00:00"]],
        "validation": [["2020-02-01T14:00:00+00:00", "2020-02-01T17:00:00+00:00"]],
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": "90 hours", "validation": "11 hours"}, "found 0 from 2020-02-01T00:00:00"),
        ({"train": "1 hour", "validation": "1 hour", "step": "0 hours"}, "only the gap may be empty"),
        ({"train": "0 hours", "validation": "1 hour"}, "only the gap may be empty"),
        ({"train": "1 hour", "validation": "1 second", "step": "1 second"}, "found 352,800"),
        ({"train": "1 hour", "validation": "1 hour", "start": "1.2.2020"}, r"time_windows\.start.*'1.2.2020'"),
    ],
)
def test_what_gives_no_windows_is_refused(settings: dict[str, str], message: str, hours: DataFrame) -> None:
    with pytest.raises(ConfigError, match=message):
        time_windows(hours, "a t", **settings)  # type: ignore[arg-type]


def test_rows_without_times_give_no_windows(hours: DataFrame) -> None:
    with pytest.raises(ConfigError, match="rows in which column 'a t'"):
        time_windows(hours.where("`a t` IS NULL"), "a t", train="1 hour", validation="1 hour")
    with pytest.raises(ConfigError, match="a date or a timestamp"):
        time_windows(hours, "id", train="1 hour", validation="1 hour")
