"""Fisher's exact test for tables of any shape, in whole numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from traintable.arrays import Ints
from traintable.errors import ConfigError

MAX_ROWS, MAX_STEPS = 1_000, 100_000


def freeman_halton(table: Ints) -> float:
    """The probability, given the totals, of a table that is no more likely than this one if columns are independent.

    The tables are built column by column. Two of them that are half built, leave the same row totals and are equally
    likely can be completed in the same ways, so they are counted together.

    Parameters
    ----------
    table : counts of shape (rows, columns).

    Raises
    ------
    ConfigError
        When it holds more than 1,000 rows, or more than 100,000 columns would have to be tried.

    Source: Freeman and Halton, "Note on an exact treatment of contingency, goodness of fit and other problems of
    significance" (Biometrika 38, 1951).
    """
    counts = table if table.shape[0] <= table.shape[1] else table.T
    rows = tuple(int(n) for n in counts.sum(axis=1))
    if sum(rows) > MAX_ROWS:
        raise _too_large(counts)
    partial, steps = Counter({(rows, 1): 1}), 0
    for column in counts.T.tolist():
        grown: Counter[tuple[tuple[int, ...], int]] = Counter()
        for (left, ways), n in partial.items():
            for cells in _columns(sum(column), left):
                steps += 1
                if steps > MAX_STEPS:
                    raise _too_large(counts)
                rest = tuple(a - b for a, b in zip(left, cells, strict=True))
                grown[rest, ways * _ways(cells)] += n
        partial = grown
    observed = math.prod(_ways(column) for column in counts.T.tolist())
    extreme = sum(ways * n for (_, ways), n in partial.items() if ways <= observed)
    return float(Fraction(extreme, _ways(rows)))


def _columns(total: int, most: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All columns of this total whose cells are at most `most`."""
    if len(most) == 1:
        if total <= most[0]:
            yield (total,)
        return
    for first in range(max(0, total - sum(most[1:])), min(total, most[0]) + 1):
        for others in _columns(total - first, most[1:]):
            yield (first, *others)


def _ways(cells: Sequence[int]) -> int:
    """The number of orders of rows of which `cells` are of each kind: the multinomial coefficient."""
    ways, total = 1, 0
    for n in cells:
        total += n
        ways *= math.comb(total, n)
    return ways


def _too_large(counts: Ints) -> ConfigError:
    return ConfigError(
        where="analyse.fisher",
        expected=f"at most {MAX_ROWS:,} rows and {MAX_STEPS:,} steps to build all tables of the same totals",
        found=f"{counts.shape[0]} x {counts.shape[1]} cells and {int(np.sum(counts)):,} rows",
        remedy="Use chi_square, or merge rare values.",
    )
