"""Split at random, with the same ratios in every stratum, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, quote, require_columns
from traintable.sample.draw import keyed_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def stratified(
    df: DataFrame, by: Sequence[str], ratios: Mapping[str, float], *, key: Sequence[str], seed: int
) -> DataFrame:
    """Add `split` so that each stratum of `by` is divided in `ratios`, to the nearest row.

    In a stratum of n rows the cumulated ratios are rounded (half up) to whole rows; the rows with the smallest keyed
    hashes are train, the next validation, the rest test. The result depends on the seed and the set of keys, not on
    partitions or order. A null is a stratum of its own. Rows are kept.

    Costs one shuffle of the rows by stratum, with a sort.
    """
    require_columns(df, set(by) | set(key), where="split.stratified")
    strata = [quote(name) for name in by]
    draw = keyed_hash(key, seed=seed, purpose="split")
    order = Window.partitionBy(*strata).orderBy(draw, *[quote(name) for name in key])
    rank, size = F.row_number().over(order), F.count("*").over(Window.partitionBy(*strata))
    part = F.lit(SPLITS[-1])
    for name in reversed(SPLITS[:-1]):
        reached = sum((Fraction(str(ratios[earlier])) for earlier in SPLITS[: SPLITS.index(name) + 1]), Fraction(0))
        reached = reached.limit_denominator(1_000_000)  # so that whole numbers hold the product with any row count
        top, bottom = reached.as_integer_ratio()
        last = F.expr(f"(__size * {2 * top}L + {bottom}L) DIV {2 * bottom}L")  # in whole numbers: half up, exactly
        part = F.when(F.col("__rank") <= last, F.lit(name)).otherwise(part)
    ranked = df.withColumns({"__rank": rank, "__size": size})
    return ranked.withColumn(SPLIT, part).drop("__rank", "__size")
