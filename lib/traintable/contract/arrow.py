"""The rules of a contract carried out on columns of Arrow, whose values are of the promised types already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.contract.rules import FIRST, LAST, Field, Violation

Reasons = dict[int, list[Violation]]  # row -> all that is wrong with it


def check_columns(fields: Sequence[Field], columns: Sequence[pa.Array], reasons: Reasons) -> list[pa.Array]:
    """The columns, with the violations of each row added to `reasons`.

    A date or time that not every reader of a table can hold becomes null, and so does a value out of range, or not
    among those allowed, where the promise says so.
    """
    return [_check_column(field, values, reasons) for field, values in zip(fields, columns, strict=True)]


def _check_column(field: Field, values: pa.Array, reasons: Reasons) -> pa.Array:
    far = _beyond_calendar(values) if field.is_temporal else None
    if far is not None:
        _add(reasons, far, field.text_rule)
    if field.is_required:
        _add(reasons, pc.is_null(values), field.null_rule)
    if far is not None:
        values = _null_where(far, values)
    broken = [(_is_outside(values, *field.bounds), field.range_rule)] if field.has_range else []
    if field.promise.values:
        broken.append((_is_other(values, field.allowed), field.values_rule))
    for where, violation in broken:
        if field.becomes_null:
            values = _null_where(where, values)
        else:
            _add(reasons, where, violation)
    return values


def _null_where(where: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(where, pa.scalar(None, values.type), values)


def _beyond_calendar(values: pa.Array) -> pa.Array | None:
    """Where a date or time is before the year 1 or after 9999; None where all are between."""
    first, last = (_time(text, values.type) for text in (FIRST, LAST))
    ends = pc.min_max(values)
    least, greatest = ends["min"], ends["max"]
    if not least.is_valid or not (pc.less(least, first).as_py() or pc.greater(greatest, last).as_py()):
        return None
    return pc.fill_null(pc.or_(pc.less(values, first), pc.greater(values, last)), False)


def _time(text: str, kind: pa.DataType) -> pa.Scalar:
    time = pa.scalar(text).cast(pa.timestamp("us"))
    return pc.assume_timezone(time, "UTC") if pa.types.is_timestamp(kind) and kind.tz else time.cast(kind, safe=False)


def _is_outside(values: pa.Array, low: Any, high: Any) -> pa.Array:
    """Where a number is out of its range; NaN is out of each, null of none."""
    kind = values.type
    outside = pc.is_nan(values) if pa.types.is_floating(kind) else pa.array(np.zeros(len(values), bool))
    if low is not None:
        outside = pc.or_(outside, pc.less(values, _bound(low, kind)))
    if high is not None:
        outside = pc.or_(outside, pc.greater(values, _bound(high, kind)))
    return pc.fill_null(outside, False)


def _bound(bound: Any, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_integer(kind):
        return pa.scalar(bound, pa.int64())
    return pa.scalar(bound, pa.decimal256(76, kind.scale) if pa.types.is_decimal(kind) else kind)


def _is_other(values: pa.Array, allowed: pa.Array) -> pa.Array:
    """Where a value is none of those allowed; null is allowed."""
    if pa.types.is_floating(values.type):
        values = pc.add(values, pa.scalar(0.0, values.type))  # -0.0 equals 0.0
    return pc.invert(pc.or_(pc.is_in(values, allowed), pc.is_null(values)))


def _add(reasons: Reasons, where: pa.Array, violation: Violation) -> None:
    for row in np.flatnonzero(where.to_numpy(zero_copy_only=False)).tolist():
        reasons.setdefault(row, []).append(violation)


def plain_value(value: Any) -> str:
    """A value as it stands in a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
