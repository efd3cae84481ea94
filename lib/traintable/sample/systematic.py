"""Every so-manieth row in the order of a column, from a random start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import numpy as np

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.sample.arguments import require_names, require_size, sample_size
from traintable.sample.draw import ROWS, keyed_hash
from traintable.sample.lowest import PROBABILITY, refuse_sampled
from traintable.sample.positions import POSITION, RANGE, n_ranges, with_positions
from traintable.statistics import Wanted, Weighted, scan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_WHERE = "sample.systematic"
_DRAW, _VALUE = "__draw", "__value"
_START = "systematic start"
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "date", "timestamp", "timestamp_ntz")


def systematic(
    df: DataFrame, order_by: str, n: int | None = None, *, ratio: float | None = None, key: Sequence[str], seed: int
) -> DataFrame:
    """Exactly `n` rows, evenly spaced in the order of a number, date or time (Cochran 1977, chapter 8).

    Nulls come first and NaN last; rows of one value follow each other in the order of their draws. Of N rows the one at
    position r, from 0, is drawn where (r n + start) mod N < n, the start being drawn from 0 to N - 1: whole numbers, so
    that the steps are as even as can be and each row has the chance n / N. Returns the drawn rows with
    `inclusion_probability double` added; they depend on the seed and the set of rows' keys and values alone. Raises
    ConfigError when more rows are asked for than there are; rows of one key and one value are an error when the rows
    are computed. As the spacing removes part of the chance, `estimate` gives too wide an interval where the order
    matters.

    Costs a count, a scan of `order_by` for ranges of its values, a count of these, a pass over `order_by` and `key`
    that ranks each range by itself, and one pass over the rows, to which the drawn keys are sent. A value that very
    many rows share, null among them, is ranked by one task.

    Examples
    --------
    >>> from traintable import sample
    >>> drawn = sample.systematic(spark.range(12), "id", 4, key=["id"], seed=7)
    >>> sorted(row.id for row in drawn.collect())
    [2, 5, 8, 11]
    """
    from pyspark.sql import functions as F

    require_size(n, ratio, where=_WHERE)
    require_names(key, "key", where=_WHERE)
    require_columns(df, {order_by, *key}, where=_WHERE)
    _require_ordered(df, order_by)
    refuse_sampled(df, where=_WHERE)
    size = df.count()
    requested = sample_size(n, ratio, size, "rows", where=_WHERE)
    if not requested:
        return df.where(F.lit(False)).withColumn(PROBABILITY, F.lit(0.0))
    chosen = _drawn_keys(df, order_by, requested, size, key, seed)
    names = {_VALUE: order_by, **{f"__k{i}": name for i, name in enumerate(key)}}
    same = reduce(and_, (F.col(quote(name)).eqNullSafe(F.col(alias)) for alias, name in names.items()))
    return df.join(chosen, same, "left_semi").withColumn(PROBABILITY, F.lit(requested / size))


def is_drawn(position: Column, n: int, size: int, start: Column) -> Column:
    """Whether the row at a position from 0 to size - 1 is one of the `n`; in whole numbers, without overflow."""
    from pyspark.sql import functions as F

    kind = "long" if n * size + size < 2**63 else "decimal(38,0)"
    steps = position.cast(kind) * F.lit(n).cast(kind) + start.cast(kind)
    return F.pmod(steps, F.lit(size).cast(kind)) < n


def _drawn_keys(df: DataFrame, order_by: str, n: int, size: int, key: Sequence[str], seed: int) -> DataFrame:
    """The values and keys of the drawn rows."""
    from pyspark.sql import functions as F

    narrow = df.select(
        F.col(quote(order_by)).alias(_VALUE),
        *[F.col(quote(name)) for name in key],
        keyed_hash(key, seed=seed, purpose=ROWS).alias(_DRAW),
    )
    values = scan(df, Wanted(values=(order_by,))).values[order_by].weighted()
    rows, _ = with_positions(_with_range(narrow, values, n_ranges(size)), [_VALUE, _DRAW], key, where=_WHERE)
    start = F.pmod(keyed_hash((), seed=seed, purpose=_START), F.lit(size))
    chosen = rows.where(is_drawn(F.col(POSITION), n, size, start))
    return chosen.select(_VALUE, *[F.col(quote(name)).alias(f"__k{i}") for i, name in enumerate(key)])


def _with_range(rows: DataFrame, values: Weighted, n: int) -> DataFrame:
    """The rows with the range of their value, among about `n` of about as many rows each."""
    from pyspark.ml.feature import Bucketizer
    from pyspark.sql import functions as F

    bounds = np.unique([values.quantile(i / n) for i in range(1, n)]) if n > 1 and len(values.values) else np.zeros(0)
    number, kind = F.col(_VALUE), dict(rows.dtypes)[_VALUE]
    if kind == "date":
        number = F.unix_date(number) * F.lit(86400.0)
    elif kind == "timestamp_ntz":
        number = number.cast("timestamp")
    rows = rows.withColumn("__number", number.cast("double") + F.lit(0.0))  # -0.0 becomes 0.0
    if not len(bounds):
        return rows.withColumn(RANGE, F.lit(0)).drop("__number")
    splits = [float("-inf"), *bounds.tolist(), float("inf")]
    bucketizer = Bucketizer(splits=splits, inputCol="__number", outputCol="__bucket", handleInvalid="keep")
    bucket = F.coalesce(F.col("__bucket").cast("int"), F.lit(-1))
    return bucketizer.transform(rows).withColumn(RANGE, bucket).drop("__bucket", "__number")


def _require_ordered(df: DataFrame, order_by: str) -> None:
    kind = dict(df.dtypes)[order_by]
    if kind.split("(")[0] not in _NUMBERS:
        raise ConfigError(
            where=_WHERE,
            expected="a number, a date or a time to order by",
            found=f"column '{order_by}' of type {kind}",
            remedy="Name another column, or derive a number from it.",
        )
