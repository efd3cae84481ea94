"""Counts, sums and sums of products of numeric columns, with their patterns of missing values, exact.

From these follow mean, variance and covariance, before and after any imputation by constants, without another pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traintable.statistics.exact import DIGIT_BITS, MAX_ROWS, Floats, digits, scaled

Bools = NDArray[np.bool_]

# What a column of the digit matrix stands for: (column, digit k), (column, None) for "present", (-1, None) for "1".
_Id = tuple[int, int | None]
_ONE: _Id = (-1, None)


@dataclass
class Gram:
    """Exact second moments of `columns`.

    Attributes
    ----------
    columns : names, in the order of all indices below.
    n_rows : rows seen.
    present : (i, j) with i <= j -> rows in which columns i and j both have a value; (i, i) counts the values of i.
    sums : (i, j) -> sum of column i over the rows in which column j has a value; (i, i) is the plain sum.
    products : (i, j) with i <= j -> sum of column i times column j over the rows in which both have a value.

    A null, a NaN and an infinity are not values; `n_invalid` counts the latter two for each column.
    """

    columns: tuple[str, ...]
    n_rows: int = 0
    present: Counter[tuple[int, int]] = field(default_factory=Counter)
    sums: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    products: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    n_invalid: Counter[int] = field(default_factory=Counter)

    def update(self, values: Floats, not_null: Bools) -> None:
        """Add rows: `values` and `not_null` of shape (rows, columns)."""
        finite = np.isfinite(values)
        invalid = np.asarray(not_null & ~finite)
        for i in np.flatnonzero(invalid.any(axis=0)):
            self.n_invalid[int(i)] += int(invalid[:, i].sum())
        present = not_null & finite
        values = np.where(present, values, 0.0)
        for start in range(0, len(values), MAX_ROWS):
            rows = slice(start, start + MAX_ROWS)
            self._update_chunk(values[rows], present[rows])

    def _update_chunk(self, values: Floats, present: Bools) -> None:
        ids: list[_Id] = [_ONE]
        parts: list[Floats] = [np.ones(len(values))]
        complete = np.asarray(present.all(axis=0))
        for i in range(len(self.columns)):
            if not complete[i]:
                ids.append((i, None))
                parts.append(present[:, i].astype(np.float64))
            for k, digit in digits(values[:, i]):
                ids.append((i, k))
                parts.append(digit)
        matrix = np.stack(parts, axis=1)
        self._add(ids, matrix.T @ matrix, complete, len(values))

    def _add(self, ids: Sequence[_Id], product: Floats, complete: Bools, n_rows: int) -> None:
        """Fold one exact product of digit columns into the sums."""
        self.n_rows += n_rows
        place = {identity: index for index, identity in enumerate(ids)}
        width = len(self.columns)
        mask = [place[_ONE] if complete[i] else place[(i, None)] for i in range(width)]
        own: list[list[tuple[int, int]]] = [[] for _ in range(width)]
        for index, (i, k) in enumerate(ids):
            if k is not None:
                own[i].append((index, k))
        for i in range(width):
            for j in range(width):
                if i <= j:
                    self.present[i, j] += int(product[mask[i], mask[j]])
                    terms = ((product[a, b], k + m) for a, k in own[i] for b, m in own[j])
                    _accumulate(self.products, (i, j), terms)
                _accumulate(self.sums, (i, j), ((product[a, mask[j]], k) for a, k in own[i]))

    def merge(self, other: Gram) -> None:
        """Add the rows of another state of the same columns."""
        self.n_rows += other.n_rows
        self.present.update(other.present)
        self.n_invalid.update(other.n_invalid)
        for mine, theirs in ((self.sums, other.sums), (self.products, other.products)):
            for key, value in theirs.items():
                mine[key] = mine.get(key, Fraction(0)) + value

    def count(self, column: str) -> int:
        """Rows in which the column has a value."""
        i = self.columns.index(column)
        return self.present[i, i]

    def mean(self, column: str) -> float:
        """Mean of the values; NaN when there is none."""
        i = self.columns.index(column)
        n = self.present[i, i]
        return float(self._sum(i, i) / n) if n else float("nan")

    def imputed(self, fill: dict[str, float]) -> Moments:
        """Mean and covariance of the columns named in `fill`, each missing value replaced by that constant."""
        names = tuple(fill)
        index = [self.columns.index(name) for name in names]
        constants = [Fraction(fill[name]) for name in names]
        n = self.n_rows
        totals = [self._sum(i, i) + c * (n - self.present[i, i]) for i, c in zip(index, constants, strict=True)]
        covariance = np.full((len(names), len(names)), np.nan)
        for a, (i, c) in enumerate(zip(index, constants, strict=True)):
            for b, (j, d) in enumerate(zip(index, constants, strict=True)):
                if a <= b and n > 1:
                    moment = self._imputed_product(i, c, j, d)
                    covariance[a, b] = covariance[b, a] = _double((moment - totals[a] * totals[b] / n) / (n - 1))
        mean = np.array([float(total / n) if n else np.nan for total in totals])
        return Moments(names, mean, covariance)

    def _imputed_product(self, i: int, c: Fraction, j: int, d: Fraction) -> Fraction:
        low, high = min(i, j), max(i, j)
        both = self.present[low, high]
        only_i, only_j = self.present[i, i] - both, self.present[j, j] - both
        neither = self.n_rows - both - only_i - only_j
        return (
            self.products.get((low, high), Fraction(0))
            + d * (self._sum(i, i) - self._sum(i, j))
            + c * (self._sum(j, j) - self._sum(j, i))
            + c * d * neither
        )

    def _sum(self, i: int, j: int) -> Fraction:
        return self.sums.get((i, j), Fraction(0))

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON; fractions as text."""
        return {
            "columns": list(self.columns),
            "n_rows": self.n_rows,
            "present": [[i, j, n] for (i, j), n in self.present.items() if n],
            "sums": [[i, j, str(v)] for (i, j), v in self.sums.items() if v],
            "products": [[i, j, str(v)] for (i, j), v in self.products.items() if v],
            "n_invalid": [[i, n] for i, n in self.n_invalid.items()],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Gram:
        """The state that `to_dict` wrote."""
        return cls(
            columns=tuple(state["columns"]),
            n_rows=state["n_rows"],
            present=Counter({(i, j): n for i, j, n in state["present"]}),
            sums={(i, j): Fraction(v) for i, j, v in state["sums"]},
            products={(i, j): Fraction(v) for i, j, v in state["products"]},
            n_invalid=Counter(dict(state["n_invalid"])),
        )


@dataclass(frozen=True)
class Moments:
    """Mean of shape (columns,) and sample covariance (n - 1) of shape (columns, columns)."""

    columns: tuple[str, ...]
    mean: Floats
    covariance: Floats

    @property
    def std(self) -> Floats:
        """Sample standard deviations, shape (columns,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> Floats:
        """Covariance of the standard scores, shape (columns, columns); 0 where a column is constant."""
        std = np.nan_to_num(self.std)
        std = np.where(std > 0, std, 1.0)
        return np.asarray(np.nan_to_num(self.covariance) / np.outer(std, std))


def _accumulate(
    sums: dict[tuple[int, int], Fraction], key: tuple[int, int], terms: Iterable[tuple[float, int]]
) -> None:
    """Add the exact integers `value`, each scaled by its power of the digit grid, to `sums[key]`."""
    total = sums.get(key, Fraction(0))
    for value, power in terms:
        if value:
            total += scaled(int(value), DIGIT_BITS * power)
    sums[key] = total


def _double(value: Fraction) -> float:
    """The nearest double; infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
