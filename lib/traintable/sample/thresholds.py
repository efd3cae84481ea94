"""Where to cut the draws of each stratum, so that exactly as many rows as asked for lie below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from traintable.sample.draw import HIGHEST, LOWEST
from traintable.sample.strata import STRATUM, Stratum, number_strata, small_table, stratum_number
from traintable.sample.unique import not_unique_error

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

MAX_BUCKETS = 2**20  # of all strata together
MAX_BITS = 12
Cut = tuple[int, int]  # a stratum's number, and the place of one of its targets


def thresholds(
    df: DataFrame,
    by: Sequence[str],
    targets: Mapping[Stratum, Sequence[int]],
    *,
    key: Sequence[str],
    draw: Column,
    size: Column | None = None,
    numbers: Mapping[Stratum, int] | None = None,
    where: str,
) -> dict[Stratum, list[int]]:
    """For each stratum and each of its targets the draw up to which (itself included) exactly so many rows lie.

    With `size`, a bigint not below 0 for each row, a target is a sum of sizes, and the rows up to the draw are as many
    as fit in it. Costs two passes over the columns of `by`, `key` and `size`: the first counts the draws by their
    leading bits, the second ranks those that share these with a target. Nothing is sorted as a whole, and one row a
    target comes to the driver. Raises ConfigError with some of the keys that are not unique where they make an exact
    cut impossible.
    """
    from pyspark.sql import functions as F

    if not targets:
        return {}
    bits = max(1, min(MAX_BITS, (MAX_BUCKETS // len(targets)).bit_length() - 1))
    rows = df.select(
        (stratum_number(by) if by else F.lit(0).cast("long")).alias(STRATUM),
        draw.alias("draw"),
        F.shiftright(draw, 64 - bits).alias("bucket"),
        (F.lit(1).cast("long") if size is None else size).alias("size"),
    )
    if numbers is None:
        numbers = number_strata(df, by, list(targets)) if by else {(): 0}
    wanted = {numbers[stratum]: of_stratum for stratum, of_stratum in targets.items()}
    cuts, open_ = _between_buckets(_histogram(rows), wanted, 64 - bits, by_size=size is not None)
    within = _within_buckets(rows, open_)
    for cut, (bucket, left) in open_.items():
        last, reached = within.get(cut, (_before(bucket, 64 - bits), 0))
        if size is None and reached != left:
            raise not_unique_error(df, key, where=where)
        cuts[cut] = last
    return {
        stratum: [cuts[numbers[stratum], i] for i in range(len(of_stratum))] for stratum, of_stratum in targets.items()
    }


def _histogram(rows: DataFrame) -> dict[int, tuple[list[int], list[int]]]:
    """Stratum -> ascending buckets, and the sum of the sizes up to the end of each."""
    from pyspark.sql import functions as F

    sums = rows.groupBy(STRATUM, "bucket").agg(F.sum("size").alias("size"))
    table = sums.toArrow().sort_by([(STRATUM, "ascending"), ("bucket", "ascending")])  # at most MAX_BUCKETS rows
    number, bucket, size = (np.asarray(table[name]) for name in (STRATUM, "bucket", "size"))
    first = 1 + np.flatnonzero(number[1:] != number[:-1])
    groups = zip(np.split(number, first), np.split(bucket, first), np.split(size, first), strict=True)
    return {int(n[0]): (b.tolist(), np.cumsum(s).tolist()) for n, b, s in groups if len(n)}


def _between_buckets(
    histogram: Mapping[int, tuple[list[int], list[int]]],
    wanted: Mapping[int, Sequence[int]],
    shift: int,
    *,
    by_size: bool,
) -> tuple[dict[Cut, int], dict[Cut, tuple[int, int]]]:
    """The cuts that fall between two buckets; for the others their bucket, and how much of it lies below the cut."""
    cuts: dict[Cut, int] = {}
    open_: dict[Cut, tuple[int, int]] = {}
    for number, targets in wanted.items():
        buckets, reached = histogram.get(number, ([], []))
        for i, target in enumerate(targets):
            index = int(np.searchsorted(reached, target, side="right"))
            below = reached[index - 1] if index else 0
            if index == len(buckets):
                cuts[number, i] = HIGHEST
            elif below == target and not by_size:  # by size, rows of size 0 may follow
                cuts[number, i] = _before(buckets[index], shift)
            else:
                open_[number, i] = buckets[index], target - below
    return cuts, open_


def _before(bucket: int, shift: int) -> int:
    """The last draw before a bucket; the lowest of all, which no row draws but once in 2**64, for the first bucket."""
    return max(LOWEST, (bucket << shift) - 1)


def _within_buckets(rows: DataFrame, open_: Mapping[Cut, tuple[int, int]]) -> dict[Cut, tuple[int, int]]:
    """For each cut the last draw of its bucket that lies below, and the sum of the sizes up to it."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    if not open_:
        return {}
    table = [(number, bucket, i, left) for (number, i), (bucket, left) in open_.items()]
    targets = small_table(rows.sparkSession, table, f"{STRATUM} long, bucket long, i int, left long")
    near = rows.where(F.col("bucket").isin(sorted({bucket for bucket, _ in open_.values()})))
    near = near.join(F.broadcast(targets), [STRATUM, "bucket"])
    reached = F.sum("size").over(Window.partitionBy(STRATUM, "i").orderBy("draw"))  # equal draws count together
    below = near.withColumn("reached", reached).where("reached <= left")
    last_below = below.groupBy(STRATUM, "i").agg(F.max("draw").alias("last"), F.max("reached").alias("reached"))
    return {(row[STRATUM], row["i"]): (row["last"], row["reached"]) for row in last_below.collect()}  # one row a cut
