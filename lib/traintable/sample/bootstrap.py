"""Rows drawn with replacement: each comes with the number of times it was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from traintable.columns import refuse_taken, require_columns
from traintable.errors import ConfigError
from traintable.sample.arguments import require_count, require_names
from traintable.sample.draw import LOWEST, ROWS, keyed_hash
from traintable.sample.positions import MAX_RANGES, POSITION, RANGE, with_positions

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

WEIGHT = "weight"
_WHERE = "sample.bootstrap"
_DRAW = "__draw"


def bootstrap(df: DataFrame, n: int | None = None, *, key: Sequence[str], seed: int, replicate: int = 0) -> DataFrame:
    """A bootstrap replicate: the drawn rows, each once, with `weight bigint`, how often it was drawn.

    Without `n` each weight is Poisson(1), so that the rows in all vary about as many as there are (Chamandy et al.,
    "Estimating uncertainty for massive data streams", 2012): that costs no pass of its own. With `n` the weights add up
    to exactly `n`, draws with replacement of one row each, all with the same chance (Efron 1979): the rows are numbered
    in the order of their hashes, `n` hashes of 1, 2, ... pick numbers, and the two are joined. That costs a count of
    ranges of hashes and a shuffle of the rows. Replicates are independent. Weights depend on seed, replicate and key
    (with `n`, the set of keys) alone. Raises ConfigError for `n` draws from no rows.

    Examples
    --------
    >>> from traintable import sample
    >>> drawn = sample.bootstrap(spark.range(8), key=["id"], seed=7, replicate=1)
    >>> sorted((row.id, row.weight) for row in drawn.collect())
    [(1, 1), (2, 1), (3, 1), (5, 2), (6, 2), (7, 1)]
    """
    require_names(key, "key", where=_WHERE)
    require_columns(df, set(key), where=_WHERE)
    require_count(replicate, "replicate", where=_WHERE)
    refuse_taken(df, {WEIGHT}, where=_WHERE)
    if n is not None:
        require_count(n, "n", where=_WHERE)
        return _draw_exactly(df, n, key, seed, replicate)
    draw = keyed_hash(key, seed=seed, purpose=f"bootstrap {replicate}")
    weighed = df.withColumn(WEIGHT, poisson(draw))
    return weighed.where(f"{WEIGHT} > 0")


def poisson(draw: Column) -> Column:
    """A Poisson(1) number, by inversion of the draw; exact to the 64 bits of the draw."""
    from pyspark.sql import functions as F

    cuts = _poisson_cuts()
    weight = F.lit(len(cuts))
    for k in reversed(range(len(cuts))):
        weight = F.when(draw < cuts[k], k).otherwise(weight)
    return weight.cast("long")


def _poisson_cuts() -> list[int]:
    """The draws below which a Poisson(1) number is at most 0, 1, 2, ..., until all but 2**-64 is below."""
    e = sum(Fraction(1, _factorial(k)) for k in range(30))
    cuts: list[int] = []
    reached, k = Fraction(0), 0
    while len(cuts) < 2 or cuts[-1] < 2**63 - 1:
        reached += Fraction(1, _factorial(k)) / e
        cuts.append(min(2**63 - 1, LOWEST + round(reached * 2**64)))
        k += 1
    return cuts[:-1]


def _factorial(k: int) -> int:
    return k * _factorial(k - 1) if k else 1


def _draw_exactly(df: DataFrame, n: int, key: Sequence[str], seed: int, replicate: int) -> DataFrame:
    """The replicate whose weights add up to `n`: positions of the rows, joined with `n` hashes that pick positions."""
    from pyspark.sql import functions as F

    bits = MAX_RANGES.bit_length() - 1
    rows = df.withColumn(_DRAW, keyed_hash(key, seed=seed, purpose=ROWS))
    rows = rows.withColumn(RANGE, F.shiftright(_DRAW, 64 - bits).cast("int"))
    numbered, size = with_positions(rows, [_DRAW], key, where=_WHERE)
    if n and not size:
        raise ConfigError(
            where=_WHERE, expected="rows to draw from", found="none", remedy="Check the filters before it."
        )
    picks = df.sparkSession.range(n).withColumnRenamed("id", "__pick")
    picked = F.pmod(keyed_hash(["__pick"], seed=seed, purpose=f"bootstrap {replicate}"), F.lit(max(1, size)))
    weights = picks.groupBy(picked.alias(POSITION)).agg(F.count("*").alias(WEIGHT))
    return numbered.join(weights, POSITION).drop(POSITION, _DRAW)
