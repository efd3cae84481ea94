"""Points in time as whole microseconds since 1970."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def micros(time: str) -> Column:
    """The microseconds since 1970 of a date (its first instant) or a timestamp."""
    return F.unix_micros(F.col(quote(time)).cast("timestamp"))


def iso(instant: int) -> str:
    """A point in time in ISO 8601, UTC."""
    return (_EPOCH + timedelta(microseconds=instant)).isoformat()


def require_time(df: DataFrame, time: str, *, where: str) -> None:
    """Raise ConfigError unless `time` is a date or a timestamp."""
    require_columns(df, {time}, where=where)
    kind = df.schema[time].dataType.typeName()
    if kind not in ("date", "timestamp", "timestamp_ntz"):
        raise ConfigError(
            where=where,
            expected="a date or a timestamp",
            found=f"'{time}' of type {kind}",
            remedy="Declare its `type` in `columns`, or derive a timestamp from it.",
        )


def parse_instants(df: DataFrame, texts: Mapping[str, str], *, where: str) -> dict[str, int]:
    """Instants written as text, as Spark reads them; ConfigError for a text that is no date or timestamp; no pass."""
    columns = [F.unix_micros(F.lit(text).try_cast("timestamp")).alias(name) for name, text in texts.items()]
    instants = df.sparkSession.range(1).select(*columns).collect()[0].asDict()
    for name, text in texts.items():
        if instants[name] is None:
            raise ConfigError(
                where=f"{where}.{name}",
                expected="a date or timestamp",
                found=repr(text),
                remedy="Write it as 2013-09-15 or 2013-09-15 06:00:00.",
            )
    return instants


def time_range(df: DataFrame, time: str) -> tuple[int, int, int] | None:
    """Rows that have a time, and a first and a last instant that theirs lie between; None when none has; one scan."""
    instant = df.select(micros(time).alias("instant"))
    summary = scan(instant, Wanted(summary=("instant",))).summary["instant"]
    return (summary.n, math.floor(summary.min), math.ceil(summary.max)) if summary.n else None
