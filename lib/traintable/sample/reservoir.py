"""A sample in one pass, whose size is given and whose population is not counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import quote, require_columns
from traintable.sample.arguments import require_count, require_names
from traintable.sample.draw import ROWS, keyed_hash, share_below
from traintable.sample.lowest import PROBABILITY, refuse_sampled
from traintable.sample.unique import is_repeat, key_as_json, repeat_error

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, WindowSpec

DRAW, RANK, _POSITION = "__draw", "__rank", "__place"
_WHERE = "sample.reservoir"


def reservoir(
    df: DataFrame, n: int, *, key: Sequence[str], seed: int, by: Sequence[str] = (), weight: str | None = None
) -> DataFrame:
    """`n` rows, or `n` of each group of `by`, in one pass; all rows where there are no more than `n`.

    Those with the lowest draws are kept; with a `weight` those with the lowest -ln(u) / weight, which draws one row
    after another without replacement, each in proportion to its weight among those that are left (Efraimidis and
    Spirakis, "Weighted random sampling with a reservoir", Inf. Process. Lett. 97, 2006). A row of weight 0 is never
    drawn. Without a weight they are the rows that `simple` gives.

    Returns the drawn rows with `inclusion_probability double` added. As the population is not known, it is the
    probability given the draws of the other rows: that the row's rank lies below that of the first row left out (Cohen
    and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007), 1 where all rows are in. Estimates of totals
    that are corrected by it are unbiased.

    The rows depend on the seed and the set of keys alone; samples of parts of the rows, put together and sampled again,
    are the sample of the whole. Raises an error when rows are computed and a key repeats among them, or a weight is
    null, NaN, negative or infinite.

    Nothing is computed until the rows are used, and then in one pass. Without `by` each task keeps a heap of n + 1 rows
    and one task merges them. With `by` each task sorts its rows by group and keeps the first n + 1 of each (while n is
    below `spark.sql.window.group.limit.threshold`, 1000 unless set; beyond, all rows are shuffled), which are shuffled
    by group: any number of groups will do.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(100).selectExpr("id", "id % 2 AS parity")
    >>> drawn = sample.reservoir(rows, 2, key=["id"], seed=7, by=["parity"])
    >>> sorted((row.parity, row.id) for row in drawn.collect())
    [(0, 40), (0, 84), (1, 29), (1, 81)]
    """
    require_count(n, "n", where=_WHERE)
    require_columns(df, {*key, *by, *([weight] if weight else [])}, where=_WHERE)
    require_names(key, "key", where=_WHERE)
    refuse_sampled(df, where=_WHERE)
    rows = with_ranks(df, key=key, seed=seed, weight=weight, where=_WHERE)
    return drawn_rows(candidates(rows, n, by, key), n, by, key, weight, where=_WHERE)


def with_ranks(df: DataFrame, *, key: Sequence[str], seed: int, weight: str | None, where: str) -> DataFrame:
    """The rows that can be drawn, with their draw and their rank by which they are."""
    from pyspark.sql import functions as F

    rows = df.withColumn(DRAW, keyed_hash(key, seed=seed, purpose=ROWS))
    if weight is None:
        return rows.withColumn(RANK, F.col(DRAW))
    given = F.col(quote(weight)).cast("double")
    text = f"{where}: expected finite numbers not below 0 in column '{weight}', found "
    shown = F.concat(F.lit(text), F.coalesce(given.cast("string"), F.lit("null")), F.lit(" in row "), key_as_json(key))
    wrong = given.isNull() | F.isnan(given) | (given < 0) | (given == float("inf"))
    checked = F.when(wrong, F.raise_error(F.concat(shown, F.lit(". Correct it, or leave such rows out.")))).otherwise(
        given
    )
    exponential = -F.log1p(-share_below(F.col(DRAW)))
    return rows.where(checked > 0).withColumn(RANK, exponential / given)


def candidates(rows: DataFrame, n: int, by: Sequence[str], key: Sequence[str]) -> DataFrame:
    """The n + 1 rows of the lowest ranks, in all or of each group."""
    from pyspark.sql import functions as F

    if not by:
        return rows.orderBy(*_order(key)).limit(n + 1)
    return (
        rows.withColumn(_POSITION, F.row_number().over(_window(by, key)))
        .where(F.col(_POSITION) <= n + 1)
        .drop(_POSITION)
    )


def refuse_repeated(rows: DataFrame, by: Sequence[str], key: Sequence[str], *, where: str) -> DataFrame:
    """The candidates; an error when they are computed and a key repeats."""
    from pyspark.sql import functions as F

    refused = F.when(is_repeat(key, _window(by, key)), repeat_error(key, where=where)).otherwise(F.lit(False))
    return rows.withColumn("__refused", refused).where(~F.col("__refused")).drop("__refused")


def drawn_rows(
    rows: DataFrame, n: int, by: Sequence[str], key: Sequence[str], weight: str | None, *, where: str
) -> DataFrame:
    """All candidates but the last of more than `n`, with the probability that its rank gives the others."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    group = Window.partitionBy(*_groups(by))
    first_out = F.max(RANK).over(group)
    given = F.col(quote(weight)).cast("double") if weight else None
    below = share_below(first_out) if given is None else -F.expm1(-given * first_out)
    probability = F.when(F.count("*").over(group) <= n, 1.0).otherwise(below)
    position = F.row_number().over(_window(by, key))
    placed = refuse_repeated(rows, by, key, where=where).withColumns({_POSITION: position, PROBABILITY: probability})
    return placed.where(F.col(_POSITION) <= n).drop(DRAW, RANK, _POSITION)


def _groups(by: Sequence[str]) -> list[Column]:
    from pyspark.sql import functions as F

    return [F.col(quote(name)) for name in by] or [F.lit(0)]


def _order(key: Sequence[str]) -> list[Column]:
    from pyspark.sql import functions as F

    return [F.col(RANK), F.col(DRAW), *[F.col(quote(name)) for name in key]]


def _window(by: Sequence[str], key: Sequence[str]) -> WindowSpec:
    from pyspark.sql import Window

    return Window.partitionBy(*_groups(by)).orderBy(*_order(key))
