"""Split by a hash of the key, or of a group: whatever rows are added, no row changes its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, require_columns
from traintable.sample.draw import keyed_hash
from traintable.split import ratios as ratio

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def by_hash(df: DataFrame, ratios: Mapping[str, float], *, key: Sequence[str], seed: int) -> DataFrame:
    """Add `split` by a hash of the key, so that each row is in a split with the probability of that split's ratio.

    `ratios` names train, validation and test or some of them. A row's split depends on (seed, key) alone: it stays as
    rows come and go, on any cluster. Sizes are therefore about right, not exact: of n rows a split of ratio r has
    n r rows with a standard deviation of sqrt(n r (1 - r)). A null in the key is a value of its own, and so is a number
    of another type: do not change the types of the key between versions. Rows are kept. Costs no pass.

    Examples
    --------
    >>> from traintable import split
    >>> rows = split.by_hash(spark.range(8), {"train": 0.75, "test": 0.25}, key=["id"], seed=7)
    >>> [row.split for row in rows.orderBy("id").collect()]
    ['test', 'train', 'test', 'train', 'test', 'train', 'train', 'train']
    """
    where = "split.hash"
    shares = ratio.exact_ratios(ratios, where=where)
    require_columns(df, set(key), where=where)
    return df.withColumn(SPLIT, _split_of(keyed_hash(key, seed=seed, purpose="split"), shares))


def by_group(df: DataFrame, by: Sequence[str], ratios: Mapping[str, float], *, seed: int) -> DataFrame:
    """Add `split` by a hash of the group, so that no group of `by` has rows in two splits.

    A group's split depends on (seed, values of `by`) alone: it stays as rows and groups are added. Groups, not rows,
    are divided in `ratios`, so with few or very unequal groups the sizes are off; `stratified_by_group` balances them.
    A null is a value of its own: all rows without a group are one group, which is on one side. Rows are kept. Costs no
    pass.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(6).selectExpr("id", "id DIV 2 AS person")
    >>> rows = split.by_group(rows, ["person"], {"train": 0.5, "test": 0.5}, seed=7)
    >>> sorted((row.person, row.split) for row in rows.collect())
    [(0, 'test'), (0, 'test'), (1, 'train'), (1, 'train'), (2, 'test'), (2, 'test')]
    """
    where = "split.group"
    shares = ratio.exact_ratios(ratios, where=where)
    require_columns(df, set(by), where=where)
    return df.withColumn(SPLIT, _split_of(keyed_hash(by, seed=seed, purpose="split"), shares))


def _split_of(draw: Column, shares: Mapping[str, Fraction]) -> Column:
    """The split that a draw, uniform over all bigints, falls into."""
    *others, last = shares
    split = F.lit(last)
    ends = dict(zip(others, ratio.cumulative_shares(list(shares.values())), strict=False))
    for name, end in reversed(ends.items()):
        split = F.when(draw < F.lit(int(2**64 * end) - 2**63), F.lit(name)).otherwise(split)
    return split
