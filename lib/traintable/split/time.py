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

    `validation` and `test` are the instants at which those splits begin ("2013-09-15", UTC if the session is). Rows at
    most `gap` before a boundary belong to no split, so that what is known late of one can't touch the next: their
    `split` is null, as it is where `time` is null. Rows are kept. Costs no pass.

    An embargo, which keeps rows after a held-out split out of train, is not needed here: train ends before they begin.
    `time_windows` and `time_k_fold` have one.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.sql("SELECT explode(sequence(DATE'2024-01-01', DATE'2024-01-06')) AS day")
    >>> rows = split.by_time(rows, "day", validation="2024-01-03", test="2024-01-05", gap="1 day")
    >>> [(row.day.day, row.split) for row in rows.orderBy("day").collect()]
    [(1, 'train'), (2, None), (3, 'validation'), (4, None), (5, 'test'), (6, 'test')]
    """
    require_time(df, time, where="split.time.column")
    starts = parse_instants(df, {VALIDATION: validation, TEST: test}, where="split.time")
    if starts[VALIDATION] >= starts[TEST]:
        raise ConfigError(
            where="split.time",
            expected="validation to begin before test",
            found=f"validation at {validation} and test at {test}",
            remedy="Swap the two, or correct them.",
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
