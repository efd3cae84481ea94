"""The intervals of a schedule, in UTC: hours, days, weeks from Monday, or months; runs are named by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from traintable.errors import ConfigError

MAX_INTERVALS = 10_000
_STEPS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}


@dataclass(frozen=True, order=True)
class Interval:
    """From `start` until before `end`."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """Its name: "2026-11-01/2026-11-02", with the hour of a bound that is not at midnight."""
        return f"{_format(self.start)}/{_format(self.end)}"


def intervals(text: str, schedule: str) -> list[Interval]:
    """The intervals of a schedule that `text` ("START/END", or START alone for one) covers, in order.

    Raises ConfigError when the text is no such pair, or does not begin and end where intervals do.
    """
    first, slash, last = text.partition("/")
    try:
        start = _parse(first)
        end = _parse(last) if slash else next_start(start, schedule)
    except ValueError:
        raise _refusal(text, schedule, "which is not a pair of times") from None
    if floor(start, schedule) != start or floor(end, schedule) != end or end <= start:
        raise _refusal(text, schedule, "which begins or ends within an interval, or is empty")
    covered: list[Interval] = []
    while start < end:
        covered.append(Interval(start, next_start(start, schedule)))
        start = covered[-1].end
        if len(covered) > MAX_INTERVALS:
            raise _refusal(text, schedule, f"which has more than {MAX_INTERVALS:,} intervals")
    return covered


def last_complete(schedule: str, now: datetime) -> Interval:
    """The last interval that has ended at `now`."""
    end = floor(now.astimezone(timezone.utc), schedule)
    return Interval(floor(end - timedelta(seconds=1), schedule), end)


def floor(time: datetime, schedule: str) -> datetime:
    """The start of the interval that a time is in."""
    hour = time.replace(minute=0, second=0, microsecond=0)
    if schedule == "hourly":
        return hour
    day = hour.replace(hour=0)
    if schedule == "monthly":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if schedule == "weekly" else day


def next_start(start: datetime, schedule: str) -> datetime:
    """The start of the next interval."""
    if schedule == "monthly":
        return (start + timedelta(days=31)).replace(day=1)
    return start + _STEPS[schedule]


def _parse(text: str) -> datetime:
    time = datetime.fromisoformat(text.strip())
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _format(time: datetime) -> str:
    return time.strftime("%Y-%m-%d" if time.hour == 0 else "%Y-%m-%dT%H")


def _refusal(text: str, schedule: str, fault: str) -> ConfigError:
    example = {"hourly": "2026-11-01T05/2026-11-01T06", "monthly": "2026-11-01/2026-12-01"}
    return ConfigError(
        where="--interval",
        expected=f"START/END in UTC at the bounds of the {schedule} schedule",
        found=f"{text!r}, {fault}",
        remedy=f"For example --interval {example.get(schedule, '2026-11-02/2026-11-09')}.",
    )
