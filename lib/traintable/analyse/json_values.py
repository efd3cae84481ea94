"""Values as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np

T = TypeVar("T")


def as_json(value: T) -> T:
    """The same value made of lists, dicts, texts and numbers only; a number that is not finite is None."""
    return cast("T", _as_json(value))


def finite(value: float) -> float | None:
    """The number, or None where it is not finite."""
    return value if math.isfinite(value) else None


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(part) for part in value]
    if isinstance(value, np.ndarray):
        return _as_json(value.tolist())
    if isinstance(value, np.generic):
        return _as_json(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
