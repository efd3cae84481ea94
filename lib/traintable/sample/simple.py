"""An exact number of rows, each with the same chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import require_columns
from traintable.sample.arguments import require_size, sample_size
from traintable.sample.lowest import draw_lowest, refuse_sampled
from traintable.sample.strata import Stratum, population

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "sample.simple"


def simple(
    df: DataFrame, n: int | None = None, *, ratio: float | None = None, key: Sequence[str], seed: int
) -> DataFrame:
    """Exactly `n` rows, or `ratio` of them rounded half up, each with the same chance (Cochran 1977, chapter 2).

    Returns the drawn rows with `inclusion_probability double` added. They depend on the seed and the set of keys
    alone; of one seed, a larger sample holds a smaller one. Raises ConfigError when more rows are asked for than there
    are; keys that repeat are an error when the rows are computed.

    Costs a count, which Parquet and Delta files answer without being read, and one pass; beyond a million drawn rows
    two more over the key.

    Examples
    --------
    >>> from traintable import sample
    >>> drawn = sample.simple(spark.range(100), 3, key=["id"], seed=7)
    >>> [tuple(row) for row in drawn.orderBy("id").collect()]
    [(29, 0.03), (39, 0.03), (81, 0.03)]
    """
    require_size(n, ratio, where=_WHERE)
    require_columns(df, set(key), where=_WHERE)
    refuse_sampled(df, where=_WHERE)
    there = population(df, (), where=_WHERE)
    size = there.get((), 0)
    sizes: dict[Stratum, int] = {(): sample_size(n, ratio, size, "rows", where=_WHERE)}
    return draw_lowest(df, (), sizes, there, key=key, seed=seed, where=_WHERE)
