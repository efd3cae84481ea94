"""The rules of a contract carried out on columns of a DataFrame, without leaving Spark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import inf
from operator import or_
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from pyspark.sql import types as T

from traintable.contract.json_text import to_json
from traintable.contract.rules import FIRST, LAST, Field, Violation
from traintable.contract.spark_texts import parse_text

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_TEMPORAL = (T.DateType, T.TimestampType, T.TimestampNTZType)
_FAMILIES = (T.NumericType, _TEMPORAL, T.BooleanType, T.BinaryType)
_NESTED = (T.ArrayType, T.MapType, T.StructType, T.VariantType)


@dataclass(frozen=True)
class CheckedColumn:
    """A column that is held to its promise.

    Attributes
    ----------
    value : of the promised type; null where it is not of that type, or where a promise says so of a broken one.
    wrong_type : where a value is not of the type; None where each is.
    violations : where a row breaks the promise, in the order of the rules. A condition that is null does not hold.
    """

    value: Column
    wrong_type: Column | None
    violations: tuple[tuple[Column, Violation], ...]


def check_column(
    rows: DataFrame, column: Column, kind: T.DataType, field: Field, target: T.DataType | None, *, is_utf8: bool = False
) -> CheckedColumn:
    """`column` of `rows`, which is of type `kind`, held to the promise of `field`; costs no pass.

    A value is taken where it is one of the promised type without loss: 3.0 is a bigint, 3.5 is not. Texts are read as
    text files are.

    Parameters
    ----------
    target : the promised type; None where none is promised, so that no value is converted.
    is_utf8 : texts are known to be valid, so that they need no check.
    """
    value, wrong = (column, None) if target is None else _convert(rows, column, kind, field, target, is_utf8)
    violations = []
    if wrong is not None:
        is_text = isinstance(kind, T.StringType) or (field.is_temporal and kind == target)
        violations.append((wrong, field.text_rule if is_text else field.type_rule))
    if field.is_required:
        violations.append((column.isNull(), field.null_rule))
    broken = [(_is_outside(value, field), field.range_rule)] if field.has_range else []
    if field.promise.values:
        broken.append((_is_other(value, field), field.values_rule))
    if broken and field.becomes_null:
        is_broken = reduce(or_, (F.coalesce(condition, F.lit(False)) for condition, _ in broken))
        value = F.when(~is_broken, value)
        broken = []
    return CheckedColumn(value, wrong, (*violations, *broken))


def _convert(
    rows: DataFrame, column: Column, kind: T.DataType, field: Field, target: T.DataType, is_utf8: bool
) -> tuple[Column, Column | None]:
    """The values of a column as those of another type, and where there is one that is not of that type."""
    if isinstance(target, T.StringType):
        return _as_text(column, kind, is_utf8)
    if isinstance(target, _TEMPORAL):
        value, wrong = _as_type(rows, column, kind, field, target)
        far = ~value.between(_time(FIRST, target), _time(LAST, target))
        wrong = far if wrong is None else wrong | F.coalesce(far, F.lit(False))
        return F.when(~F.coalesce(far, F.lit(False)), value), wrong
    return _as_type(rows, column, kind, field, target)


def _as_text(column: Column, kind: T.DataType, is_utf8: bool) -> tuple[Column, Column | None]:
    if isinstance(kind, _NESTED):
        return to_json(column), None
    text = column.cast("string")
    if isinstance(kind, T.BinaryType) or (isinstance(kind, T.StringType) and not is_utf8):
        return F.try_validate_utf8(text), ~F.is_valid_utf8(text)
    return text, None


def _as_type(
    rows: DataFrame, column: Column, kind: T.DataType, field: Field, target: T.DataType
) -> tuple[Column, Column | None]:
    if kind.simpleString() == target.simpleString():
        return column, None
    if isinstance(kind, T.StringType):
        value = parse_text(column, field)
        return value, column.isNotNull() & value.isNull()
    value = column.try_cast(target)
    if not _are_alike(kind, target) or not _is_possible(rows, value):
        return F.lit(None).cast(target), column.isNotNull()
    if pa.types.is_floating(field.type) and _has_fractions(kind):  # the nearest number, if there is one
        return value, column.isNotNull() & (F.abs(value) == F.lit(inf)) & (F.abs(column) != F.lit(inf))
    return value, ~value.try_cast(kind).eqNullSafe(column)


def _are_alike(kind: T.DataType, target: T.DataType) -> bool:
    nested = isinstance(kind, _NESTED) and type(kind) is type(target)
    return nested or any(isinstance(kind, family) and isinstance(target, family) for family in _FAMILIES)


def _has_fractions(kind: T.DataType) -> bool:
    return isinstance(kind, (T.FloatType, T.DoubleType)) or (isinstance(kind, T.DecimalType) and kind.scale > 0)


def _is_possible(rows: DataFrame, value: Column) -> bool:
    try:
        rows.select(value)
    except AnalysisException:
        return False
    return True


def _time(text: str, kind: T.DataType) -> Column:
    return F.lit(f"{text}Z" if isinstance(kind, T.TimestampType) else text).cast(kind)


def _is_outside(value: Column, field: Field) -> Column:
    """Where a number is out of its range; NaN is out of each, and null where there is no value."""
    bounds = [None if bound is None else F.lit(bound) for bound in field.bounds]
    if pa.types.is_floating(field.type):  # the nearest float of 0.1 is not above 0.1
        bounds = [None if bound is None else bound.cast(field.spark) for bound in bounds]
    low, high = bounds
    ends = [F.isnan(value)] if pa.types.is_floating(field.type) else []
    ends += [] if low is None else [value < low]
    ends += [] if high is None else [value > high]
    return reduce(or_, ends, F.lit(False))


def _is_other(value: Column, field: Field) -> Column:
    """Where a value is none of those allowed; null where there is no value."""
    texts = field.allowed.cast(pa.string()).to_pylist()
    if pa.types.is_floating(field.type):
        value = value + F.lit(0.0).cast(field.spark)  # -0.0 equals 0.0
    return ~value.isin([F.lit(text).cast(field.spark) for text in texts])
