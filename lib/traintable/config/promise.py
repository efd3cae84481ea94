"""What is promised of a column: one model for files, tables and the rows of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator

from traintable.config.section import Mismatch, Section

Bound: TypeAlias = int | Annotated[float, Field(allow_inf_nan=False)]  # whole numbers stay exact beyond 2**53

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")
_OTHERS = ("boolean", "string", "binary", "date", "timestamp", "timestamp_ntz")
_COMPOSED = re.compile(r"(?:decimal|array|struct)\b")


def promise_of_run(promise: Promise) -> Promise:
    """The promise; raises ValueError for a type or bounds that a run finds wrong before it reads any table.

    A table that is landed finds them wrong when its types are needed. It also takes other names of Spark's types, such
    as `text`, and a range that is empty.
    """
    if promise.type is not None and not _is_as_spark_writes(promise.type):
        known = ", ".join(f"'{name}'" for name in (*_NUMBERS, *_OTHERS, "decimal(10,2)", "array<string>"))
        raise Mismatch(f"a type such as {known}", f"type '{promise.type}'")
    if promise.min is None and promise.max is None:
        return promise
    if promise.type in _OTHERS:
        raise Mismatch("a number type where min or max is given", f"type '{promise.type}'")
    if promise.min is not None and promise.max is not None and promise.min > promise.max:
        raise ValueError(f"min {promise.min} is above max {promise.max}")
    return promise


def _is_as_spark_writes(text: str) -> bool:
    if text in (*_NUMBERS, *_OTHERS):
        return True
    from traintable.config.types import arrow_type  # only here, for it loads a parser

    with suppress(ValueError):
        return _COMPOSED.match(text) is not None and arrow_type(text) is not None
    return False


def _known_zone(name: str) -> str:
    """`name`, which must be that of a time zone."""
    if name not in available_timezones():
        raise ValueError("a time zone such as 'Europe/Berlin'")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _whole_or_float(value: str | bool | int | float) -> str | bool | int | float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Value = Annotated[str | bool | int | Annotated[float, Field(allow_inf_nan=False)], AfterValidator(_whole_or_float)]


class Promise(Section):
    """What is promised of a column; a row that breaks a promise goes to the quarantine, with the reason.

    The same promise means the same for a column that is landed (`ingest`) and for one of a run. It is checked in this
    order: the value is one of the `type`, it is there, it is in the range, it is among the `values`. The reasons are
    `type:<column>`, `null:<column>`, `range:<column>` and `values:<column>`. Null is in every range; NaN is not null,
    it is in no range and among no `values`; -0.0 equals 0.0.

    Attributes
    ----------
    type : a type as Spark writes it. A value of another type is converted where nothing of it is lost: 3.0 is a bigint,
        3.5 is not, nor is a time of day a date. `float` and `double` take the nearest number that they have for a
        fraction, but no whole number that they can't hold. Without it a column of a run has the type that it has in
        the table, and a landed column is text.
    nullable : whether there may be no value; there must be one in a column of the key.
    min, max : the range of a number, both ends included. Whole numbers and decimals are compared exactly.
    on_invalid : "null" makes a value out of its range, or not among the `values`, null, and keeps the row; "quarantine"
        quarantines the row. A value that is not of its type quarantines the row in either case, and so does one whose
        column can't be null.
    available_at : the event of the `timeline` from which on the value is known. A run refuses features that are known
        too late; landing a table does not depend on it, and takes no notice.
    source : what the column is called where it comes from, such as "Order ID". A run renames that column of its source
        table; in a table that has only the name itself, as the landed one, the column is taken as it is.
    values : the values that may be there, compared as values of the type (1 is 1.0 and 1.00).
    format : of dates and times in text, as strptime takes it; else they are read as ISO 8601.
    time_zone : of times in text without an offset. Else it is that of the file source (`source.time_zone`), or UTC.
    """

    type: str | None = None
    nullable: bool = True
    min: Bound | None = None
    max: Bound | None = None
    on_invalid: Literal["null", "quarantine"] = "quarantine"
    available_at: str | None = None
    source: str | None = Field(None, min_length=1)
    values: tuple[Value, ...] = ()
    format: str | None = None
    time_zone: TimeZone | None = None

    @field_validator("on_invalid", mode="before")
    @classmethod
    def _null_is_a_word(cls, value: object) -> object:
        return "null" if value is None else value


def without_unset(dumped: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """What was dumped of a promise, without those of `keys` that say nothing.

    The fingerprint of a run and the digest of an extraction are made of dumped promises: keys that have come since
    must not change those of a configuration that does not use them.
    """
    return {key: value for key, value in dumped.items() if key not in keys or value not in (None, [], (), "quarantine")}
