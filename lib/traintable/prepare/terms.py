"""SQL terms of the fitted stages."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One feature: its name in the training table and the SQL that computes it."""

    name: str
    sql: str


def number(value: float) -> str:
    """A double as a SQL literal that reads back to the same bits."""
    if not math.isfinite(value):
        raise ValueError(f"a fitted value must be finite, got {value}")
    return f"{float(value)!r}D" if value >= 0 else f"({float(value)!r}D)"
