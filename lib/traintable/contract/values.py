"""Values that a configuration lists, as values of the type of their column."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from traintable.config.promise import Value
from traintable.contract.times import parse_times

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def _in_any_case(words: Sequence[str]) -> list[str]:
    return sorted({"".join(letters) for word in words for letters in product(*((c, c.upper()) for c in word))})


TRUE_TEXTS, FALSE_TEXTS = _in_any_case(_TRUE), _in_any_case(_FALSE)  # the booleans in text, as Spark takes them


def typed_values(values: Sequence[Value], kind: pa.DataType, zone: str) -> pa.Array:
    """The values in the type `kind`, each once; ValueError, which names it, for one that is none of the type.

    Dates and times are those of ISO 8601, in `zone` where they have no offset.
    """
    if not values:
        return pa.array([], kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        texts = [_text(value) for value in values]
        typed, wrong = parse_times(pa.array(texts, pa.string()), kind, pattern=None, zone=zone)
        if wrong:
            raise ValueError(repr(values[wrong[0]]))
    else:
        typed = pa.concat_arrays([_typed(value, kind) for value in values])
    if pa.types.is_floating(kind):
        typed = pc.add(typed, pa.scalar(0.0, kind))  # -0.0 equals 0.0
    return typed.unique()


def _typed(value: Value, kind: pa.DataType) -> pa.Array:
    """An array of one value."""
    try:
        if pa.types.is_string(kind):
            return pa.array([_text(value)])
        if pa.types.is_binary(kind):
            return pa.array([_text(value).encode()])
        if pa.types.is_boolean(kind):
            return pa.array([_boolean(_text(value))])
        if isinstance(value, bool):
            raise ValueError(value)
        if pa.types.is_integer(kind):
            return pa.array([int(value) if isinstance(value, str) else value], kind, safe=True)
        if pa.types.is_floating(kind):
            return pa.array([float(value)], kind)
        if pa.types.is_decimal(kind):
            return pa.array([Decimal(str(value))], kind)
    except (ValueError, TypeError, OverflowError, InvalidOperation, pa.ArrowException):
        pass
    raise ValueError(repr(value))


def _boolean(text: str) -> bool:
    if text not in TRUE_TEXTS and text not in FALSE_TEXTS:
        raise ValueError(text)
    return text in TRUE_TEXTS


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
