"""What each part of a split holds, for the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, quote, require_columns
from traintable.errors import ConfigError
from traintable.statistics import Statistics, Wanted, scan
from traintable.statistics.frequencies import MAX_DISTINCT
from traintable.temporal.instants import iso, micros, require_time

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "split.describe"


def describe(df: DataFrame, label: str, time: str | None = None) -> dict[str, dict[str, Any]]:
    """For each part its `rows`, the rows and shares of each class of `label`, and the first and last `time`.

    Parts without rows are told too, rows without a part are not. A null label is the class "null". Times are ISO 8601
    in UTC, `from` and `to`; they are left out without `time`. Costs one narrow scan. Raises ConfigError for more than
    200,000 classes.
    """
    require_columns(df, {SPLIT, label}, where=_WHERE)
    columns = [F.col(SPLIT), F.col(quote(label)).cast("string").alias("label")]
    wanted = Wanted(frequencies=("label",))
    if time is not None:
        require_time(df, time, where=_WHERE)
        columns.append(micros(time).alias("moment"))
        wanted |= Wanted(summary=("moment",))
    by_split = scan(df.select(*columns), Wanted(classes=((SPLIT, wanted),))).classes[SPLIT]
    return {split: _describe_split(by_split.get(split) or Statistics(wanted)) for split in SPLITS}


def _describe_split(statistics: Statistics) -> dict[str, Any]:
    """One part."""
    labels = statistics.frequencies["label"]
    if labels.too_many:
        raise ConfigError(
            where=_WHERE,
            expected=f"at most {MAX_DISTINCT:,} classes",
            found="more",
            remedy="Cut the label into classes.",
        )
    counts = dict(sorted(labels.most_frequent(len(labels.counts))[0]))
    if labels.n_null:
        counts["null"] = counts.get("null", 0) + labels.n_null
    shares = {name: n / statistics.n_rows for name, n in counts.items()}
    described: dict[str, Any] = {"rows": statistics.n_rows, "classes": counts, "shares": shares}
    for moment in statistics.summary.values():
        described["from"] = iso(int(moment.min)) if moment.n else None
        described["to"] = iso(int(moment.max)) if moment.n else None
    return described
