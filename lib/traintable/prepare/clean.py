"""Impossible values become null, in training and at serving alike, and text is brought to one form."""

from __future__ import annotations

import pyarrow as pa

from traintable.columns import quote
from traintable.config.plan import Feature
from traintable.config.promise import Promise
from traintable.contract.bounds import Bounds, exact_bounds
from traintable.prepare.terms import LARGEST_FLOAT, number_literal


def valid_range(promise: Promise | None) -> tuple[float, float]:
    """The lowest and the highest value that a column can have: as promised, and never more than a float holds."""
    low, high = _bounds(promise)
    return (
        -LARGEST_FLOAT if low is None else max(low, -LARGEST_FLOAT),
        LARGEST_FLOAT if high is None else min(high, LARGEST_FLOAT),
    )


def numeric(name: str, feature: Feature, promise: Promise | None) -> str:
    """SQL of a numeric column as double; null where it is NaN, out of range, or more than a float holds."""
    value = f"CAST({_value(name, feature)} AS DOUBLE)"
    possible = [f"abs({value}) <= {number_literal(LARGEST_FLOAT)}"]  # NaN is greater than any number, so it fails too
    low, high = _bounds(promise)
    if low is not None:
        possible.append(f"{value} >= {number_literal(low)}")
    if high is not None:
        possible.append(f"{value} <= {number_literal(high)}")
    return f"CASE WHEN {' AND '.join(possible)} THEN {value} END"


def _bounds(promise: Promise | None) -> Bounds:
    """The ends of the promised range as doubles; a pipeline compares the double of a value, whatever its type."""
    return (None, None) if promise is None else exact_bounds(promise.min, promise.max, pa.float64())


def categorical(name: str, feature: Feature) -> str:
    """SQL of a categorical column as text; where it is trimmed, text of nothing but blanks becomes null."""
    text = f"CAST({_value(name, feature)} AS STRING)"
    if feature.trim:
        text = f"nullif(trim({text}), '')"
    return f"{feature.case}({text})" if feature.case else text


def _value(name: str, feature: Feature) -> str:
    return f"({feature.expr})" if feature.expr is not None else quote(name)
