"""Whole groups of rows, or some rows of some groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import quote, require_columns
from traintable.sample.arguments import require_count, require_names, require_size, sample_size
from traintable.sample.draw import ROWS, keyed_hash
from traintable.sample.lowest import PROBABILITY, refuse_sampled
from traintable.sample.thresholds import thresholds
from traintable.sample.unique import is_repeat, repeat_error

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_CLUSTERS = "clusters"


def cluster(
    df: DataFrame, by: Sequence[str], n: int | None = None, *, ratio: float | None = None, seed: int
) -> DataFrame:
    """All rows of exactly `n` groups of `by`, or of `ratio` of the groups (Cochran 1977, chapter 9).

    Each group has the same chance, whatever its size; rows with nulls in `by` make a group too. Returns the rows of the
    drawn groups with `inclusion_probability double` added; the groups depend on the seed and the set of groups alone.
    Raises ConfigError when more groups are asked for than there are.

    Costs three passes over `by`, each with a shuffle of the different groups, and one over the rows, none of which is
    moved.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(9).selectExpr("id", "id DIV 3 AS household")
    >>> drawn = sample.cluster(rows, ["household"], 1, seed=7)
    >>> sorted((row.household, row.id) for row in drawn.collect())
    [(1, 3), (1, 4), (1, 5)]
    """
    return _groups(df, by, n, ratio, seed, where="sample.cluster")


def two_stage(df: DataFrame, by: Sequence[str], n_clusters: int, n: int, *, key: Sequence[str], seed: int) -> DataFrame:
    """`n` rows of each of exactly `n_clusters` groups of `by`; all rows of a smaller group (Cochran 1977, chapter 10).

    `inclusion_probability` is that of the group times that of the row in it. Raises ConfigError when more groups are
    asked for than there are; keys that repeat in a group are an error when the rows are computed.

    Costs what `cluster` does, and a shuffle of the rows of the drawn groups.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(40).selectExpr("id", "id DIV 10 AS school")
    >>> drawn = sample.two_stage(rows, ["school"], 2, 3, key=["id"], seed=7)
    >>> sorted((row.school, row.id, row.inclusion_probability) for row in drawn.collect())
    [(1, 10, 0.15), (1, 13, 0.15), (1, 18, 0.15), (2, 20, 0.15), (2, 23, 0.15), (2, 29, 0.15)]
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    where = "sample.two_stage"
    require_count(n, "n", where=where)
    require_names(key, "key", where=where)
    require_columns(df, set(key), where=where)
    rows = _groups(df, by, n_clusters, None, seed, where=where)
    group = Window.partitionBy(*[F.col(quote(name)) for name in by])
    rows = rows.withColumn("__draw", keyed_hash(key, seed=seed, purpose=ROWS))
    order = group.orderBy("__draw", *[F.col(quote(name)) for name in key])
    position = F.when(is_repeat(key, order), repeat_error(key, where=where)).otherwise(F.row_number().over(order))
    share = F.least(F.lit(1.0), F.lit(float(n)) / F.count("*").over(group))
    placed = rows.withColumns({"__place": position, PROBABILITY: F.col(PROBABILITY) * share})
    return placed.where(F.col("__place") <= n).drop("__draw", "__place")


def _groups(
    df: DataFrame, by: Sequence[str], n: int | None, ratio: float | None, seed: int, *, where: str
) -> DataFrame:
    """All rows of the drawn groups, by the draw up to which as many groups lie as are requested."""
    from pyspark.sql import functions as F

    require_size(n, ratio, where=where)
    require_names(by, "by", where=where)
    require_columns(df, set(by), where=where)
    refuse_sampled(df, where=where)
    groups = df.select(*[F.col(quote(name)) for name in by]).distinct()
    size = groups.count()
    requested = sample_size(n, ratio, size, "groups", where=where)
    draw = keyed_hash(by, seed=seed, purpose=_CLUSTERS)
    probability = F.lit(requested / size if size else 0.0)
    if requested in (0, size):
        return df.where(F.lit(requested > 0)).withColumn(PROBABILITY, probability)
    cut = thresholds(groups, (), {(): [requested]}, key=by, draw=draw, where=where)[()][0]
    return df.where(draw <= cut).withColumn(PROBABILITY, probability)
