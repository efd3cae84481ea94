"""A hash of a set of rows that does not depend on their order, files or partitions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def content_hash(df: DataFrame) -> tuple[str, dict[str, int]]:
    """The hash of the rows of a training table, and the number of rows in each split; one pass.

    Each row gives two 64-bit hashes of its columns in the order of their names, nulls marked; they are added as whole
    numbers without rounding, which no order of rows changes, and the sums, the row count and the schema are hashed.
    A row that occurs twice counts twice. It guards against mistakes, not against a forger (the sum of hashes is that
    of Bellare and Micciancio, "A new paradigm for collision-free hashing", 1997, with a hash that is not keyed).
    """
    names = sorted(df.columns)
    parts = [part for name in names for part in (F.col(quote(name)).isNull(), F.col(quote(name)))]
    lanes = [F.sum(F.xxhash64(F.lit(lane), *parts).cast("decimal(38,0)")).alias(f"lane{lane}") for lane in (1, 2)]
    rows = df.groupBy(SPLIT).agg(F.count("*").alias("n"), *lanes).collect()  # one row a split
    schema = ",".join(f"{name}:{df.schema[name].dataType.simpleString()}" for name in names)
    sums = [sum(int(row[f"lane{lane}"]) for row in rows) for lane in (1, 2)]
    counts = {str(row[SPLIT]): int(row["n"]) for row in rows}
    text = f"{schema}|{sum(counts.values())}|{sums[0]}|{sums[1]}"
    return hashlib.sha256(text.encode()).hexdigest(), counts
