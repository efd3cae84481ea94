"""Split by time: train on the past, validate and test on what came after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TEST, TRAIN, VALIDATION
from traintable.config.durations import Duration
from traintable.errors import ConfigError
from traintable.temporal.instants import micros, parse_instants, require_time

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def by_time(df: DataFrame, time: str, *, validation: str, test: str, gap: str = "0 seconds") -> DataFrame:
    """Add `split` by the column `time`: train before `validation`, validation before `test`, test from there on.

    `validation` and `test` are the first moments of those parts ("2013-09-15", UTC if the session is). Rows at most
    `gap` before a boundary belong to no part, so that what is known late of one part can't touch the next: their
    `split` is null, as it is where `time` is null. Rows are kept. Costs no pass.

    An embargo, which keeps rows after a held-out part out of train, has no place here: train ends before they begin.
    `time_windows` and `time_k_fold` have one.
    """
    require_time(df, time, where="split.time.column")
    starts = parse_instants(df, {VALIDATION: validation, TEST: test}, where="split.time")
    if starts[VALIDATION] >= starts[TEST]:
        raise ConfigError(
            where="split.time",
            expected="validation to start before test",
            found=f"{validation} and {test}",
            remedy="Exchange or correct them.",
        )
    instant = micros(time)
    width = Duration(gap).seconds * 1_000_000
    split = (
        F.when(instant < F.lit(starts[VALIDATION] - width), F.lit(TRAIN))
        .when(instant < F.lit(starts[VALIDATION]), F.lit(None).cast("string"))
        .when(instant < F.lit(starts[TEST] - width), F.lit(VALIDATION))
        .when(instant < F.lit(starts[TEST]), F.lit(None).cast("string"))
        .when(instant.isNotNull(), F.lit(TEST))
    )
    return df.withColumn(SPLIT, split)
