"""How many rows are asked for: a number, or a ratio of those that there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from traintable.errors import ConfigError

_SHOWN = 3


def require_size(n: object, ratio: object, *, where: str) -> None:
    """Raise ConfigError unless exactly one of a whole number `n`, not below 0, and a `ratio` in 0 to 1 is given."""
    if (n is None) == (ratio is None):
        raise ConfigError(
            where=where,
            expected="either n or ratio",
            found="neither" if n is None else "both",
            remedy="Give n for a number of rows, ratio for a share of them.",
        )
    if n is not None:
        require_count(n, "n", where=where)
    if ratio is not None:
        require_ratio(ratio, "ratio", where=where)


def require_count(n: object, name: str, *, where: str, least: int = 0) -> None:
    """Raise ConfigError unless `n` is a whole number of at least `least`."""
    if not isinstance(n, int) or isinstance(n, bool) or n < least:
        expected = f"{name} as a whole number of at least {least}"
        raise ConfigError(where=where, expected=expected, found=repr(n), remedy=f"Correct {name}.")


def require_ratio(ratio: object, name: str, *, where: str) -> None:
    """Raise ConfigError unless `ratio` is a number in 0 to 1."""
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio <= 1:
        raise ConfigError(
            where=where, expected=f"{name} in 0 to 1", found=repr(ratio), remedy=f"One row in a hundred is {name}=0.01."
        )


def require_names(columns: Sequence[str], name: str, *, where: str) -> None:
    """Raise ConfigError unless `columns` is a list of at least one name."""
    if isinstance(columns, str) or not columns:
        expected, remedy = f"{name} as a list of column names", "Name at least one column, in a list."
        raise ConfigError(where=where, expected=expected, found=repr(columns), remedy=remedy)


def share_of(ratio: float, size: int) -> int:
    """`ratio`, as it is written in decimals, of `size`, to the nearest whole number, half up."""
    return math.floor(Fraction(str(ratio)) * size + Fraction(1, 2))


def sample_size(n: int | None, ratio: float | None, size: int, what: str, *, where: str) -> int:
    """How many of `size` are asked for; raises ConfigError when that is more than there are."""
    requested = share_of(ratio, size) if ratio is not None else int(n or 0)
    if requested > size:
        raise ConfigError(
            where=where,
            expected=f"at most {size:,} {what}",
            found=f"n={requested:,}",
            remedy="Ask for as many at most.",
        )
    return requested


def require_enough(requested: Mapping[Any, int], available: Mapping[Any, int], *, where: str) -> None:
    """Raise ConfigError with some of the strata of which more rows are asked for than there are."""
    short = [stratum for stratum, n in requested.items() if n > available.get(stratum, 0)]
    if short:
        shown = [f"{requested[stratum]:,} of {available.get(stratum, 0):,} in {stratum}" for stratum in short[:_SHOWN]]
        more = f" and {len(short) - _SHOWN:,} more strata" if len(short) > _SHOWN else ""
        raise ConfigError(
            where=where,
            expected="no more rows of a stratum than it has",
            found="; ".join(shown) + more,
            remedy="Ask for fewer, merge small strata, or take `allocation='equal'`, which takes them whole.",
        )
