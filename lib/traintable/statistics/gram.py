"""Counts, sums and sums of products of numeric columns, with their patterns of missing values, exact.

From these follow mean, variance and covariance, before and after any imputation by constants, without another pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypedDict

import numpy as np

from traintable.arrays import Bools, Floats, Ints, Objects
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import (
    DIGIT_BITS,
    MAX_ROWS,
    as_dyadic,
    digits,
    exact_mean_and_variance,
    ratio,
    shift_left,
)

# A product of 8,192 rows of digits is below 2**53, so that many of them add up to less than 2**63.
_MAX_PRODUCTS = 2**10 - 1


class GramRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; whole numbers hexadecimal, products as the upper triangle."""

    columns: list[str]
    n_rows: int
    present: list[list[int]]
    unit: list[int]
    sums: list[list[str]]
    products: list[str]
    squares: list[list[str]] | None


class Gram:
    """Exact second moments of `columns`.

    A null, a NaN, an infinity and a number outside its declared range are not values.

    Attributes
    ----------
    columns : names, in the order of all indices below.
    n_rows : rows seen.
    present : shape (columns, columns); rows in which columns i and j both have a value.
    unit : shape (columns,); column i is counted in units of 2**(20 unit[i]).
    sums : shape (columns, columns), whole numbers; sum of column i over the rows in which column j has a value.
    products : shape (columns, columns), whole numbers; sum of column i times column j where both have a value.
    squares : shape (columns, columns), whole numbers; sum of the squares of column i over the rows in which column j
        has a value, from which `correlation` follows; None unless it is to be learned.
    """

    def __init__(self, columns: Sequence[str], *, squares: bool = False) -> None:
        width = len(columns)
        self.columns = tuple(columns)
        self.n_rows = 0
        self.present: Ints = np.zeros((width, width), np.int64)
        self.unit: Ints = np.zeros(width, np.int64)
        self.sums: Objects = np.full((width, width), 0, dtype=object)
        self.products: Objects = np.full((width, width), 0, dtype=object)
        self.squares: Objects | None = np.full((width, width), 0, dtype=object) if squares else None
        self._index = {name: i for i, name in enumerate(self.columns)}
        self._pending = _Pending(width, squares=squares)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        if not self.columns:
            self.n_rows += chunk.n_rows
            return
        numbers = [chunk.number(name) for name in self.columns]
        present = [number.present for number in numbers]
        for start in range(0, chunk.n_rows, MAX_ROWS):
            rows = slice(start, start + MAX_ROWS)
            masks = [None if mask is None or mask[rows].all() else mask[rows] for mask in present]
            self.add(np.stack([number.values[rows] for number in numbers]), masks)

    def add(self, values: Floats, masks: Sequence[Bools | None]) -> None:
        """Add at most 8,192 rows: values of shape (columns, rows), 0 where missing; a mask None has all present."""
        self.n_rows += values.shape[1]
        self.present += self._pending.add(values, masks)
        if self._pending.n_products >= _MAX_PRODUCTS:
            self._fold()

    def _fold(self) -> None:
        """Move what is pending into the sums."""
        pending, self._pending = self._pending, _Pending(len(self.columns), squares=self.squares is not None)
        slots = pending.slots_by_rank()
        for column, k, _ in slots:
            self._refine(column, k)
        for i, k, index in slots:
            bits = DIGIT_BITS * (k - self.unit[i]).astype(object)
            self.sums[i] += shift_left(pending.sums[index].astype(object), bits[:, None])
            for j, m, other in slots:
                more = bits[:, None] + DIGIT_BITS * (m - self.unit[j]).astype(object)[None, :]
                self.products[np.ix_(i, j)] += shift_left(pending.products[np.ix_(index, other)].astype(object), more)
        if self.squares is not None:
            for (own, a, b), sums in pending.squares.items():
                up = DIGIT_BITS * (a + b - 2 * int(self.unit[own])) + (a != b)
                self.squares[own] += shift_left(sums.astype(object), np.array(up, dtype=object))

    def _refine(self, columns: Ints, unit: Ints) -> None:
        """Count the columns in units at least as fine as `unit`."""
        fresh = self.products.diagonal()[columns] == 0  # no value but 0 was seen
        finer = np.minimum(np.where(fresh, unit, self.unit[columns]), unit)
        bits = np.full(len(self.columns), 0, dtype=object)
        bits[columns] = DIGIT_BITS * np.where(fresh, 0, self.unit[columns] - finer).astype(object)
        self.unit[columns] = finer
        if bits.any():
            self.sums = shift_left(self.sums, bits[:, None])
            self.products = shift_left(self.products, bits[:, None] + bits[None, :])
            if self.squares is not None:
                self.squares = shift_left(self.squares, 2 * bits[:, None])

    def merge(self, other: Gram) -> None:
        """Add the rows of another state of the same columns."""
        self._fold()
        other._fold()
        self.n_rows += other.n_rows
        self.present += other.present
        used = np.flatnonzero(other.products.diagonal() != 0)
        self._refine(used, other.unit[used])
        bits = np.full(len(self.columns), 0, dtype=object)
        bits[used] = DIGIT_BITS * (other.unit[used] - self.unit[used]).astype(object)
        self.sums += shift_left(other.sums, bits[:, None])
        self.products += shift_left(other.products, bits[:, None] + bits[None, :])
        if self.squares is not None and other.squares is not None:
            self.squares += shift_left(other.squares, 2 * bits[:, None])

    def count(self, column: str) -> int:
        """Rows in which the column has a value."""
        i = self._index[column]
        return int(self.present[i, i])

    def mean_and_variance(self, column: str) -> tuple[float, float]:
        """Mean and sample variance (n - 1) of the values, each rounded once; NaN without enough of them."""
        self._fold()
        i = self._index[column]
        exponent = DIGIT_BITS * int(self.unit[i])
        return exact_mean_and_variance(self.count(column), self.sums[i, i], self.products[i, i], exponent)

    def imputed_covariance(self, fill: Mapping[str, float]) -> Covariance:
        """Mean and covariance of the columns named in `fill`, each missing value replaced by that constant."""
        self._fold()
        names = tuple(fill)
        index = np.asarray([self._index[name] for name in names], dtype=np.int64)
        constants = [as_dyadic(float(fill[name])) for name in names]
        exponents = [
            min(DIGIT_BITS * int(self.unit[i]), e) if n else DIGIT_BITS * int(self.unit[i])
            for i, (n, e) in zip(index, constants, strict=True)
        ]
        c = np.array([n << (e - u) if n else 0 for (n, e), u in zip(constants, exponents, strict=True)], dtype=object)
        up = DIGIT_BITS * self.unit[index].astype(object) - np.array(exponents, dtype=object)
        sums = shift_left(self.sums[np.ix_(index, index)], up[:, None])
        products = shift_left(self.products[np.ix_(index, index)], up[:, None] + up[None, :])
        present = self.present[np.ix_(index, index)].astype(object)
        n, own, count = self.n_rows, sums.diagonal(), present.diagonal()
        totals = own + c * (n - count)
        only = own[:, None] - sums  # of column i, where column j has none
        neither = n - count[:, None] - count[None, :] + present
        filled = products + only * c[None, :] + only.T * c[:, None] + np.outer(c, c) * neither
        scatter = filled * n - np.outer(totals, totals)
        return Covariance(
            names,
            np.array([ratio(t, n, e) if n else np.nan for t, e in zip(totals, exponents, strict=True)]),
            _divide(scatter, n * (n - 1), exponents),
        )

    def pairwise(self, columns: Sequence[str] | None = None) -> Covariance:
        """Mean of each column's values, and covariance of each pair over the rows in which both have a value.

        The matrix need not be positive semidefinite. NaN where fewer than two rows have both.
        """
        self._fold()
        names = tuple(columns) if columns is not None else self.columns
        covariance = np.full((len(names), len(names)), np.nan)
        for a, i in enumerate(self._index[name] for name in names):
            for b, j in enumerate(self._index[name] for name in names[: a + 1]):
                n = int(self.present[i, j])
                if n > 1:
                    scatter = self.products[i, j] * n - self.sums[i, j] * self.sums[j, i]
                    exponent = DIGIT_BITS * int(self.unit[i] + self.unit[j])
                    covariance[a, b] = covariance[b, a] = ratio(scatter, n * (n - 1), exponent)
        return Covariance(names, np.array([self.mean_and_variance(name)[0] for name in names]), covariance)

    def correlation(self, columns: Sequence[str] | None = None) -> Floats:
        """Pearson's correlation of each pair over the rows in which both have a value, within -1 and 1.

        Shape (columns, columns); NaN where one of the two has less than two different values in those rows. Needs
        `squares`.
        """
        self._fold()
        if self.squares is None:
            raise ValueError("correlations need the sums of squares: Gram(columns, squares=True)")
        index = [self._index[name] for name in (self.columns if columns is None else columns)]
        correlation = np.full((len(index), len(index)), np.nan)
        for a, i in enumerate(index):
            for b, j in enumerate(index[: a + 1]):
                n, mine, theirs = int(self.present[i, j]), self.sums[i, j], self.sums[j, i]
                scatter = self.products[i, j] * n - mine * theirs
                spread = (self.squares[i, j] * n - mine * mine) * (self.squares[j, i] * n - theirs * theirs)
                if spread:
                    size = math.sqrt(ratio(scatter * scatter, spread, 0))
                    correlation[a, b] = correlation[b, a] = size if scatter > 0 else -size
        return correlation

    def to_dict(self) -> GramRecord:
        """The state as plain values for JSON; whole numbers as hexadecimal text, products as the upper triangle."""
        self._fold()
        upper = np.triu_indices(len(self.columns))
        return {
            "columns": list(self.columns),
            "n_rows": self.n_rows,
            "present": self.present.tolist(),
            "unit": self.unit.tolist(),
            "sums": [[f"{v:x}" for v in row] for row in self.sums],
            "products": [f"{v:x}" for v in self.products[upper]],
            "squares": None if self.squares is None else [[f"{v:x}" for v in row] for row in self.squares],
        }

    @classmethod
    def from_dict(cls, state: GramRecord) -> Gram:
        """The state that `to_dict` wrote."""
        gram = cls(state["columns"], squares=state["squares"] is not None)
        width = len(gram.columns)
        gram.n_rows = state["n_rows"]
        gram.present = np.array(state["present"], np.int64).reshape(width, width)
        gram.unit = np.array(state["unit"], np.int64)
        gram.sums = _square(state["sums"], width)
        if state["squares"] is not None:
            gram.squares = _square(state["squares"], width)
        upper = np.triu_indices(width)
        gram.products[upper] = [int(v, 16) for v in state["products"]]
        gram.products.T[upper] = gram.products[upper]
        return gram


class _Pending:
    """Sums of digits and of their products that have not been put together yet; a slot is one digit of one column."""

    def __init__(self, width: int, *, squares: bool) -> None:
        self.slots: dict[tuple[int, int], int] = {}
        self.squares: dict[tuple[int, int, int], Ints] = {}  # (column, digit, digit) -> sums where each has a value
        self._with_squares = squares
        self.sums: Ints = np.zeros((0, width), np.int64)
        self.products: Ints = np.zeros((0, 0), np.int64)
        self.n_products = 0

    def add(self, values: Floats, masks: Sequence[Bools | None]) -> Ints:
        """Add rows and return in how many of them columns i and j both have a value, shape (columns, columns)."""
        slots: list[int] = []
        rows: list[Floats] = []
        for k, digit in digits(values):
            active = np.flatnonzero(digit.any(axis=1))
            slots += [self._slot(int(i), int(k[i])) for i in active]
            rows.append(digit[active])
        rows.append(np.ones((1, values.shape[1])))
        incomplete = [i for i, mask in enumerate(masks) if mask is not None]
        rows += [np.asarray(masks[i], np.float64)[None, :] for i in incomplete]
        mask = np.full(len(masks), len(slots))  # the row of ones stands for a column that has all its values
        mask[incomplete] = len(slots) + 1 + np.arange(len(incomplete))
        matrix = np.concatenate(rows)
        product = (matrix @ matrix.T).astype(np.int64)
        index, n_digits = np.array(slots, np.int64), len(slots)
        self.sums[index] += product[:n_digits, mask]
        self.products[np.ix_(index, index)] += product[:n_digits, :n_digits]
        self.n_products += 1
        if self._with_squares:
            self._add_squares(slots, matrix, product, mask, n_digits)
        return np.asarray(product[np.ix_(mask, mask)])

    def _add_squares(self, slots: Sequence[int], matrix: Floats, product: Ints, mask: Ints, n_digits: int) -> None:
        """Add the products of two digits of one column, over the rows that each row of masks has."""
        known = {index: slot for slot, index in self.slots.items()}
        rows: dict[int, list[tuple[int, int]]] = {}  # column -> (digit, row of the matrix)
        for row, index in enumerate(slots):
            column, k = known[index]
            rows.setdefault(column, []).append((k, row))
        pairs = [(c, a, b) for c, own in rows.items() for a, b in combinations_with_replacement(sorted(own), 2)]
        if not pairs:
            return
        first, second = np.array([(a, b) for _, (_, a), (_, b) in pairs]).T
        sums = np.empty((len(pairs), len(mask)), np.int64)
        sums[:] = product[first, second][:, None]
        incomplete = mask > n_digits
        if incomplete.any():
            sums[:, incomplete] = (matrix[first] * matrix[second]) @ matrix[mask[incomplete]].T
        for (column, (k, _), (m, _)), more in zip(pairs, sums, strict=True):
            slot = (column, k, m)
            self.squares[slot] = self.squares[slot] + more if slot in self.squares else more

    def _slot(self, column: int, k: int) -> int:
        if (column, k) not in self.slots:
            self.slots[column, k] = len(self.slots)
            if len(self.slots) > len(self.sums):
                more = max(16, len(self.sums))
                self.sums = np.pad(self.sums, ((0, more), (0, 0)))
                self.products = np.pad(self.products, ((0, more), (0, more)))
        return self.slots[column, k]

    def slots_by_rank(self) -> list[tuple[Ints, Ints, Ints]]:
        """Groups of slots with at most one slot a column, the finest last: their columns, digits and indices."""
        groups: list[list[tuple[int, int, int]]] = []
        n_seen: dict[int, int] = {}
        for (column, k), index in sorted(self.slots.items(), key=lambda slot: -slot[0][1]):
            rank = n_seen[column] = n_seen.get(column, -1) + 1
            if rank == len(groups):
                groups.append([])
            groups[rank].append((column, k, index))
        arrays = [np.array(group, np.int64).T for group in groups]
        return [(array[0], array[1], array[2]) for array in arrays]


@dataclass(frozen=True)
class Covariance:
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


def _square(rows: Sequence[Sequence[str]], width: int) -> Objects:
    """A matrix of whole numbers that was written in hexadecimal."""
    return np.array([[int(v, 16) for v in row] for row in rows], dtype=object).reshape(width, width)


def _divide(scatter: Objects, by: int, exponents: Sequence[int]) -> Floats:
    """Symmetric whole numbers, each divided by `by` and scaled by two powers of 2; NaN when `by` is 0."""
    width = len(scatter)
    result = np.full((width, width), np.nan)
    if by > 0:
        for i in range(width):
            for j in range(i, width):
                result[i, j] = result[j, i] = ratio(scatter[i, j], by, exponents[i] + exponents[j])
    return result
