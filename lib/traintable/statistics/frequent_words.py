"""The most frequent values of categories that have too many to count within a scan, counted by Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def most_frequent_words(df: DataFrame, columns: Mapping[str, int]) -> dict[str, Counter[str]]:
    """For each column the exact counts of as many of its most frequent values as `columns` says, ties as `vocabulary`.

    One job for all columns: rows are exploded to (column, value) and counted by group, which a cluster does in parts
    whatever the number of values; only the requested values come to the driver. Costs a scan and a shuffle of
    the different values.

    Examples
    --------
    >>> from traintable.statistics import most_frequent_words
    >>> rows = spark.createDataFrame([("NY", "a"), ("LA", "b"), ("NY", "b")], "city string, code string")
    >>> most_frequent_words(rows, {"city": 1, "code": 1})
    {'city': Counter({'NY': 2}), 'code': Counter({'b': 2})}
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    names = list(columns)
    pairs = [F.struct(F.lit(i).alias("i"), F.col(quote(n)).cast("string").alias("word")) for i, n in enumerate(names)]
    words = df.select(F.explode(F.array(*pairs)).alias("pair")).select("pair.*").where("word IS NOT NULL")
    counts = words.groupBy("i", "word").count()
    rank = F.row_number().over(Window.partitionBy("i").orderBy(F.desc("count"), F.desc("word")))
    wanted = F.element_at(F.array(*[F.lit(n) for n in columns.values()]), F.col("i") + 1)
    counters: dict[str, Counter[str]] = {name: Counter() for name in names}
    for row in counts.withColumn("rank", rank).where(F.col("rank") <= wanted).collect():  # no more than requested
        counters[names[row["i"]]][row["word"]] = row["count"]
    return counters
