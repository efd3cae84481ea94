"""The arguments that several samplers take, and how many rows they request: a number, or a ratio of those there are."""

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
            expected="either `n` or `ratio`",
            found="neither" if n is None else "both",
            remedy="Give `n` for a number of rows, or `ratio` for a share of them.",
        )
    if n is not None:
        require_count(n, "n", where=where)
    if ratio is not None:
        require_ratio(ratio, "ratio", where=where)


def require_count(n: object, name: str, *, where: str, least: int = 0) -> None:
    """Raise ConfigError unless `n` is a whole number of at least `least`."""
    if not isinstance(n, int) or isinstance(n, bool) or n < least:
        expected = f"{name} as a whole number of at least {least}"
        raise ConfigError(where=where, expected=expected, found=repr(n), remedy=f"Correct `{name}`.")


def require_ratio(ratio: object, name: str, *, where: str) -> None:
    """Raise ConfigError unless `ratio` is a number in 0 to 1."""
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio <= 1:
        raise ConfigError(
            where=where,
            expected=f"{name} in 0 to 1",
            found=repr(ratio),
            remedy=f"For one row in a hundred write {name}=0.01.",
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
    """How many of `size` rows or groups to draw; raises ConfigError when that is more than there are."""
    requested = share_of(ratio, size) if ratio is not None else int(n or 0)
    if requested > size:
        raise ConfigError(
            where=where,
            expected=f"at most {size:,} {what}",
            found=f"n={requested:,}",
            remedy=f"Ask for {size:,} at most.",
        )
    return requested


def require_enough(requested: Mapping[Any, int], available: Mapping[Any, int], *, where: str) -> None:
    """Raise ConfigError with some of the strata of which more rows are requested than there are."""
    short = [stratum for stratum, n in requested.items() if n > available.get(stratum, 0)]
    if short:
        shown = [f"{requested[stratum]:,} of {available.get(stratum, 0):,} in {stratum}" for stratum in short[:_SHOWN]]
        more = f" and {len(short) - _SHOWN:,} more strata" if len(short) > _SHOWN else ""
        raise ConfigError(
            where=where,
            expected="for each stratum at most as many rows as it has",
            found="; ".join(shown) + more,
            remedy="Ask for fewer, merge small strata, or use `allocation='equal'`, which takes small strata whole.",
        )
