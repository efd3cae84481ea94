"""Times in text are those that Python's datetime and its time zones say, and none is made up."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.contract.times import parse_times

INSTANT, NAIVE, DATE = pa.timestamp("us", tz="UTC"), pa.timestamp("us"), pa.date32()
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2037, 1, 1))


def read(texts: list[str | None], kind: pa.DataType, pattern: str | None = None, zone: str = "UTC") -> list[Any]:
    values, wrong = parse_times(pa.array(texts, pa.string()), kind, pattern=pattern, zone=zone)
    found = values.to_pylist()
    assert wrong == [i for i, text in enumerate(texts) if text is not None and found[i] is None]
    return found


def instants(local: datetime, zone: str) -> list[datetime]:
    """The moments at which a clock in this zone shows that time: none, one or two."""
    found = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(timezone.utc) for fold in (0, 1)}
    return [moment for moment in found if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local]


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=8), st.sampled_from(ZONES), st.booleans())
def test_local_times_are_instants_only_where_a_clock_shows_them_once(
    times: list[datetime], zone: str, by_pattern: bool
) -> None:
    texts = [time.strftime("%Y-%m-%d %H:%M:%S") for time in times]
    found = read(texts, INSTANT, "%Y-%m-%d %H:%M:%S" if by_pattern else None, zone)
    for time, value in zip(times, found, strict=True):
        shown = instants(time.replace(microsecond=0), zone)
        assert value == (shown[0] if len(shown) == 1 else None)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-08T02:30:00", "America/New_York"),
        ("2026-11-01T01:30:00", "America/New_York"),
        ("2026-03-29 02:15:00", "Europe/Berlin"),
        ("2026-10-25 02:15:00", "Europe/Berlin"),
        ("2011-12-30T12:00:00", "Pacific/Apia"),
    ],
)
def test_hours_left_out_or_shown_twice_name_no_instant(text: str, zone: str) -> None:
    assert read([text, "2026-06-01T00:00:00"], INSTANT, None, zone)[0] is None
    assert read([text], NAIVE)[0] is not None


@settings(deadline=None)
@given(st.lists(st.tuples(TIMES, st.integers(-12 * 60, 14 * 60)), min_size=1, max_size=8), st.sampled_from(ZONES))
def test_an_offset_counts_whatever_the_zone(times: list[tuple[datetime, int]], zone: str) -> None:
    aware = [time.replace(tzinfo=timezone(timedelta(minutes=offset))) for time, offset in times]
    assert read([time.isoformat() for time in aware], INSTANT, None, zone) == aware


def test_forms_may_be_mixed() -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
    texts = [
        "2026-06-01T12:00:00Z",
        "2026-06-01 14:00:00+02:00",
        "2026-06-01T08:00:00",
        None,
        "noon",
        "2026-06-01T12:00:00.25Z",
    ]
    assert read(texts, INSTANT, None, "America/New_York") == [
        noon,
        noon,
        noon,
        None,
        None,
        noon + timedelta(seconds=0.25),
    ]


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "20260101x", "yesterday", "2026-01-01T25:00:00", ""])
def test_what_is_no_date_is_reported(text: str) -> None:
    assert read([text, "2026-01-01"], DATE) == [None, date(2026, 1, 1)]
    assert read([text], INSTANT) == [None]


def test_patterns() -> None:
    assert read(["05/02/2026", "2026-02-05", None], DATE, "%d/%m/%Y") == [date(2026, 2, 5), None, None]
    assert read(["1900-01-01", "0001-01-01"], DATE) == [date(1900, 1, 1), date(1, 1, 1)]
    assert read(["5 Feb 2026 07:08 +0200"], INSTANT, "%d %b %Y %H:%M %z") == [
        datetime(2026, 2, 5, 5, 8, tzinfo=timezone.utc)
    ]
