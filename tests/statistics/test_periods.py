"""Rows by period equal those of pandas, whatever the layout."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, merged
from traintable.statistics import periods
from traintable.statistics.periods import Periods, as_seconds

seconds = st.lists(
    st.one_of(st.none(), st.floats(-6e10, 1e11), st.integers(-(10**6), 10**6).map(float), st.just(float("nan"))),
    max_size=40,
)


def stamps(values: list[Any]) -> pd.Series:
    kept = [value for value in values if value is not None and np.isfinite(value)]
    return pd.Series(np.floor(kept).astype("int64").astype("datetime64[s]"), dtype="datetime64[s]")


def counts(found: Periods) -> dict[Any, int]:
    starts = as_seconds(found.numbers, found.period).astype("int64").astype("datetime64[s]")
    return dict(zip(pd.Series(starts, dtype="datetime64[s]"), found.counts.tolist(), strict=True))


@settings(deadline=None)
@given(seconds, st.sampled_from([3, 8, 10**6]), st.randoms(use_true_random=False))
def test_counts_equal_those_of_pandas_in_any_layout(values: list[Any], limit: int, random: Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "MAX_PERIODS", limit)
        found, _ = in_any_layout(lambda: Periods("t"), chunk({"t": values}), random)
    times = stamps(values)
    hours, days = times.dt.floor("h"), times.dt.floor("D")
    months = times.dt.to_period("M").dt.start_time if len(times) else times
    rounds = [hours, days, months, times.dt.to_period("Y").dt.start_time if len(times) else times]
    expected = next((r for r in rounds if r.nunique() <= limit), rounds[-1])
    assert counts(found) == expected.value_counts().to_dict()
    by_hour = (times.dt.dayofweek * 24 + times.dt.hour).value_counts()
    assert dict(enumerate(found.hour_of_week.tolist())) == {h: int(by_hour.get(h, 0)) for h in range(168)}


def test_the_last_moment_before_1970_is_not_in_it() -> None:
    assert counts(learned(Periods("t"), chunk({"t": [-5e-324]}))) == {pd.Timestamp("1969-12-31 23:00"): 1}


def test_states_of_different_periods_merge() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "MAX_PERIODS", 3)
        fine = learned(Periods("t"), chunk({"t": [0.0, 3600.0]}))
        coarse = learned(Periods("t"), chunk({"t": [86400.0 * 40 * i for i in range(4)]}))
        assert (fine.period, coarse.period) == (0, 3)
        together = merged([fine, coarse], Random(0))
    assert counts(together) == {pd.Timestamp("1970-01-01"): 6}


def test_times_beyond_the_calendar_are_counted_apart() -> None:
    found = learned(Periods("t"), chunk({"t": [0.0, 1e15, -1e300, None]}))
    assert (found.n_outside, found.counts.tolist()) == (2, [1])
