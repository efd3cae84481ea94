"""What is promised of the columns of a landed table, in the terms of Arrow, and which rows break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from math import ceil, floor, inf
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.config.ingest import Column as Promise
from traintable.contract.types import arrow_type, spark_type
from traintable.errors import ConfigError

_WIDE = pa.decimal256(76, 38)  # which holds all decimals of Spark's
Why = list[tuple[str, str]]  # (reason, rule) for all that is wrong with a row
Reasons = dict[int, Why]  # row -> why it is bad


@dataclass(frozen=True)
class Field:
    """A column of the landed table.

    Attributes
    ----------
    type : of Arrow; `spark` as Spark writes it.
    promise : what must hold of its values.
    is_key : whether it tells rows apart, so that it must have a value.
    """

    name: str
    type: pa.DataType
    spark: str
    promise: Promise
    is_key: bool = False

    @property
    def source(self) -> str:
        """What it is called in the source."""
        return self.promise.source or self.name

    @property
    def is_moment(self) -> bool:
        """Whether it is a time or a date, which text files give as text."""
        return bool(pa.types.is_timestamp(self.type) or pa.types.is_date(self.type))

    @property
    def must_be_there(self) -> bool:
        """Whether a null breaks the promise."""
        return self.is_key or not self.promise.nullable

    @property
    def allowed(self) -> list[str]:
        """The values that may be there, as text."""
        return [str(value) for value in self.promise.values]

    @property
    def null_rule(self) -> tuple[str, str]:
        """The reason against a null, and the rule that it breaks."""
        return f"null:{self.name}", f"{self.name} is not null"

    @property
    def type_rule(self) -> tuple[str, str]:
        """The reason against a value that is none of the type."""
        return f"type:{self.name}", f"{self.name} is a {self.spark}"

    @property
    def range_rule(self) -> tuple[str, str]:
        """The reason against a value out of range."""
        low, high = (
            f"{bound:g}" if isinstance(bound, float) else bound for bound in (self.promise.min, self.promise.max)
        )
        if low is not None and high is not None:
            rule = f"{self.name} between {low} and {high}"
        else:
            rule = f"{self.name} >= {low}" if low is not None else f"{self.name} <= {high}"
        return f"range:{self.name}", rule

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest number that may be there, exact for the type; None where there is no bound."""
        low, high = self.promise.min, self.promise.max
        if pa.types.is_integer(self.type):
            return None if low is None else ceil(low), None if high is None else floor(high)
        exact = (lambda bound: Decimal(str(bound))) if pa.types.is_decimal(self.type) else float
        return None if low is None else exact(low), None if high is None else exact(high)

    @property
    def values_rule(self) -> tuple[str, str]:
        """The reason against a value that is not allowed."""
        return f"values:{self.name}", f"{self.name} in ({', '.join(self.allowed)})"

    @property
    def read_as(self) -> pa.DataType:
        """The type that a parser is asked for."""
        return pa.string() if self.is_moment else self.type


def fields_of(columns: Mapping[str, Promise], key: Sequence[str] = ()) -> tuple[Field, ...]:
    """The columns of a configuration; ConfigError for a type, a bound or a key that can't be."""
    for name in key:
        if name not in columns:
            raise ConfigError(
                where="key", expected="a declared column", found=f"'{name}'", remedy="Add it to `columns`."
            )
    return tuple(_field(name, promise, name in key) for name, promise in columns.items())


def _field(name: str, promise: Promise, is_key: bool) -> Field:
    try:
        kind = arrow_type(promise.type)
    except ValueError as error:
        raise ConfigError(
            where=f"columns.{name}.type",
            expected="a type as Spark writes it, such as bigint, decimal(10,2), timestamp or array<string>",
            found=repr(promise.type),
            remedy="Correct it.",
        ) from error
    found = Field(name, kind, spark_type(kind), promise, is_key)
    is_number = pa.types.is_integer(found.type) or pa.types.is_floating(found.type) or pa.types.is_decimal(found.type)
    if (promise.min, promise.max) != (None, None) and not is_number:
        raise ConfigError(
            where=f"columns.{name}", expected="min and max of a number", found=found.spark, remedy="Remove them."
        )
    limit = 2**63 - 1 if pa.types.is_integer(found.type) else 10**38 - 1 if pa.types.is_decimal(found.type) else inf
    beyond = next((b for b in (promise.min, promise.max) if b is not None and abs(b) > limit), None)
    if beyond is not None:
        raise ConfigError(
            where=f"columns.{name}",
            expected=f"bounds that a {found.spark} can have",
            found=str(beyond),
            remedy="Remove it.",
        )
    if promise.format is not None and "%Z" in promise.format:
        raise ConfigError(
            where=f"columns.{name}.format",
            expected="offsets as %z, for the names of zones are not the same everywhere",
            found=repr(promise.format),
            remedy="Let the source write offsets, or times of one zone (`source.time_zone`).",
        )
    if promise.format is not None and not found.is_moment:
        raise ConfigError(
            where=f"columns.{name}", expected="a format of a date or time", found=found.spark, remedy="Remove it."
        )
    return found


def broken(fields: Sequence[Field], columns: Sequence[pa.Array], reasons: Reasons) -> None:
    """Add to `reasons` what the values break: nulls that may not be, values out of range or not allowed."""
    for field, values in zip(fields, columns, strict=True):
        promise = field.promise
        if field.must_be_there:
            _add(reasons, pc.is_null(values), field.null_rule)
        if (promise.min, promise.max) != (None, None):
            _add(reasons, _outside(values, *field.bounds), field.range_rule)
        if promise.values:
            known = pc.or_kleene(pc.is_in(values.cast(pa.string()), pa.array(field.allowed)), pc.is_null(values))
            _add(reasons, pc.invert(known), field.values_rule)


def _outside(values: pa.Array, low: Any, high: Any) -> pa.Array:
    """Where a number is outside its range; NaN is outside each, null none."""
    if pa.types.is_decimal(values.type):
        values = values.cast(_WIDE)
    kind = pa.int64() if pa.types.is_integer(values.type) else values.type
    outside = pc.is_nan(values) if pa.types.is_floating(kind) else pa.array(np.zeros(len(values), bool))
    if low is not None:
        outside = pc.or_(outside, pc.less(values, _bound(low, kind, ROUND_CEILING)))
    if high is not None:
        outside = pc.or_(outside, pc.greater(values, _bound(high, kind, ROUND_FLOOR)))
    return pc.fill_null(outside, False)


def _bound(bound: Any, kind: pa.DataType, rounding: str) -> pa.Scalar:
    if isinstance(bound, Decimal):
        with localcontext(Context(prec=76)):
            bound = bound.quantize(Decimal(1).scaleb(-_WIDE.scale), rounding=rounding)
    return pa.scalar(bound, pa.float64() if pa.types.is_floating(kind) else kind)


def _add(reasons: Reasons, where: pa.Array, why: tuple[str, str]) -> None:
    for row in np.flatnonzero(where.to_numpy(zero_copy_only=False)).tolist():
        reasons.setdefault(row, []).append(why)


def plain_value(value: Any) -> str:
    """A value as it stands in a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
