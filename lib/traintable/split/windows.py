"""Windows that walk forward in time: train on what came before, validate on what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TRAIN, VALIDATION
from traintable.config.durations import Duration
from traintable.errors import ConfigError
from traintable.temporal.instants import SECOND, iso, micros, parse_instants, require_time, time_range

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "split.time_windows"
MAX_WINDOWS = 10_000


class TimeWindowRecord(TypedDict):
    """A window in the manifest: the column of time, and [start, end] of each span of a split, in ISO 8601, UTC."""

    time: str
    train: list[list[str]]
    validation: list[list[str]]


@dataclass(frozen=True)
class TimeWindow:
    """One train and one validation split; instants are microseconds since 1970, and an end is no longer inside.

    Rows from `train_again` on, which come after validation, belong to train too, up to its end.
    """

    time: str
    train_start: int
    train_end: int
    validation_start: int
    validation_end: int
    train_again: tuple[int, int] | None = None

    def apply(self, df: DataFrame) -> DataFrame:
        """Add `split`: train or validation, null outside the window; rows are kept. Costs no pass."""
        require_time(df, self.time, where=_WHERE)
        instant = micros(self.time)
        in_train = (instant >= self.train_start) & (instant < self.train_end)
        if self.train_again is not None:
            start, end = self.train_again
            in_train |= (instant >= start) & (instant < end)
        in_validation = (instant >= self.validation_start) & (instant < self.validation_end)
        return df.withColumn(SPLIT, F.when(in_train, F.lit(TRAIN)).when(in_validation, F.lit(VALIDATION)))

    def to_dict(self) -> TimeWindowRecord:
        """The window for the manifest: its instants in ISO 8601, UTC."""
        train = [(self.train_start, self.train_end), *([self.train_again] if self.train_again else [])]
        return {
            "time": self.time,
            "train": [[iso(start), iso(end)] for start, end in train],
            "validation": [[iso(self.validation_start), iso(self.validation_end)]],
        }


def time_windows(
    df: DataFrame,
    time: str,
    *,
    train: str,
    validation: str,
    expanding: bool = False,
    gap: str = "0 seconds",
    step: str | None = None,
    embargo: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> list[TimeWindow]:
    """Windows of `train` before, a `gap`, and `validation`, each one `step` (default: `validation`) after the last.

    All lengths are durations such as "30 days". The first window's train begins at `start`, and the last window's
    validation ends at or before `end`; by default these are the first instant of the rows, and the one after their
    last. A rolling window's train has the length `train`; an expanding one's begins at `start` always, and `train` is
    the length of the first. With an `embargo`, what comes at least that long after a window's validation, up to `end`,
    is trained on too: more rows, in exchange for a model that knows the future (Lopez de Prado, "Advances in Financial
    Machine Learning", 2018, chapter 7). Without one nothing after validation is.

    `window.apply(df)` adds `split`, `window.to_dict()` is its description. Costs one narrow scan unless `start` and
    `end` are given. Raises ConfigError when not one window fits.

    Examples
    --------
    >>> from traintable import split
    >>> days = spark.sql("SELECT explode(sequence(DATE'2024-01-01', DATE'2024-01-10')) AS day")
    >>> bounds = {"start": "2024-01-01", "end": "2024-01-11"}
    >>> [window] = split.time_windows(days, "day", train="7 days", validation="3 days", **bounds)
    >>> window.to_dict()["validation"]
    [['2024-01-08T00:00:00+00:00', '2024-01-11T00:00:00+00:00']]
    >>> window.apply(days).where("split = 'train'").count()
    7
    """
    require_time(df, time, where=_WHERE)
    first, last = _bounds(df, time, start, end)
    length, held_out, distance = (Duration(text).seconds * SECOND for text in (train, validation, gap))
    stride = Duration(step).seconds * SECOND if step is not None else held_out
    n = (last - first - length - distance - held_out) // stride + 1 if stride and held_out and length else 0
    if not 1 <= n <= MAX_WINDOWS:
        raise ConfigError(
            where=_WHERE,
            expected=f"1 to {MAX_WINDOWS:,} windows of train, gap and validation, of which only the gap may be empty",
            found=f"{max(n, 0):,} from {iso(first)} to {iso(last)}",
            remedy="Take a shorter `train`, `validation` or `gap`, or another `step`.",
        )
    windows = []
    for i in range(n):
        begin = first + i * stride
        hold = begin + length + distance
        again = hold + held_out + Duration(embargo).seconds * SECOND if embargo is not None else None
        later = (again, last) if again is not None and again < last else None
        from_ = first if expanding else begin
        windows.append(TimeWindow(time, from_, begin + length, hold, hold + held_out, later))
    return windows


def _bounds(df: DataFrame, time: str, start: str | None, end: str | None) -> tuple[int, int]:
    """The first instant of the windows and the one after the last; what is not given is that of the rows, by a scan."""
    given = parse_instants(df, {k: v for k, v in (("start", start), ("end", end)) if v is not None}, where=_WHERE)
    if len(given) < 2:
        extent = time_range(df, time)
        if extent is None:
            raise ConfigError(
                where=_WHERE,
                expected=f"rows in which column '{time}' has a value",
                found="none",
                remedy="Give both `start` and `end`, or rows in which the time is not null.",
            )
        return given.get("start", extent[1]), given.get("end", extent[2] + 1)
    return given["start"], given["end"]
