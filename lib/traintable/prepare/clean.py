"""Impossible values become null, in training and at serving alike."""

from __future__ import annotations

from traintable.columns import quote
from traintable.config import Column
from traintable.prepare.terms import number

LARGEST_FLOAT = 3.4028234663852886e38


def numeric(name: str, promise: Column | None) -> str:
    """SQL of a numeric column as double; null where it is NaN, out of range, or more than a float holds."""
    value = f"CAST({quote(name)} AS DOUBLE)"
    possible = [f"abs({value}) <= {number(LARGEST_FLOAT)}"]  # NaN is greater than any number, so it fails too
    if promise is not None and promise.min is not None:
        possible.append(f"{value} >= {number(promise.min)}")
    if promise is not None and promise.max is not None:
        possible.append(f"{value} <= {number(promise.max)}")
    return f"CASE WHEN {' AND '.join(possible)} THEN {value} END"


def categorical(name: str) -> str:
    """SQL of a categorical column as text."""
    return f"CAST({quote(name)} AS STRING)"
