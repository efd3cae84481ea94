"""Split by time: train on the past, validate and test on what came after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TEST, TRAIN, VALIDATION, quote, require_columns
from traintable.config import seconds
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def by_time(df: DataFrame, time: str, *, validation: str, test: str, gap: str = "0 seconds") -> DataFrame:
    """Add `split` by the column `time`: train before `validation`, validation before `test`, test from there on.

    `validation` and `test` are the first moments of those parts ("2013-09-15", UTC if the session is). Rows at most
    `gap` before a boundary belong to no part, so that what is known late of one part can't touch the next: their
    `split` is null, as it is where `time` is null. Rows are kept. Costs no pass.
    """
    require_columns(df, {time}, where="split.time.column")
    kind = df.schema[time].dataType.typeName()
    if kind not in ("date", "timestamp", "timestamp_ntz"):
        raise ConfigError(
            where="split.time.column",
            expected="a date or a timestamp",
            found=f"'{time}' of type {kind}",
            remedy="Declare its `type` in `columns`, or derive a timestamp from it.",
        )
    starts = _moments(df, {VALIDATION: validation, TEST: test})
    if starts[VALIDATION] >= starts[TEST]:
        raise ConfigError(
            where="split.time",
            expected="validation to start before test",
            found=f"{validation} and {test}",
            remedy="Exchange or correct them.",
        )
    moment = F.unix_micros(df[quote(time)].cast("timestamp"))
    width = seconds(gap) * 1_000_000
    part = (
        F.when(moment < F.lit(starts[VALIDATION] - width), F.lit(TRAIN))
        .when(moment < F.lit(starts[VALIDATION]), F.lit(None).cast("string"))
        .when(moment < F.lit(starts[TEST] - width), F.lit(VALIDATION))
        .when(moment < F.lit(starts[TEST]), F.lit(None).cast("string"))
        .when(moment.isNotNull(), F.lit(TEST))
    )
    return df.withColumn(SPLIT, part)


def _moments(df: DataFrame, texts: dict[str, str]) -> dict[str, int]:
    """Points in time, as Spark reads them, in microseconds since 1970."""
    micros = [F.unix_micros(F.lit(text).try_cast("timestamp")).alias(name) for name, text in texts.items()]
    found = df.sparkSession.range(1).select(*micros).collect()[0].asDict()
    for name, text in texts.items():
        if found[name] is None:
            raise ConfigError(
                where=f"split.time.{name}",
                expected="a date or timestamp",
                found=repr(text),
                remedy="Write it as 2013-09-15 or 2013-09-15 06:00:00.",
            )
    return found
