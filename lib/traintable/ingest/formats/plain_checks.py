"""Whether a value is one of a type, where that shows without a parser; so that many bad records cost little."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from traintable.contract.rules import Field, Violation

_DIGITS = {8: 2, 16: 4, 32: 9, 64: 18}  # of whole numbers that surely fit
_FRACTION = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_WHOLE = re.compile(r"-?[0-9]+")
_DIGIT = re.compile(r"[0-9]")
_LARGEST = 3e38  # that a float can hold


def text_is(field: Field, text: str) -> bool | None:
    """Whether a text of CSV that is not quoted, and not null, is a value of the field; None where it can't tell."""
    kind = field.read_as
    if pa.types.is_string(kind):
        return True
    if pa.types.is_integer(kind):
        if _WHOLE.fullmatch(text):
            return True if len(text.lstrip("-")) <= _DIGITS[kind.bit_width] else None
        return None if _DIGIT.search(text) else False
    if pa.types.is_floating(kind):
        if _FRACTION.fullmatch(text):
            return True
        return None if _DIGIT.search(text) or re.search("inf|nan", text, re.IGNORECASE) else False
    return None


def value_is(field: Field, value: Any) -> bool | None:
    """Whether a value of JSON is one of the field; None where it can't tell."""
    kind = field.read_as
    if value is None:
        return True
    if pa.types.is_string(kind):
        return (True if value.isascii() else None) if isinstance(value, str) else False
    if pa.types.is_boolean(kind):
        return isinstance(value, bool)
    if pa.types.is_integer(kind):
        if type(value) is int:
            return True if abs(value) < 10 ** _DIGITS[kind.bit_width] else None
        return None if isinstance(value, float) else False
    if pa.types.is_floating(kind):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return True if abs(value) < _LARGEST else None
        return False
    return None


def refusals(verdicts: Sequence[tuple[Field, bool | None]]) -> list[Violation] | None:
    """What is wrong with a record by what is known of its values; None where it is not known of all."""
    if any(verdict is None for _, verdict in verdicts):
        return None
    return [field.type_rule for field, verdict in verdicts if not verdict]
