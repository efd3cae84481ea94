"""The rules that follow from the promises of columns: what is checked, in which order, and the reason against a row.

Two engines carry them out: `arrow` on batches of parsed records, `spark_columns` on columns of a DataFrame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from traintable.config.promise import Promise
from traintable.config.types import arrow_type, spark_type
from traintable.contract.bounds import Bounds, exact_bounds, largest_bound
from traintable.contract.values import typed_values
from traintable.errors import ConfigError

# The first and the last date or time that every reader of a table can hold.
FIRST, LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"


class Violation(NamedTuple):
    """Why a row is bad: the reason, a word and the column such as "range:x", and the rule that the row breaks."""

    reason: str
    rule: str


@dataclass(frozen=True)
class Field:
    """A column and its rules, which are checked in this order: type, null, range, values.

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
    def is_temporal(self) -> bool:
        """Whether it is a time or a date, which text files give as text."""
        return bool(pa.types.is_timestamp(self.type) or pa.types.is_date(self.type))

    @property
    def is_required(self) -> bool:
        """Whether a null breaks the promise."""
        return self.is_key or not self.promise.nullable

    @property
    def becomes_null(self) -> bool:
        """Whether a value out of range, or not among those allowed, becomes null instead of a reason."""
        return self.promise.on_invalid == "null" and not self.is_required

    @property
    def type_rule(self) -> Violation:
        """Against a value that is not one of the type."""
        return Violation(f"type:{self.name}", f"{self.name} is a {self.spark}")

    @property
    def text_rule(self) -> Violation:
        """Against a text that does not name a value of the type."""
        if not self.is_temporal:
            return self.type_rule
        form = f"as {self.promise.format}" if self.promise.format else "in ISO 8601"
        rule = f"{self.name} is a {self.spark} {form}"
        return Violation(
            f"type:{self.name}", f"{rule}, which clocks show exactly once" if self.spark == "timestamp" else rule
        )

    @property
    def null_rule(self) -> Violation:
        """Against a null."""
        return Violation(f"null:{self.name}", f"{self.name} is not null")

    @property
    def range_rule(self) -> Violation:
        """Against a value out of range."""
        low, high = (
            f"{bound:g}" if isinstance(bound, float) else bound for bound in (self.promise.min, self.promise.max)
        )
        if low is not None and high is not None:
            rule = f"{self.name} between {low} and {high}"
        else:
            rule = f"{self.name} >= {low}" if low is not None else f"{self.name} <= {high}"
        return Violation(f"range:{self.name}", rule)

    @property
    def values_rule(self) -> Violation:
        """Against a value that is not allowed."""
        allowed = ", ".join(str(value) for value in self.promise.values)
        return Violation(f"values:{self.name}", f"{self.name} in ({allowed})")

    @property
    def has_range(self) -> bool:
        """Whether there is a bound; if so, NaN is out of range even where the bound excludes no other value."""
        return (self.promise.min, self.promise.max) != (None, None)

    @cached_property
    def bounds(self) -> Bounds:
        """The least and the greatest value of the type that may be there; None where the type itself is the bound."""
        return exact_bounds(self.promise.min, self.promise.max, self.type)

    @cached_property
    def allowed(self) -> pa.Array:
        """The values that may be there, each once, in the type of the column."""
        return typed_values(self.promise.values, self.type, self.promise.time_zone or "UTC")

    @property
    def read_as(self) -> pa.DataType:
        """The type that a parser is asked for."""
        return pa.string() if self.is_temporal else self.type


def fields_of(
    columns: Mapping[str, Promise], key: Sequence[str] = (), *, types: Mapping[str, str] | None = None
) -> tuple[Field, ...]:
    """The columns of a configuration; ConfigError for a type, a bound, values, a format or a key that can't be.

    Parameters
    ----------
    types : the types, as Spark writes them, of columns that are there already; those that promise no type have these.
        Others are text.
    """
    for name in key:
        if name not in columns:
            raise ConfigError(
                where="key", expected="a declared column", found=f"'{name}'", remedy="Add it to `columns`."
            )
    return tuple(_field(name, promise, name in key, types or {}) for name, promise in columns.items())


def _field(name: str, promise: Promise, is_key: bool, types: Mapping[str, str]) -> Field:
    field = _typed_field(name, promise, is_key, types)
    _require_fitting_bounds(field)
    _require_fitting_format(field)
    try:
        assert field.allowed is not None  # which is computed here
    except ValueError as error:
        raise ConfigError(
            where=f"columns.{name}.values",
            expected=f"values that a {field.spark} can have",
            found=str(error),
            remedy="Correct them, or the `type`.",
        ) from None
    return field


def _typed_field(name: str, promise: Promise, is_key: bool, types: Mapping[str, str]) -> Field:
    text = promise.type or types.get(name, "string")
    try:
        kind = arrow_type(text)
    except ValueError as error:
        if promise.type is None:  # a map, for example, which can only be null or not
            return Field(name, pa.null(), text, promise, is_key)
        raise ConfigError(
            where=f"columns.{name}.type",
            expected="a type as Spark writes it, such as bigint, decimal(10,2), timestamp or array<string>",
            found=repr(promise.type),
            remedy="Correct it.",
        ) from error
    return Field(name, kind, spark_type(kind), promise, is_key)


def _require_fitting_bounds(field: Field) -> None:
    """Raise ConfigError for bounds of what is not a number, and for those that no number of the type can have."""
    if not field.has_range:
        return
    limit = largest_bound(field.type)
    if limit is None:
        raise ConfigError(
            where=f"columns.{field.name}",
            expected="min and max of a number",
            found=f"a {field.spark}",
            remedy="Declare a number as its `type`, or remove them.",
        )
    bounds: list[Any] = [bound for bound in (field.promise.min, field.promise.max) if bound is not None]
    beyond = next((bound for bound in bounds if abs(bound) > limit), None)
    if beyond is not None:
        raise ConfigError(
            where=f"columns.{field.name}",
            expected=f"bounds that a {field.spark} can have",
            found=str(beyond),
            remedy="Remove it.",
        )


def _require_fitting_format(field: Field) -> None:
    """Raise ConfigError for a format, or a time zone, of what is no date or time, and for a format with %Z."""
    pattern = field.promise.format
    if pattern is not None and "%Z" in pattern:
        raise ConfigError(
            where=f"columns.{field.name}.format",
            expected="offsets as %z, because the names of zones differ from place to place",
            found=repr(pattern),
            remedy="Let the source write offsets, or times of one zone (`time_zone`).",
        )
    if pattern is not None and not field.is_temporal:
        raise ConfigError(
            where=f"columns.{field.name}",
            expected="a format of a date or time",
            found=f"a {field.spark}",
            remedy="Declare a date or timestamp as its `type`, or remove `format`.",
        )
    if field.promise.time_zone is not None and field.spark != "timestamp":
        raise ConfigError(
            where=f"columns.{field.name}",
            expected="a time zone of a timestamp only",
            found=f"a {field.spark}",
            remedy="Declare timestamp as its `type`, or remove `time_zone`.",
        )
