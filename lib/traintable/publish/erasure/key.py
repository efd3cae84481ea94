"""Whose rows are to go: values of key columns, and how to know them again in rows, JSON and texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from traintable.columns import nearest
from traintable.errors import ConfigError

REDACTED = "[forgotten]"
MIN_LETTERS = 6  # a shorter text stands in files by chance
_TYPES = {
    "string": pa.string(),
    "long": pa.int64(),
    "integer": pa.int32(),
    "short": pa.int16(),
    "byte": pa.int8(),
    "double": pa.float64(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class Key:
    """Values of key columns, each of its column's type.

    Attributes
    ----------
    values : times are in UTC without a zone; none is None.
    types : what the columns have in the newest version.
    """

    values: Mapping[str, Any]
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, given: Mapping[str, Any], schema: str, *, may_be: set[str], where: str) -> Key:
        """The key that somebody gives, as texts or as values, of the columns of a Delta schema (JSON).

        Raises ConfigError for a column that is not one of `may_be`, and for a value that its type has not.
        """
        kinds = {field["name"]: _type(field["type"]) for field in json.loads(schema)["fields"]}
        for name in given:
            if name not in may_be or name not in kinds:
                raise ConfigError(
                    where=where, expected="columns of its key", found=f"'{name}'", remedy=nearest(name, may_be)
                )
        if not given:
            raise ConfigError(where=where, expected="a key", found="none", remedy="Give a value of a key column.")
        types = {name: _require_type(kinds[name], name, where) for name in given}
        return cls({name: _require_value(given[name], types[name], name, where) for name in given}, types)

    def match_rows(self, table: pa.Table) -> pa.ChunkedArray:
        """For each row whether it is one of the key; False where a column is null, or can't have the value."""
        return reduce(pc.and_, [_equal(table.column(name), value) for name, value in self.values.items()])

    def is_in(self, row: Any) -> bool:
        """Whether an object, as JSON gives it, has all of the values under the columns' names."""
        return isinstance(row, Mapping) and all(
            row.get(name) is not None and as_type(row[name], self.types[name]) == value
            for name, value in self.values.items()
        )

    def texts(self) -> list[str]:
        """Those of the values that are texts which stand in no file by chance: of six letters or more."""
        return [v for v in self.values.values() if isinstance(v, str) and len(v) >= MIN_LETTERS]

    def is_written_in(self, content: bytes) -> bool:
        """Whether bytes hold all texts of the key, in one of the forms that files write them in; False without any."""
        forms = [tuple(_forms(text)) for text in self.texts()]
        return bool(forms) and all(any(form in content for form in some) for some in forms)

    def redact(self, value: Any) -> Any:
        """A value of JSON without the texts of the key, also in texts that hold JSON themselves."""
        if isinstance(value, Mapping):
            return {name: self.redact(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.redact(item) for item in value]
        if isinstance(value, str):
            for form in (form.decode() for text in self.texts() for form in _forms(text)):
                value = value.replace(form, REDACTED)
        return value


def _equal(column: pa.ChunkedArray, value: Any) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"), safe=False)
    wanted = as_type(value, column.type)
    equal = pa.scalar(False) if wanted is None else pc.equal(column, pa.scalar(wanted, column.type))
    return pc.fill_null(pc.and_(equal, pc.is_valid(column)), False)


def as_type(value: Any, kind: pa.DataType) -> Any:
    """A value, or its text, as one of a type; None where the type has no such value. Times are in UTC, without zone."""
    try:
        result = _convert(value, kind)
        return result if result is None or isinstance(result, datetime) else pa.scalar(result, kind).as_py()
    except (ValueError, OverflowError, InvalidOperation, TypeError, pa.ArrowException):
        return None


def _convert(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
    if isinstance(value, bool):
        return None
    if pa.types.is_integer(kind):
        is_whole = isinstance(value, (int, Decimal, float)) and value == int(value)
        return int(value) if is_whole or _WHOLE.fullmatch(str(value).strip()) else None
    if pa.types.is_floating(kind):
        return None if math.isnan(float(value)) else float(value)
    if pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale)) if _fits(value, kind.scale) else None
    if pa.types.is_timestamp(kind):
        return _utc(value)
    if pa.types.is_date(kind):
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return value if is_day else date.fromisoformat(value)
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, Decimal)) else None


def _fits(value: Any, scale: int) -> bool:
    return -int(Decimal(str(value)).normalize().as_tuple().exponent) <= scale


def _utc(value: Any) -> datetime:
    """A time in UTC, without its zone; one that has none is in UTC."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", str(value)))
    return at if at.tzinfo is None else at.astimezone(timezone.utc).replace(tzinfo=None)


def _forms(text: str) -> Iterator[bytes]:
    """A text as UTF-8, as JSON writes it, as JSON within JSON, and as a part of a path."""
    yield text.encode()
    yield quote(text).encode()
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield from (once.encode(), json.dumps(once, ensure_ascii=ascii_only)[1:-1].encode())


def _type(name: Any) -> pa.DataType | None:
    if isinstance(name, str) and (match := _DECIMAL.fullmatch(name)):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _TYPES.get(name) if isinstance(name, str) else None


def _require_type(kind: pa.DataType | None, name: str, where: str) -> pa.DataType:
    if kind is None:
        raise ConfigError(
            where=f"{where}, column {name}",
            expected="a number, a text, a truth value, a date or a time",
            found="another type",
            remedy="Name another column of the key.",
        )
    return kind


def _require_value(value: Any, kind: pa.DataType, name: str, where: str) -> Any:
    result = None if value is None else as_type(value, kind)
    if result is None:
        raise ConfigError(  # the value itself is nothing for logs
            where=f"{where}, column {name}",
            expected=f"a value of type {kind}",
            found="null" if value is None else "one that this type can't have",
            remedy="Write dates and times as 2013-01-31 and 2013-01-31T12:00:00Z.",
        )
    return result
