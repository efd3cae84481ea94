"""Rows whose values have types, held against the contract by SQL, without leaving Spark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from pyspark.sql import types as T

from traintable.columns import quote
from traintable.contract.arrow import Field
from traintable.contract.record_columns import BLOCK, FILE, PLACE, RAW

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

WRONG = "_wrong"
_TOLD = f"struct<{RAW}: string, {BLOCK}: bigint, {PLACE}: bigint, _reasons: array<string>, _rules: array<string>>"
_FAMILIES = (T.NumericType, (T.DateType, T.TimestampType, T.TimestampNTZType), T.BooleanType, T.BinaryType)
_NESTED = (T.ArrayType, T.MapType, T.StructType, T.VariantType)
# Dates and times that every reader of the table can hold.
_FIRST, _LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"
_AS_JSON = {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_AS_JSON |= {"timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}


def checked(
    rows: DataFrame,
    names: Sequence[str],
    fields: Sequence[Field],
    *,
    drift: str | None = None,
    kept: str | None = None,
    is_utf8: bool = False,
) -> DataFrame:
    """The rows as those of the landed table: the columns of `fields`, `_file`, and what is wrong with a row.

    A value is taken where it is one of the promised type without loss: 3.0 is a bigint, 3.5 is none. Texts become
    what `try_cast` makes of them. Of a bad row `_wrong` has the whole row as JSON (`_raw`), where it is (`_block`,
    `_place`), the reasons and the rules; of a good one it is null. Costs no pass by itself.

    Parameters
    ----------
    rows : the columns `names`, in that order and whatever they are called, then `_file`, `_block` and `_place`.
    drift : a column that nobody has declared, for which all rows are to be kept apart.
    kept : a column that is left out of `_raw` because it is large.
    is_utf8 : texts are known to be valid, so that nobody need look.
    """
    plain = rows.toDF(*(f"_{i}" for i in range(len(names))), FILE, BLOCK, PLACE)
    targets = plain.select(*(F.lit(None).cast(f.spark) for f in fields)).schema.fields
    values, reasons = [], [] if drift is None else [(F.lit(True), (f"drift:{drift}", "declared columns only"))]
    for field, target in zip(fields, targets, strict=True):
        if field.source in names:
            place = names.index(field.source)
            value, wrong = _taken(plain, f"_{place}", plain.schema[place].dataType, target.dataType, is_utf8=is_utf8)
        else:
            value, wrong = F.lit(None).cast(field.spark), None
        values.append(value.alias(field.name))
        if wrong is not None:
            reasons.append((wrong, field.type_rule))
        reasons += _broken(value, wrong, field)
    raw = F.to_json(F.struct(*(F.col(f"_{i}").alias(name) for i, name in enumerate(names) if name != kept)), _AS_JSON)
    return plain.select(*values, FILE, _told(reasons, raw).alias(WRONG))


def _taken(
    rows: DataFrame, name: str, kind: T.DataType, target: T.DataType, *, is_utf8: bool
) -> tuple[Column, Column | None]:
    """The value of a column as one of another type, and where there is one that is none of that type."""
    column = F.col(name)
    if isinstance(target, T.StringType):
        if isinstance(kind, _NESTED):
            return F.to_json(column, _AS_JSON), None
        text = column.cast("string")
        if isinstance(kind, T.BinaryType) or (isinstance(kind, T.StringType) and not is_utf8):
            return F.try_validate_utf8(text), ~F.is_valid_utf8(text)
        return text, None
    if kind.simpleString() == target.simpleString():
        return column, _is_far(column, kind)
    value = column.try_cast(target)
    if isinstance(kind, T.StringType):
        return value, column.isNotNull() & value.isNull()
    if not _are_alike(kind, target) or not _is_possible(rows, value):
        return F.lit(None).cast(target), column.isNotNull()
    return value, ~value.try_cast(kind).eqNullSafe(column)


def _are_alike(kind: T.DataType, target: T.DataType) -> bool:
    nested = isinstance(kind, _NESTED) and type(kind) is type(target)
    return nested or any(isinstance(kind, family) and isinstance(target, family) for family in _FAMILIES)


def _is_possible(rows: DataFrame, value: Column) -> bool:
    try:
        rows.select(value)
    except AnalysisException:
        return False
    return True


def _is_far(column: Column, kind: T.DataType) -> Column | None:
    if not isinstance(kind, (T.DateType, T.TimestampType, T.TimestampNTZType)):
        return None
    return ~column.between(F.lit(_FIRST).cast(kind), F.lit(_LAST).cast(kind))


def _broken(value: Column, wrong: Column | None, field: Field) -> list[tuple[Column, tuple[str, str]]]:
    """Where a value breaks the promise, and how; null conditions do not hold."""
    promise, found = field.promise, []
    if field.must_be_there:
        found.append(
            (value.isNull() if wrong is None else value.isNull() & ~F.coalesce(wrong, F.lit(False)), field.null_rule)
        )
    low, high = field.bounds
    outside = [] if low is None else [value < F.lit(low)]
    outside += [] if high is None else [value > F.lit(high)]
    if outside:
        outside += [F.isnan(value)] if field.spark in ("double", "float") else []
        found.append((reduce(lambda one, other: one | other, outside), field.range_rule))
    if promise.values:
        found.append((~value.cast("string").isin(field.allowed), field.values_rule))
    return found


def _told(reasons: Sequence[tuple[Column, tuple[str, str]]], raw: Column) -> Column:
    """What is told of a row that is bad; null of one that is good, for which it costs the conditions alone."""
    if not reasons:
        return F.lit(None).cast(_TOLD)
    holds = [F.coalesce(condition, F.lit(False)) for condition, _ in reasons]
    why = [
        F.array_compact(
            F.array(*(F.when(one, F.lit(texts[part])) for one, (_, texts) in zip(holds, reasons, strict=True)))
        )
        for part in (0, 1)
    ]
    told = F.struct(raw.alias(RAW), BLOCK, PLACE, why[0].alias("_reasons"), why[1].alias("_rules"))
    return F.when(reduce(lambda one, other: one | other, holds), told)


def bad(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """What is told of the bad ones among checked rows, each in a column of its own; `names` are their source's."""
    told = (f"{WRONG}.{quote(name)}" for name in (RAW, BLOCK, PLACE, "_reasons", "_rules"))
    more = {"_names": F.array(*map(F.lit, names)), "_bytes": F.lit(None).cast("binary")}
    return rows.where(F.col(WRONG).isNotNull()).select(FILE, *told).withColumns(more)
