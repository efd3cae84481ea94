"""Joins that add columns and never rows: by key, and to the last observation before a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType

from traintable.columns import quote
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def require_unique(tables: Mapping[str, tuple[DataFrame, Sequence[str]]]) -> None:
    """Check that each table has every key once; the values are pairs (table, key columns).

    Raises ConfigError that shows some keys. Costs one pass over the key columns, in one job for all tables.

    >>> planes = spark.sql("SELECT * FROM VALUES ('N1', 2001), ('N1', 2002) AS t(tailnum, year)")
    >>> require_unique({"planes": (planes, ["tailnum"])})
    Traceback (most recent call last):
    traintable.errors.ConfigError: join 'planes': expected each key once in the joined table, so that no row is
    multiplied, found {"tailnum":"N1"} x 2. Join on more columns, narrow the table with `where`, or use `asof`.
    """
    repeated = [
        df.where(_all_present(df, key))
        .groupBy(*[df[quote(c)] for c in key])
        .agg(F.count("*").alias("__n"))
        .where("__n > 1")
        .select(F.lit(name).alias("name"), _as_json(key).alias("key"), F.col("__n").alias("n"))
        for name, (df, key) in tables.items()
    ]
    if not repeated:
        return
    union = repeated[0]
    for df in repeated[1:]:
        union = union.unionByName(df)
    examples = union.limit(3).collect()
    if examples:
        raise ConfigError(
            where=f"join '{examples[0]['name']}'",
            expected="each key once in the joined table, so that no row is multiplied",
            found=", ".join(f"{row['key']} x {row['n']}" for row in examples),
            remedy="Join on more columns, narrow the table with `where`, or use `asof`.",
        )


def lookup_join(
    left: DataFrame, right: DataFrame, *, name: str, on: Mapping[str, str], columns: Sequence[str]
) -> DataFrame:
    """Add `columns` of `right` as `<name>_<column>` where the keys are equal; rows without a partner get nulls.

    `on` maps columns of `left` to those of `right`, which must be unique there (`require_unique`). Costs no pass by
    itself; a small `right` is broadcast.

    >>> flights = spark.sql("SELECT * FROM VALUES (1, 'N1'), (2, 'N2') AS t(id, tailnum)")
    >>> planes = spark.sql("SELECT 'N1' AS tail, 2001 AS year")
    >>> lookup_join(flights, planes, name="plane", on={"tailnum": "tail"}, columns=["year"]).show()
    +---+-------+----------+
    | id|tailnum|plane_year|
    +---+-------+----------+
    |  1|     N1|      2001|
    |  2|     N2|      NULL|
    +---+-------+----------+
    """
    _require_same_types(left, right, on, name)
    keys = {f"__{name}_{i}": target for i, target in enumerate(on.values())}
    renamed = right.where(_all_present(right, list(on.values()))).select(
        *[right[quote(target)].alias(key) for key, target in keys.items()],
        *[right[quote(column)].alias(f"{name}_{column}") for column in columns],
    )
    same = [left[quote(source)] == renamed[key] for source, key in zip(on, keys, strict=True)]
    return left.join(renamed, same, "left").drop(*keys)


def asof_join(
    left: DataFrame,
    right: DataFrame,
    *,
    name: str,
    on: Mapping[str, str],
    left_time: str,
    right_time: str,
    tolerance_seconds: int,
    columns: Sequence[str],
) -> DataFrame:
    """Add `columns` of the last row of `right` at or before `left_time` and at most `tolerance_seconds` older.

    Never a later one, as `pandas.merge_asof(direction="backward")`. Of several right rows with one time the greatest
    in the order of `columns` is taken, so the result does not depend on the order of rows. Rows keep their number.

    Time is cut into buckets as long as the tolerance; a right row belongs to its own bucket and the next, so a
    left row has all its candidates in one bucket and an ordinary equality join does the rest: no sort of the left
    rows, no window, no skew by key. Costs one shuffle of `right` (a broadcast, when it is small).

    >>> flights = spark.sql("SELECT * FROM VALUES (1, 'JFK', 900), (2, 'JFK', 9000) AS t(id, origin, departs)")
    >>> weather = spark.sql("SELECT * FROM VALUES ('JFK', 600, 4.5), ('JFK', 901, 5.0) AS t(origin, observed, temp)")
    >>> on, times = {"origin": "origin"}, {"left_time": "departs", "right_time": "observed"}
    >>> asof_join(flights, weather, name="w", on=on, **times, tolerance_seconds=3600, columns=["temp"]).show()
    +---+------+-------+------+
    | id|origin|departs|w_temp|
    +---+------+-------+------+
    |  1|   JFK|    900|   4.5|
    |  2|   JFK|   9000|  NULL|
    +---+------+-------+------+
    """
    _require_same_types(left, right, on, name)
    candidates, bucket = f"__{name}", f"__{name}_bucket"
    keys = {f"__{name}_{i}": target for i, target in enumerate(on.values())}
    observed = right[quote(right_time)].cast("timestamp")
    by_bucket = right.where(_all_present(right, [*on.values(), right_time])).select(
        *[right[quote(target)].alias(key) for key, target in keys.items()],
        F.struct(observed.alias("time"), *[right[quote(c)].alias(f"c{i}") for i, c in enumerate(columns)]).alias("row"),
        F.explode(F.array(*[_bucket(observed, tolerance_seconds) + F.lit(i) for i in (0, 1)])).alias(bucket),
    )
    grouped = by_bucket.groupBy(*keys, bucket).agg(F.sort_array(F.collect_list("row")).alias(candidates))
    time = left[quote(left_time)].cast("timestamp")
    same = [left[quote(source)] == grouped[key] for source, key in zip(on, keys, strict=True)]
    same.append(_bucket(time, tolerance_seconds) == grouped[bucket])
    oldest = time - F.make_dt_interval(secs=F.lit(tolerance_seconds))
    eligible = F.filter(grouped[candidates], lambda row: (row["time"] <= time) & (row["time"] >= oldest))
    joined = left.join(grouped, same, "left").withColumn(candidates, F.try_element_at(eligible, F.lit(-1)))
    added = {f"{name}_{column}": F.col(candidates)[f"c{i}"] for i, column in enumerate(columns)}
    return joined.withColumns(added).drop(*keys, bucket, candidates)


def _bucket(time: Column, seconds: int) -> Column:
    return F.floor(F.unix_micros(time) / F.lit(max(seconds, 1) * 1_000_000))


def _require_same_types(left: DataFrame, right: DataFrame, on: Mapping[str, str], name: str) -> None:
    """Types that Spark would have to convert may make keys equal that differ, as '1' and '01' do."""
    for source, target in on.items():
        kinds = [df.schema[column].dataType for df, column in ((left, source), (right, target))]
        if kinds[0] != kinds[1] and not all(isinstance(kind, IntegralType) for kind in kinds):
            raise ConfigError(
                where=f"join '{name}'",
                expected="keys of the same type",
                found=f"'{source}' of type {kinds[0].simpleString()}, '{target}' of type {kinds[1].simpleString()}",
                remedy="Declare the `type` of the first in `columns`, or join a view that casts the second.",
            )


def _as_json(names: Sequence[str]) -> Column:
    return F.to_json(F.struct(*[F.col(quote(name)) for name in names]))


def _all_present(df: DataFrame, names: Sequence[str]) -> Column:
    present = F.lit(True)
    for name in names:
        present = present & df[quote(name)].isNotNull()
    return present
