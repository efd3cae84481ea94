"""As many rows as a budget of bytes allows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.sample.arguments import require_count, require_names
from traintable.sample.draw import ROWS, keyed_hash, share_below
from traintable.sample.lowest import PROBABILITY, refuse_sampled
from traintable.sample.thresholds import thresholds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "sample.by_bytes"


def by_bytes(df: DataFrame, text: str | Sequence[str], n_bytes: int, *, key: Sequence[str], seed: int) -> DataFrame:
    """The rows of the lowest draws, as many as fit in `n_bytes` of UTF-8 text of the columns `text`.

    The first row that does not fit ends the sample. A null has no bytes. Returns the drawn rows with
    `inclusion_probability double` added: the probability, given the draws of the other rows, that the row's draw lies
    below that of the row that ended the sample, 1 where all rows fit. Without that condition long rows would be
    favoured or slighted; with it estimates of totals are unbiased (the argument of Cohen and Kaplan, PODC 2007). The
    rows depend on the seed, the set of keys and the lengths alone.

    Costs two passes over `text` and the key, one over the key, and one over the rows, none of which is moved.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(100).selectExpr("id", "repeat('x', 10) AS text")
    >>> sample.by_bytes(rows, "text", 35, key=["id"], seed=7).count()
    3
    """
    from pyspark.sql import functions as F

    names = [text] if isinstance(text, str) else list(text)
    require_names(names, "text", where=_WHERE)
    require_names(key, "key", where=_WHERE)
    require_columns(df, {*names, *key}, where=_WHERE)
    _require_text(df, names)
    require_count(n_bytes, "n_bytes", where=_WHERE)
    refuse_sampled(df, where=_WHERE)
    draw = keyed_hash(key, seed=seed, purpose=ROWS)
    sizes = [F.coalesce(F.octet_length(F.col(quote(name))), F.lit(0)).cast("long") for name in names]
    cut = thresholds(df, (), {(): [n_bytes]}, key=key, draw=draw, size=reduce(add, sizes), where=_WHERE)[()][0]
    first_out = df.select(draw.alias("draw")).where(F.col("draw") > cut).agg(F.min("draw").alias("draw"))
    ended = first_out.collect()[0]["draw"]  # one row
    probability = F.lit(1.0) if ended is None else share_below(F.lit(ended))
    return df.where(draw <= cut).withColumn(PROBABILITY, probability)


def _require_text(df: DataFrame, names: Sequence[str]) -> None:
    kinds = dict(df.dtypes)
    wrong = [name for name in names if kinds[name] not in ("string", "binary") and "char" not in kinds[name]]
    if wrong:
        raise ConfigError(
            where=_WHERE,
            expected="columns of text",
            found=f"'{wrong[0]}' of type {kinds[wrong[0]]}",
            remedy="Name only columns of type string or binary.",
        )
