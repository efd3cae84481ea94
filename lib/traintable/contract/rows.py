"""Hold rows to what the configuration promises of them; a row that breaks a promise gets a reason, never silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from traintable.columns import quote, require_columns
from traintable.config.dataset import Column as Promise
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

REASONS, UNPARSED = "_reasons", "_unparsed"
# Rows as JSON text with nothing left out: nulls by name, times to the microsecond.
AS_JSON = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
_TYPE_NAMES = {"integer": "int", "long": "bigint"}


def apply_contract(df: DataFrame, columns: Mapping[str, Promise], *, key: Sequence[str]) -> DataFrame:
    """Cast the declared columns, and add to `_reasons` (array of text) the promises that each row breaks.

    A reason is `null:<column>` (a null in the key or in a column that is not nullable), `type:<column>` (the value
    does not parse; its text is kept in `_unparsed`, a map of column to text) or `range:<column>`. The range of a
    column with `on_invalid: null` gives no reason: such a value becomes null, and so it does in the fitted
    pipeline, for serving. Rows are kept, and what an earlier call found stays. Costs no pass.

    Raises ConfigError for a declared column that `df` has not.
    """
    require_columns(df, set(key), where="source.key")
    require_columns(df, set(columns), where="columns")
    reasons = [F.when(df[quote(name)].isNull(), f"null:{name}") for name in key]
    cast: dict[str, Column] = {}
    unparsed: list[Column] = []
    for name, promise in columns.items():
        value = df[quote(name)]
        if promise.type and not _is_type(df, name, promise.type):
            cast[name] = value.try_cast(promise.type)
            failed = value.isNotNull() & (cast[name].isNull() | _is_cut(df, name, promise.type, value))
            reasons.append(F.when(failed, f"type:{name}"))
            unparsed.append(F.when(failed, F.create_map(F.lit(name), value.cast("string"))))
        if not promise.nullable and name not in key:
            reasons.append(F.when(value.isNull(), f"null:{name}"))
        if (promise.min, promise.max) != (None, None):
            _require_number(df, name, promise)
            within = _within(cast.get(name, value), promise)
            if promise.on_invalid == "quarantine":
                reasons.append(F.when(~within, f"range:{name}"))
            else:
                cast[name] = F.when(within, cast.get(name, value))
    found = F.array_compact(F.array(*reasons)) if reasons else F.array().cast("array<string>")
    texts = F.map_concat(*[F.coalesce(one, _no_text()) for one in unparsed]) if unparsed else _no_text()
    if REASONS in df.columns:
        found, texts = F.concat(df[REASONS], found), F.map_concat(df[UNPARSED], texts)
    return df.withColumns({**cast, REASONS: found, UNPARSED: texts})


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
    image = F.to_json(F.struct(*[F.col(quote(c)) for c in content]), AS_JSON)
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


def _within(value: Column, promise: Promise) -> Column:
    """Whether a value lies in the declared range; null where there is no value."""
    within = ~F.isnan(value)
    if promise.min is not None:
        within = within & (value >= F.lit(promise.min))
    if promise.max is not None:
        within = within & (value <= F.lit(promise.max))
    return within


def _require_number(df: DataFrame, name: str, promise: Promise) -> None:
    kind = df.schema[name].dataType
    if promise.type is None and not isinstance(kind, NumericType):
        raise ConfigError(
            where=f"columns.{name}",
            expected="a number, for it has min or max",
            found=f"a column of type {kind.simpleString()}",
            remedy="Declare its `type`, or remove the bounds.",
        )


def _is_cut(df: DataFrame, name: str, declared: str, value: Column) -> Column:
    """Whether casting a number to whole numbers would lose its fraction."""
    fractional = df.schema[name].dataType.typeName() in ("float", "double", "decimal")
    return value != F.floor(value) if fractional and declared in ("int", "bigint") else F.lit(False)


def _no_text() -> Column:
    return F.create_map().cast("map<string,string>")


def _is_type(df: DataFrame, name: str, declared: str) -> bool:
    found = df.schema[name].dataType.typeName()
    return _TYPE_NAMES.get(found, found) == declared
