"""Folds that are blocks of time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.config.durations import Duration
from traintable.errors import ConfigError
from traintable.sample.draw import LOWEST
from traintable.sample.thresholds import thresholds
from traintable.split.folds import is_train, require_folds
from traintable.statistics import Wanted, scan
from traintable.temporal.instants import SECOND, iso, micros, require_time, time_range

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_WHERE = "split.time_k_fold"
_SLACK = 64  # microseconds by which an instant far from 1970 may be off as a float


def time_k_fold(
    df: DataFrame,
    time: str,
    n: int,
    *,
    gap: str = "0 seconds",
    embargo: str = "0 seconds",
    name: str = "fold",
) -> DataFrame:
    """Add a column of folds 0 to n - 1 that are blocks of time, one after the other, with equally many rows.

    Sizes are those of sklearn.model_selection.KFold without shuffling, but rows of one instant stay together: a block
    ends with the last instant that fits in. Each block is held out once while those before and after it are trained on,
    so some rows are too near to what is held out: those at most `gap` before the first instant of a block, and those at
    most `embargo` after the last instant of one, have no fold (Lopez de Prado, "Advances in Financial Machine
    Learning", 2018, chapter 7). Filter them before `pyspark.ml.tuning.CrossValidator`, which refuses a null in its
    `foldCol`; train the final model on all rows. Rows without a time, and those whose `split` is not train, have no
    fold either; all are kept.

    Raises ConfigError when there are too few different instants for n blocks. Costs four narrow passes over `time`.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.sql("SELECT explode(sequence(DATE'2024-01-01', DATE'2024-01-06')) AS day")
    >>> rows = split.time_k_fold(rows, "day", 2, gap="1 day")
    >>> [row.fold for row in rows.orderBy("day").collect()]
    [0, 0, None, 1, 1, 1]
    """
    require_folds(df, n, {name}, {time}, where=_WHERE)
    require_time(df, time, where=_WHERE)
    among = is_train(df)
    dated = micros(time).isNotNull() if among is None else among & micros(time).isNotNull()
    blocks = _blocks(df.where(dated), time, n)
    instant, gap_before, gap_after = micros(time), Duration(gap).seconds * SECOND, Duration(embargo).seconds * SECOND
    fold = sum(((instant >= first).cast("int") for first, _ in blocks[1:]), F.lit(0))
    for (_, last), (first, _) in pairwise(blocks):
        dated &= ~((instant >= first - gap_before) & (instant < first)) & ~(
            (instant > last) & (instant <= last + gap_after)
        )
    return df.withColumn(name, F.when(dated, fold))


def _blocks(df: DataFrame, time: str, n: int) -> list[tuple[int, int]]:
    """The first and the last instant of each block."""
    extent = time_range(df, time)
    if extent is None:
        return []
    n_rows, low, high = extent
    edges = _edges(df, time, n_rows, low - _SLACK, high + _SLACK, n)
    block = sum(((micros(time) >= edge).cast("int") for edge in edges), F.lit(0))
    wanted = Wanted(classes=(("block", Wanted(summary=("instant",))),))
    blocks = scan(df.select(block.alias("block"), micros(time).alias("instant")), wanted).classes["block"]
    if len(blocks) < n:
        raise ConfigError(
            where=_WHERE,
            expected=f"rows at enough different times for {n} blocks",
            found=f"{n_rows:,} rows from {iso(low)} to {iso(high)}, too many of them at the same time",
            remedy="Ask for fewer folds, or name a column whose times are finer.",
        )
    bounds = [blocks[str(i)].summary["instant"] for i in range(n)]
    return [(int(extent.min), int(extent.max)) for extent in bounds]


def _edges(df: DataFrame, time: str, n_rows: int, low: int, high: int, n: int) -> list[int]:
    """Instants that divide the rows, which lie between `low` and `high`, into n blocks; each is in the later one."""
    bits = 64 - (high - low).bit_length()
    every, remaining = divmod(n_rows, n)
    ends = [every * i + min(i, remaining) for i in range(1, n)]
    row_size = F.lit(1).cast("long")
    cuts = thresholds(df, [], {(): ends}, key=[time], draw=_spread(time, low, bits), size=row_size, where=_WHERE)[()]
    return [((cut - LOWEST) >> bits) + low + 1 for cut in cuts]


def _spread(time: str, low: int, bits: int) -> Column:
    """Instants spread over all bigints in their order, so that their leading bits distinguish them."""
    return F.shiftleft(micros(time) - F.lit(low), bits).bitwiseXOR(F.lit(LOWEST))
