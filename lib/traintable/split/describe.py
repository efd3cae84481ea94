"""What each split holds, for the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, quote, require_columns
from traintable.delta.manifest import SplitCounts
from traintable.errors import ConfigError
from traintable.statistics import Statistics, Wanted, scan
from traintable.statistics.frequencies import MAX_DISTINCT
from traintable.temporal.instants import iso, micros, require_time

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "split.describe"


def describe(df: DataFrame, label: str, time: str | None = None) -> dict[str, SplitCounts]:
    """For each split its `rows`, the rows and shares of each class of `label`, and the first and last `time`.

    Splits without rows are described too; rows without a split are left out. A null label is the class "null". Times
    are ISO 8601 in UTC, `from` and `to`; they are left out without `time`. Costs one narrow scan. Raises ConfigError
    for more than 200,000 classes.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(4).selectExpr("id < 2 AS answer", "IF(id = 3, 'test', 'train') AS split")
    >>> split.describe(rows, "answer")["train"]
    {'rows': 3, 'classes': {'false': 1, 'true': 2}, 'shares': {'false': 0.3333333333333333, 'true': 0.6666666666666666}}
    """
    require_columns(df, {SPLIT, label}, where=_WHERE)
    columns = [F.col(SPLIT), F.col(quote(label)).cast("string").alias("label")]
    wanted = Wanted(frequencies=("label",))
    if time is not None:
        require_time(df, time, where=_WHERE)
        columns.append(micros(time).alias("instant"))
        wanted |= Wanted(summary=("instant",))
    by_split = scan(df.select(*columns), Wanted(classes=((SPLIT, wanted),))).classes[SPLIT]
    return {split: _describe_split(by_split.get(split) or Statistics(wanted)) for split in SPLITS}


def _describe_split(statistics: Statistics) -> SplitCounts:
    """The record of the rows of one split."""
    labels = statistics.frequencies["label"]
    if labels.too_many:
        raise ConfigError(
            where=_WHERE,
            expected=f"a label of at most {MAX_DISTINCT:,} classes",
            found="more",
            remedy="Cut the label into fewer classes.",
        )
    counts = dict(sorted(labels.most_frequent(len(labels.counts))[0]))
    if labels.n_null:
        counts["null"] = counts.get("null", 0) + labels.n_null
    shares = {name: n / statistics.n_rows for name, n in counts.items()}
    record: SplitCounts = {"rows": statistics.n_rows, "classes": counts, "shares": shares}
    for times in statistics.summary.values():
        record["from"] = iso(int(times.min)) if times.n else None
        record["to"] = iso(int(times.max)) if times.n else None
    return record
