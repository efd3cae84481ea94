"""Ends of a range as values of a type, so that comparing with them is exact."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from math import ceil, floor, inf, isinf
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from traintable.config.promise import Bound

Bounds: TypeAlias = tuple[Any, Any]  # int, float or Decimal; None where there is no bound
_EXACT = Context(prec=400)


def largest_bound(kind: pa.DataType) -> float | None:
    """What a bound of numbers of this type may be at most; None of what is not a number."""
    if pa.types.is_integer(kind):
        return 2**63 - 1
    if pa.types.is_decimal(kind):
        return 10**38 - 1
    return inf if pa.types.is_floating(kind) else None


def exact_bounds(low: Bound | None, high: Bound | None, kind: pa.DataType) -> Bounds:
    """The least and the greatest value of a type that are not below `low` and not above `high`.

    A bound that excludes no value of the type may be None. A fraction as the bound of a floating type is the nearest
    number of that type, as a value that is written so is; a whole number is not rounded to one beyond it.
    """
    if pa.types.is_integer(kind):
        return None if low is None else ceil(low), None if high is None else floor(high)
    if pa.types.is_decimal(kind):
        return (
            None if low is None else _decimal(low, kind, ROUND_CEILING),
            None if high is None else _decimal(high, kind, ROUND_FLOOR),
        )
    if pa.types.is_floating(kind):
        return None if low is None else _floating(low, kind, inf), None if high is None else _floating(high, kind, -inf)
    return None, None


def _decimal(bound: Bound, kind: pa.DataType, rounding: str) -> Decimal | None:
    """The bound with the digits of the type; one beyond the type is its least or greatest value, or the next one."""
    unit = Decimal(1).scaleb(-kind.scale)
    exact = _EXACT.create_decimal(str(bound)).quantize(unit, rounding, _EXACT)
    beyond = Decimal(10) ** (kind.precision - kind.scale)
    if rounding == ROUND_FLOOR:
        return None if exact >= beyond else max(exact, -beyond)
    return None if exact <= -beyond else min(exact, beyond)


def _floating(bound: Bound, kind: pa.DataType, inwards: float) -> float:
    number = np.float32 if pa.types.is_float32(kind) else np.float64
    with np.errstate(over="ignore"):
        nearest = number(bound)
    is_beyond = nearest < bound if inwards > 0 else nearest > bound
    if isinstance(bound, int) and not isinf(nearest) and int(nearest) != bound and is_beyond:
        nearest = np.nextafter(nearest, number(inwards))
    return float(nearest)
