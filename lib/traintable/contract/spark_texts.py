"""Texts as values of a type, in Spark: as the parsers of text files read them, so that one promise means the same."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import ArrowUDFType, arrow_udf

from traintable.contract.rules import Field
from traintable.contract.times import parse_times

if TYPE_CHECKING:
    from pyspark.sql import Column

_NUMBER = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"
_NOT_FINITE = r"(?i)^\s*(?:[+-]?inf(?:inity)?|nan)\s*$"
_BOOLEAN = r"^[A-Za-z01]+$"
_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?"
_OFFSET = r"(?:Z|[+-](?:0\d|1[0-7])(?::?[0-5]\d)?|[+-]18(?::?00)?)"
_ISO_8601 = {
    "date": f"^{_DATE}$",
    "timestamp": f"^{_DATE}(?:{_CLOCK}{_OFFSET}?)?$",
    "timestamp_ntz": f"^{_DATE}(?:{_CLOCK})?$",
}
_BLANKS = " \t\r\n"


def parse_text(text: Column, field: Field) -> Column:
    """The value that a text names, null where it names none; costs Spark's cast and a regular expression or two.

    Dates and times with a `format`, or of another `time_zone` than UTC, are parsed by Python tasks.
    """
    if field.is_temporal:
        is_plain = field.promise.format is None and field.promise.time_zone in (None, "UTC")
        return _parse_iso_8601(text, field.spark) if is_plain else _parse_by_arrow(text, field)
    value = text.try_cast(field.spark)
    if pa.types.is_floating(field.type):  # neither 1d nor 0x1p3, and a number too large for the type is not infinite
        is_number = F.rlike(text, F.lit(_NUMBER)) & (F.abs(value) < F.lit(inf))
        return F.when(is_number | F.rlike(text, F.lit(_NOT_FINITE)), value)
    if pa.types.is_decimal(field.type):
        return F.when(_needs_at_most(text, field.type.scale), value)
    if pa.types.is_boolean(field.type):
        return F.when(F.rlike(text, F.lit(_BOOLEAN)), value)
    return value


def _needs_at_most(text: Column, scale: int) -> Column:
    """Whether a number has no more digits after the point than `scale`, zeros at its end not counted."""
    digits = F.regexp_replace(F.regexp_extract(text, "^([^eE]*)", 1), r"\D", "")
    significant = F.rtrim(digits, F.lit("0"))
    n_fraction = F.length(F.regexp_extract(text, r"\.(\d*)", 1))
    exponent = F.coalesce(F.regexp_extract(text, r"[eE]([+-]?\d+)", 1).try_cast("int"), F.lit(0))
    needed = n_fraction - (F.length(digits) - F.length(significant)) - exponent
    return (needed <= scale) | (significant == "")


def _parse_iso_8601(text: Column, spark_type: str) -> Column:
    trimmed = F.trim(text, F.lit(_BLANKS))
    padded = trimmed
    if spark_type == "timestamp":  # Spark takes no offset after hours or minutes
        for clock in (r"\d\d", r"\d\d:\d\d"):
            padded = F.regexp_replace(padded, rf"^(.{{10}}[T ]{clock})(?=[Z+-])", "$1:00")
    return F.when(F.rlike(trimmed, F.lit(_ISO_8601[spark_type])), padded.try_cast(spark_type))


def _parse_by_arrow(text: Column, field: Field) -> Column:
    kind, pattern, zone = field.type, field.promise.format, field.promise.time_zone or "UTC"

    def parse(texts: pa.Array) -> pa.Array:
        return parse_times(texts, kind, pattern=pattern, zone=zone)[0]

    parse_batch: Callable[[Column], Column] = arrow_udf(parse, field.spark, ArrowUDFType.SCALAR)
    return parse_batch(text)
