"""The intervals of a schedule, in UTC: the hours, days, weeks from Monday, or months that runs are named by."""

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
        """The identity of what is extracted: "2026-11-01/2026-11-02", with hours where they are not those of days."""
        return f"{_named(self.start)}/{_named(self.end)}"


def intervals(text: str, schedule: str) -> list[Interval]:
    """The intervals of a schedule that `text` ("START/END", or START alone for one) covers, in order.

    Raises ConfigError when the text is no such pair, or does not begin and end where intervals do.
    """
    first, slash, last = text.partition("/")
    try:
        start = _moment(first)
        end = _moment(last) if slash else next_start(start, schedule)
    except ValueError:
        raise _refused(text, schedule, "something else") from None
    if floor(start, schedule) != start or floor(end, schedule) != end or end <= start:
        raise _refused(text, schedule, "one that begins or ends within an interval, or is empty")
    found = []
    while start < end:
        found.append(Interval(start, next_start(start, schedule)))
        start = found[-1].end
        if len(found) > MAX_INTERVALS:
            raise _refused(text, schedule, f"more than {MAX_INTERVALS:,} intervals")
    return found


def last_complete(schedule: str, now: datetime) -> Interval:
    """The last interval that has ended at `now`."""
    end = floor(now.astimezone(timezone.utc), schedule)
    return Interval(floor(end - timedelta(seconds=1), schedule), end)


def floor(moment: datetime, schedule: str) -> datetime:
    """The start of the interval that a moment is in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
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


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _named(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d" if moment.hour == 0 else "%Y-%m-%dT%H")


def _refused(text: str, schedule: str, found: str) -> ConfigError:
    example = {"hourly": "2026-11-01T05/2026-11-01T06", "monthly": "2026-11-01/2026-12-01"}
    return ConfigError(
        where="--interval",
        expected=f"START/END in UTC at the bounds of the {schedule} schedule",
        found=f"{text!r}, {found}",
        remedy=f"For example --interval {example.get(schedule, '2026-11-02/2026-11-09')}.",
    )
