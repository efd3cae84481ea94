"""A hash of a set of rows that does not depend on their order, files or partitions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import SPLIT, literal, quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ROW_HASH = "row_hash"


def row_hash(names: Sequence[str]) -> Column:
    """A 64-bit hash of each row over the columns `names` in the order of their names, nulls marked."""
    from pyspark.sql import functions as F

    columns = [f"{quote(name)} IS NULL, {quote(name)}" for name in sorted(names)]
    return F.expr(f"xxhash64({', '.join([literal(ROW_HASH), *columns])})")


def content_hash(df: DataFrame) -> tuple[str, dict[str, int]]:
    """The hash of the rows of a training table, and the number of rows in each split; one pass.

    The hashes of the rows are added as whole numbers without rounding, which no order of rows changes; the sum, the
    row count and the schema make the hash. A row that occurs twice counts twice. It guards against mistakes, not
    against a forger: other rows have the same hash once in 2**64 times (the sum of hashes is that of Bellare and
    Micciancio, "A new paradigm for collision-free hashing", 1997, here with a hash that has no key).

    Examples
    --------
    >>> from traintable.statistics import content_hash
    >>> rows = spark.range(4).selectExpr("id AS x", "IF(id < 3, 'train', 'test') AS split")
    >>> digest, counts = content_hash(rows)
    >>> content_hash(rows.orderBy("x", ascending=False))[0] == digest
    True
    >>> counts["train"], counts["test"]
    (3, 1)
    """
    from pyspark.sql import functions as F

    hashed = df.select(SPLIT, row_hash(df.columns).cast("decimal(38,0)").alias(ROW_HASH))
    rows = hashed.groupBy(SPLIT).agg(F.count("*").alias("n"), F.sum(ROW_HASH).alias("sum")).collect()  # one a split
    counts = {str(row[SPLIT]): int(row["n"]) for row in rows}
    return hash_of(df, sum(counts.values()), sum(int(row["sum"]) for row in rows)), counts


def hash_of(df: DataFrame, n: int, total: int) -> str:
    """The hash of the `n` rows of `df` whose hashes have this sum."""
    schema = ",".join(f"{name}:{df.schema[name].dataType.simpleString()}" for name in sorted(df.columns))
    return hashlib.sha256(f"{schema}|{n}|{total}".encode()).hexdigest()
