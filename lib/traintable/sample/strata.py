"""Strata: rows with the same values in some columns, a null being a value of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema, to_arrow_type
from pyspark.sql.types import StructType

from traintable.columns import quote
from traintable.errors import ConfigError, TraintableError
from traintable.sample.draw import null_safe_columns
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

Stratum = tuple[str | None, ...]  # the values as Spark writes them
STRATUM = "__stratum"
MAX_STRATA = 100_000


def population(df: DataFrame, by: Sequence[str], *, where: str) -> dict[Stratum, int]:
    """How many rows each stratum has, in the order of their values, nulls first; one scan of the columns `by`.

    Raises ConfigError beyond 100,000 strata.
    """
    if not by:
        n = df.count()
        return {(): n} if n else {}
    columns = tuple(by)
    counts = scan(df, Wanted(groups=(columns,))).groups[columns].counts
    return sort_strata(counts, by, where=where)


def sort_strata(counts: Mapping[Stratum, int], by: Sequence[str], *, where: str) -> dict[Stratum, int]:
    """Counts in the order of the strata's values, nulls first; ConfigError beyond 100,000 strata."""
    if len(counts) > MAX_STRATA:
        raise ConfigError(
            where=where,
            expected=f"at most {MAX_STRATA:,} strata",
            found=f"{len(counts):,} different values of {', '.join(by)}",
            remedy="Cut numbers into bins and merge rare values, or draw from each group with `sample.reservoir`.",
        )
    return dict(sorted(counts.items(), key=lambda pair: [(word is not None, word or "") for word in pair[0]]))


def with_values(
    df: DataFrame,
    by: Sequence[str],
    values: Mapping[Stratum, Sequence[Any]],
    schema: str,
    *,
    how: Literal["inner", "left"] = "inner",
    among: Column | None = None,
    numbers: Mapping[Stratum, int] | None = None,
) -> DataFrame:
    """The rows of those strata that have values, with these and a number of the stratum, `__stratum`, added.

    `schema` names and types the values: "n long, share double". Without `by` all rows are one stratum. With "left" all
    rows stay, as in a join; those that `among` excludes have no stratum. `numbers` are those of the strata, if the
    caller knows them. Costs no pass and no shuffle: the values are sent to where the rows are.
    """
    from pyspark.sql import functions as F

    names = [column.split()[0] for column in schema.split(",")]
    if not by:
        constants = values.get((), None)
        rows = df if constants is not None else df.where("false")
        kinds = [column.split()[1] for column in schema.split(",")]
        literals = dict(zip(names, constants or [None] * len(names), strict=True))
        added = {name: F.lit(literals[name]).cast(kind) for name, kind in zip(names, kinds, strict=True)}
        return rows.withColumns({STRATUM: F.lit(0).cast("long"), **added})
    if numbers is None:
        numbers = number_strata(df, by, list(values))
    table_rows = [(numbers[stratum], *row) for stratum, row in values.items()]
    table = small_table(df.sparkSession, table_rows, f"{STRATUM} long, {schema}")
    number = stratum_number(by) if among is None else F.when(among, stratum_number(by))
    return df.withColumn(STRATUM, number).join(F.broadcast(table), STRATUM, how)


def small_table(spark: SparkSession, rows: Sequence[Sequence[Any]], schema: str) -> DataFrame:
    """Rows of the driver as a DataFrame, handed over as Arrow, which needs no Python worker."""
    kinds = cast(StructType, StructType.fromDDL(schema))
    arrow = to_arrow_schema(kinds)
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, arrow, strict=True)]
    return spark.createDataFrame(pa.Table.from_arrays(arrays, schema=arrow), kinds)


def as_strata(df: DataFrame, by: Sequence[str], counts: Mapping[Any, int], *, where: str) -> dict[Stratum, int]:
    """Counts by strata that are given as Python values, alone or in a tuple, or as their text; None is null.

    Raises ConfigError for what can't be a stratum of `by`.
    """
    keys = [key if isinstance(key, tuple) else (key,) for key in counts]
    wrong = [key for key in keys if len(key) != len(by)]
    if wrong:
        raise ConfigError(
            where=where,
            expected=f"strata of {len(by)} values, of {', '.join(by)}",
            found=repr(wrong[0]),
            remedy="Give a tuple of values, one for each column of `by`.",
        )
    texts = [_as_texts(df, name, [key[i] for key in keys], where) for i, name in enumerate(by)]
    strata = [tuple(column[j] for column in texts) for j in range(len(keys))]
    if len(set(strata)) < len(strata):
        raise ConfigError(
            where=where,
            expected="each stratum once",
            found="one of them twice",
            remedy="A value and its text are the same stratum: name it once.",
        )
    return dict(zip(strata, counts.values(), strict=True))


def _as_texts(df: DataFrame, name: str, values: Sequence[Any], where: str) -> list[str | None]:
    """Values of a column as Spark writes them; no job."""
    from pyspark.sql import functions as F

    others = [value for value in values if value is not None and not isinstance(value, str)]
    if not others:
        return list(values)
    kind = df.schema[name].dataType
    try:
        array = pa.array(list(map(str, others)) if kind.simpleString() == "string" else others, to_arrow_type(kind))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise ConfigError(
            where=where,
            expected=f"values of column '{name}' ({kind.simpleString()}), or their text",
            found=f"a value that is neither ({error})",
            remedy="Write the strata as the column has their values.",
        ) from error
    table = df.sparkSession.createDataFrame(pa.table({"value": array}))
    written = iter(table.select(F.col("value").cast("string")).toArrow().column(0).to_pylist())  # as many as given
    return [value if value is None or isinstance(value, str) else next(written) for value in values]


def stratum_number(by: Sequence[str]) -> Column:
    """A 64-bit number that rows of one stratum share."""
    from pyspark.sql import functions as F

    return F.xxhash64(*null_safe_columns(F.col(quote(name)).cast("string") for name in by))


def number_strata(df: DataFrame, by: Sequence[str], strata: Sequence[Stratum]) -> dict[Stratum, int]:
    """The number that `stratum_number` gives each of the strata; no job, for Spark computes it as it plans."""
    names = [f"s{i}" for i in range(len(by))]
    columns = {name: pa.array([stratum[i] for stratum in strata], pa.string()) for i, name in enumerate(names)}
    rows = df.sparkSession.createDataFrame(pa.table(columns)).select(stratum_number(names))
    numbers = rows.toArrow().column(0).to_pylist()  # one row a stratum
    if len(set(numbers)) != len(strata):
        raise TraintableError(
            where=f"columns {', '.join(by)}",
            expected="strata whose 64-bit hashes differ",
            found="two with the same hash",
            remedy="Add one more column to the strata; it may be constant.",
        )
    return dict(zip(strata, numbers, strict=True))
