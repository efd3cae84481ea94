"""Chance as a keyed hash: the same row draws the same number on any cluster, in any file, at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column

LOWEST, HIGHEST = -(2**63), 2**63 - 1
ROWS = "sample"  # the purpose of all draws of rows without replacement: of one seed, a larger sample holds a smaller


def keyed_hash(key: Sequence[str], *, seed: int, purpose: str) -> Column:
    """A 64-bit number for each row, uniform over all bigints, that depends on (seed, purpose, key) alone.

    Different purposes give independent numbers. A null in the key is a value of its own.

    Examples
    --------
    >>> from traintable.sample import keyed_hash
    >>> rows = spark.range(3).withColumn("draw", keyed_hash(["id"], seed=7, purpose="audit"))
    >>> [row.id for row in rows.orderBy("draw").collect()]
    [1, 2, 0]
    """
    return F.xxhash64(F.lit(seed), F.lit(purpose), *null_safe_columns(F.col(quote(name)) for name in key))


def null_safe_columns(columns: Iterable[Column]) -> list[Column]:
    """Each column after whether it is null: a hash of these tells null from every value, which that of one does not."""
    return [argument for column in columns for argument in (column.isNull(), column)]


def share_below(draw: Column) -> Column:
    """The share of all draws that are below `draw`, above 0 and below 1; small shares have all their digits."""
    high = (F.shiftright(draw, 32) + F.lit(2**31)).cast("double")
    low = draw.bitwiseAND(F.lit(2**32 - 1)).cast("double")
    return F.least((high * 2.0**32 + low + 0.5) / 2.0**64, F.lit(1 - 2.0**-53))
