"""The positions of rows in an order, without sorting them as a whole: ranges are counted, and ranked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import quote
from traintable.sample.strata import small_table
from traintable.sample.unique import is_repeat, repeat_error

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RANGE, POSITION = "__range", "__position"
ROWS_A_RANGE = 50_000
MAX_RANGES = 4_096


def n_ranges(n_rows: int) -> int:
    """In how many ranges so many rows are best ranked."""
    return max(1, min(MAX_RANGES, n_rows // ROWS_A_RANGE))


def with_positions(rows: DataFrame, order: Sequence[str], key: Sequence[str], *, where: str) -> tuple[DataFrame, int]:
    """The rows with `__position bigint`, from 0, in the order of `__range int`, then `order`, then `key`; their number.

    `__range` is a column of the rows that rises with `order`. Rows whose `order` and key are the same are an error when
    the rows are computed. Costs one aggregate for the sizes of the ranges, whose number the caller bounds, and a
    shuffle of the rows by range.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    counts = {row[RANGE]: int(row["count"]) for row in rows.groupBy(RANGE).count().collect()}  # one row a range
    n_before, table = 0, []
    for number in sorted(counts):
        table.append((number, n_before))
        n_before += counts[number]
    starts = small_table(rows.sparkSession, table, f"{RANGE} int, __before long")
    columns = [F.col(quote(name)) for name in (*order, *key)]
    window = Window.partitionBy(RANGE).orderBy(*columns)
    position = F.col("__before") + F.row_number().over(window) - 1
    position = F.when(is_repeat([*order, *key], window), repeat_error(key, where=where)).otherwise(position)
    positioned = rows.join(F.broadcast(starts), RANGE).withColumn(POSITION, position.cast("long"))
    return positioned.drop(RANGE, "__before"), n_before
