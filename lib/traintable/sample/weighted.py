"""An exact number of rows, without replacement, with chances in proportion to a weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.sample.reservoir import reservoir

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def weighted(df: DataFrame, n: int, weight: str, *, key: Sequence[str], seed: int) -> DataFrame:
    """`n` rows, drawn one after another, each in proportion to its `weight` among those that are left.

    A row of weight 0 is never drawn; where fewer than `n` have another weight, all of these are given. It is
    `reservoir` with a weight: see there for `inclusion_probability`, for errors, and for its cost, one pass.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(100).selectExpr("id", "IF(id < 2, 1000.0, 1.0) AS size")
    >>> sorted(row.id for row in sample.weighted(rows, 2, "size", key=["id"], seed=7).collect())
    [0, 1]
    """
    return reservoir(df, n, key=key, seed=seed, weight=weight)
