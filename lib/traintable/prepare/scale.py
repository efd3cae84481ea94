"""Bring numbers to one scale, as learned from train."""

from __future__ import annotations

from collections.abc import Sequence

from traintable.prepare.terms import number_literal


def affine(value: str, centre: float, width: float) -> str:
    """SQL of (value - centre) / width; 0 for a width of 0: what is constant in train tells nothing."""
    return f"(({value} - {number_literal(centre)}) / {number_literal(width)})" if width > 0 else "0.0D"


def normalize(values: Sequence[str], norm: str) -> list[str]:
    """SQL of the values divided by their norm; zeros stay zeros. Each value is used several times."""
    if norm == "max":
        size = f"greatest({', '.join(f'abs({value})' for value in values)}, 0.0D)"
    elif norm == "l1":
        size = " + ".join(f"abs({value})" for value in values)
    else:
        size = f"sqrt({' + '.join(f'{value} * {value}' for value in values)})"
    return [f"coalesce(try_divide({value}, {size}), 0.0D)" for value in values]
