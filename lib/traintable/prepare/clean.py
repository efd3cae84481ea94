"""Impossible values become null, in training and at serving alike, and text is brought to one form."""

from __future__ import annotations

from traintable.columns import quote
from traintable.config.dataset import Column
from traintable.config.plan import Feature
from traintable.prepare.terms import LARGEST_FLOAT, number_literal


def valid_range(promise: Column | None) -> tuple[float, float]:
    """The lowest and the highest value that a column can have: as promised, and never more than a float holds."""
    low = promise.min if promise is not None and promise.min is not None else -LARGEST_FLOAT
    high = promise.max if promise is not None and promise.max is not None else LARGEST_FLOAT
    return max(low, -LARGEST_FLOAT), min(high, LARGEST_FLOAT)


def numeric(name: str, feature: Feature, promise: Column | None) -> str:
    """SQL of a numeric column as double; null where it is NaN, out of range, or more than a float holds."""
    value = f"CAST({_value(name, feature)} AS DOUBLE)"
    possible = [f"abs({value}) <= {number_literal(LARGEST_FLOAT)}"]  # NaN is greater than any number, so it fails too
    if promise is not None and promise.min is not None:
        possible.append(f"{value} >= {number_literal(promise.min)}")
    if promise is not None and promise.max is not None:
        possible.append(f"{value} <= {number_literal(promise.max)}")
    return f"CASE WHEN {' AND '.join(possible)} THEN {value} END"


def categorical(name: str, feature: Feature) -> str:
    """SQL of a categorical column as text; where it is trimmed, text of nothing but blanks becomes null."""
    text = f"CAST({_value(name, feature)} AS STRING)"
    if feature.trim:
        text = f"nullif(trim({text}), '')"
    return f"{feature.case}({text})" if feature.case else text


def _value(name: str, feature: Feature) -> str:
    return f"({feature.expr})" if feature.expr is not None else quote(name)
