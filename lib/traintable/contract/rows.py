"""Hold rows to what the configuration promises of them; a row that breaks a promise gets a reason, never silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from traintable.columns import quote, require_columns
from traintable.config.promise import Promise
from traintable.contract.json_text import to_json
from traintable.contract.rules import Field, fields_of
from traintable.contract.spark_columns import check_column
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

REASONS, UNPARSED = "_reasons", "_unparsed"


def apply_contract(df: DataFrame, columns: Mapping[str, Promise], *, key: Sequence[str]) -> DataFrame:
    """Convert the declared columns, and add to `_reasons` (array of text) the promises that each row breaks.

    A reason is `type:<column>` (the value is not of the type; its text is kept in `_unparsed`, a map of column to
    text), `null:<column>` (a null in the key or in a column that is not nullable), `range:<column>` or
    `values:<column>`. A column with `on_invalid: null` gives no reason for the last two: such a value becomes null;
    for a range it also does in the fitted pipeline, for serving. A column that has the name of a promise's `source` is
    renamed. Rows are kept, and reasons that an earlier call gave stay. Costs no pass.

    Raises ConfigError for a declared column that `df` has not, and for a promise that a column of its type can't keep.
    """
    df = rename_sources(df, columns)
    require_columns(df, set(key), where="source.key")
    require_columns(df, set(columns), where="columns")
    of_key = {f"null:{name}": df[quote(name)].isNull() for name in key}
    reasons = [F.when(is_null, reason) for reason, is_null in of_key.items()]
    values: dict[str, Column] = {}
    unparsed: list[Column] = []
    for field, target in _fields(df, columns, key):
        column, kind = df[quote(field.name)], df.schema[field.name].dataType
        checked = check_column(df, column, kind, field, target)
        if checked.value is not column:
            values[field.name] = checked.value
        if checked.wrong_type is not None:
            text = F.make_valid_utf8(column.cast("string"))
            unparsed.append(F.when(checked.wrong_type, F.create_map(F.lit(field.name), text)))
        reasons += [F.when(where, reason) for where, (reason, _) in checked.violations if reason not in of_key]
    all_reasons = F.array_compact(F.array(*reasons)) if reasons else F.array().cast("array<string>")
    texts = F.map_concat(*[F.coalesce(text, _no_text()) for text in unparsed]) if unparsed else _no_text()
    if REASONS in df.columns:
        all_reasons, texts = F.concat(df[REASONS], all_reasons), F.map_concat(df[UNPARSED], texts)
    return df.withColumns({**values, REASONS: all_reasons, UNPARSED: texts})


def rename_sources(df: DataFrame, columns: Mapping[str, Promise]) -> DataFrame:
    """Give the columns that promises know as their `source` the names that they are promised under.

    Raises ConfigError where both are there, because either may be meant.
    """
    for name, promise in columns.items():
        if promise.source in (None, name) or promise.source not in df.columns:
            continue
        if name in df.columns:
            raise ConfigError(
                where=f"columns.{name}.source",
                expected=f"a table with a column '{promise.source}' to be renamed, or one with '{name}' already",
                found="a table with both",
                remedy="Remove `source`, or declare the column under another name.",
            )
        df = df.withColumnRenamed(promise.source, name)
    return df


def _fields(
    df: DataFrame, columns: Mapping[str, Promise], key: Sequence[str]
) -> Iterator[tuple[Field, DataType | None]]:
    """The declared columns, each with the type that is promised, if one is."""
    types = {name: df.schema[name].dataType.simpleString() for name in columns}
    fields = fields_of(columns, [name for name in key if name in columns], types=types)
    promised = [field for field in fields if field.promise.type is not None]
    targets = df.select(*(F.lit(None).cast(field.spark).alias(field.name) for field in promised)).schema
    for field in fields:
        yield field, targets[field.name].dataType if field.promise.type is not None else None


def mark_duplicates(df: DataFrame, key: Sequence[str]) -> DataFrame:
    """Leave at most one row a key: of equal rows all but one are `duplicate`, unequal ones are all `conflict`.

    Rows with a reason already are left alone. Costs one pass over the key columns, and another over the rows only when
    some key does repeat.
    """
    valid = F.size(REASONS) == 0
    names = [quote(name) for name in key]
    repeated = df.where(valid).groupBy(*names).agg(F.count("*").alias("__n")).where("__n > 1").drop("__n")
    if repeated.isEmpty():
        return df
    content = [c for c in df.columns if c not in (REASONS, UNPARSED)]
    image = to_json(F.struct(*[F.col(quote(c)) for c in content]))
    involved = df.where(valid).join(repeated, list(key), "left_semi").withColumn("__image", image)
    group = Window.partitionBy(*names)
    is_conflict = F.min("__image").over(group) != F.max("__image").over(group)
    rank = F.row_number().over(group.orderBy("__image"))
    ranked = involved.withColumns({"__conflict": is_conflict, "__rank": rank})
    kind = F.when(F.col("__conflict"), "conflict").when(F.col("__rank") > 1, "duplicate")
    marked = ranked.withColumn(REASONS, F.array_compact(F.array(kind)))
    alone = df.where(valid).join(repeated, list(key), "left_anti")
    columns = [quote(name) for name in alone.columns]
    return alone.unionByName(marked.select(*columns)).unionByName(df.where(~valid).select(*columns))


def _no_text() -> Column:
    return F.create_map().cast("map<string,string>")
