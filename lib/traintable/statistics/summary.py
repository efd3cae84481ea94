"""Counts, extremes, and moments of numeric columns one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypedDict

import numpy as np

from traintable.arrays import Floats, Ints, Objects
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import (
    DIGIT_BITS,
    MAX_ROWS,
    as_dyadic,
    digits,
    exact_mean_and_variance,
    scale_integers,
    shift_left,
)


@dataclass
class NumberSummary:
    """How many rows of `column` have a value, why the others have none, and the extremes.

    A null, a NaN, an infinity and a number outside its declared range are not values.
    """

    column: str
    n_rows: int = 0
    n: int = 0
    n_null: int = 0
    n_nan: int = 0
    n_infinite: int = 0
    n_outside: int = 0
    n_zero: int = 0
    min: float = math.inf
    max: float = -math.inf

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        number = chunk.number(self.column)
        values = number.compact
        self._add(chunk.n_rows, len(values), number.n_null, number.n_nan, number.n_infinite, number.n_outside)
        if len(values):
            self.n_zero += len(values) - int(np.count_nonzero(values))
            self.min, self.max = min(self.min, float(values.min())), max(self.max, float(values.max()))

    def merge(self, other: NumberSummary) -> None:
        """Add the rows of another state of the same column."""
        self._add(other.n_rows, other.n, other.n_null, other.n_nan, other.n_infinite, other.n_outside)
        self.n_zero += other.n_zero
        self.min, self.max = min(self.min, other.min), max(self.max, other.max)

    def _add(self, n_rows: int, n: int, n_null: int, n_nan: int, n_infinite: int, n_outside: int) -> None:
        self.n_rows += n_rows
        self.n += n
        self.n_null += n_null
        self.n_nan += n_nan
        self.n_infinite += n_infinite
        self.n_outside += n_outside

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""
        return {**vars(self), "min": self.min.hex(), "max": self.max.hex()}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> NumberSummary:
        """The state that `to_dict` wrote."""
        return cls(**{**state, "min": float.fromhex(state["min"]), "max": float.fromhex(state["max"])})


class SumsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; whole numbers hexadecimal."""

    columns: list[str]
    n: list[int]
    unit: list[int]
    sums: list[str]
    squares: list[str]


class Sums:
    """Exact sums of the values of columns and of their squares: what `Gram` has on its diagonal.

    Attributes
    ----------
    n : shape (columns,); rows in which the column has a value.
    unit : shape (columns,); column i is counted in units of 2**(20 unit[i]), its squares in that squared.
    sums, squares : shape (columns,), whole numbers.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        width = len(columns)
        self.columns = tuple(columns)
        self.n: Ints = np.zeros(width, np.int64)
        self.unit: Ints = np.zeros(width, np.int64)
        self.sums: Objects = np.full(width, 0, dtype=object)
        self.squares: Objects = np.full(width, 0, dtype=object)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        if not self.columns:
            return
        numbers = [chunk.number(name) for name in self.columns]
        self.n += [len(number.compact) for number in numbers]
        for start in range(0, chunk.n_rows, MAX_ROWS):
            self._add(np.stack([number.values[start : start + MAX_ROWS] for number in numbers]))

    def _add(self, values: Floats) -> None:
        pairs = list(digits(values))
        for k, digit in pairs:
            used = np.flatnonzero(digit.any(axis=1))
            self._refine(used, k[used])
        for i, (k, digit) in enumerate(pairs):
            self.sums += scale_integers(digit.sum(axis=1), DIGIT_BITS * (k - self.unit))
            for m, other in pairs[i:]:
                products = np.einsum("ij,ij->i", digit, other) * (1 if other is digit else 2)
                self.squares += scale_integers(products, DIGIT_BITS * (k + m - 2 * self.unit))

    def _refine(self, columns: Ints, unit: Ints) -> None:
        """Count the columns in units at least as fine as `unit`."""
        fresh = self.squares[columns] == 0
        finer = np.where(fresh, unit, np.minimum(self.unit[columns], unit))
        bits = DIGIT_BITS * np.where(fresh, 0, self.unit[columns] - finer).astype(object)
        self.sums[columns] = shift_left(self.sums[columns], bits)
        self.squares[columns] = shift_left(self.squares[columns], 2 * bits)
        self.unit[columns] = finer

    def merge(self, other: Sums) -> None:
        """Add the rows of another state of the same columns."""
        self.n += other.n
        used = np.flatnonzero(other.squares != 0)
        self._refine(used, other.unit[used])
        bits = DIGIT_BITS * (other.unit[used] - self.unit[used]).astype(object)
        self.sums[used] += shift_left(other.sums[used], bits)
        self.squares[used] += shift_left(other.squares[used], 2 * bits)

    def mean_and_variance(self, column: str) -> tuple[float, float]:
        """Mean and sample variance (n - 1), each rounded once; NaN without enough values."""
        i = self.columns.index(column)
        return exact_mean_and_variance(int(self.n[i]), self.sums[i], self.squares[i], DIGIT_BITS * int(self.unit[i]))

    def fractions(self, column: str) -> tuple[int, Fraction, float]:
        """Number, exact mean (0 without values) and sample variance of the values."""
        i = self.columns.index(column)
        n, unit = int(self.n[i]), Fraction(2) ** (DIGIT_BITS * int(self.unit[i]))
        return n, Fraction(self.sums[i], n or 1) * unit, self.mean_and_variance(column)[1]

    def imputed_mean_and_variance(self, column: str, fill: float, n_rows: int) -> tuple[float, float]:
        """Mean and sample variance (n - 1) over `n_rows` rows, those without a value taken for `fill`."""
        i = self.columns.index(column)
        constant, exponent = as_dyadic(fill)
        own = DIGIT_BITS * int(self.unit[i])
        unit = min(own, exponent) if constant else own
        constant, missing = constant << (exponent - unit) if constant else 0, n_rows - int(self.n[i])
        total = (self.sums[i] << (own - unit)) + constant * missing
        squares = (self.squares[i] << 2 * (own - unit)) + constant * constant * missing
        return exact_mean_and_variance(n_rows, total, squares, unit)

    def to_dict(self) -> SumsRecord:
        """The state as plain values for JSON; whole numbers as hexadecimal text."""
        return {
            "columns": list(self.columns),
            "n": self.n.tolist(),
            "unit": self.unit.tolist(),
            "sums": [f"{v:x}" for v in self.sums],
            "squares": [f"{v:x}" for v in self.squares],
        }

    @classmethod
    def from_dict(cls, state: SumsRecord) -> Sums:
        """The state that `to_dict` wrote."""
        sums = cls(state["columns"])
        sums.n, sums.unit = np.array(state["n"], np.int64), np.array(state["unit"], np.int64)
        sums.sums[:] = [int(v, 16) for v in state["sums"]]
        sums.squares[:] = [int(v, 16) for v in state["squares"]]
        return sums


@dataclass
class Shape:
    """Central moments of `column` up to the fourth, for skewness and kurtosis.

    Computed about each batch's own mean and merged by the formulas of Chan et al. (1983) as extended by Pébay (Sandia
    report SAND2008-6212); right to rounding, so the last bits depend on the layout of the rows. The mean is kept as its
    distance from `origin`, the first value seen: far from 0 a double has too few digits for the mean itself.
    """

    column: str
    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0
    origin: float = 0.0

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        values = chunk.number(self.column).compact
        if len(values):
            with np.errstate(over="ignore", invalid="ignore"):
                origin = self.origin if self.n else float(values[0])
                distance = values - origin
                mean = float(distance.mean())
                deviation = distance - mean
                mean, deviation = mean + float(deviation.mean()), deviation - deviation.mean()
                square = deviation * deviation
                m3, m4 = float((square * deviation).sum()), float((square * square).sum())
                self.merge(Shape(self.column, len(values), mean, float(square.sum()), m3, m4, origin))

    def merge(self, other: Shape) -> None:
        """Add the rows of another state of the same column."""
        a, b, n = self.n, other.n, self.n + other.n
        if not b:
            return
        d = (other.origin - self.origin) + (other.mean - self.mean) if a else 0.0
        d2 = d * d  # a power would raise where a product overflows to infinity
        m4 = self.m4 + other.m4 + d2 * d2 * a * b * (a * a - a * b + b * b) / n**3
        m4 += 6 * d2 * (a * a * other.m2 + b * b * self.m2) / n**2 + 4 * d * (a * other.m3 - b * self.m3) / n
        m3 = self.m3 + other.m3 + d2 * d * a * b * (a - b) / n**2 + 3 * d * (a * other.m2 - b * self.m2) / n
        self.m2, self.m3, self.m4 = self.m2 + other.m2 + d2 * a * b / n, m3, m4
        self.mean, self.n = self.mean + d * b / n if a else other.mean, n
        self.origin = self.origin if a else other.origin

    def skewness(self) -> float:
        """Third standardised moment, as scipy.stats.skew gives it; NaN of a constant, and where a moment overflows."""
        return math.sqrt(self.n / self.m2) * (self.m3 / self.m2) if self.m2 > 0 else math.nan

    def kurtosis(self) -> float:
        """Fourth standardised moment less 3, as scipy.stats.kurtosis gives it; NaN as for `skewness`."""
        return self.n * (self.m4 / self.m2 / self.m2) - 3 if self.m2 > 0 else math.nan

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""
        return {**vars(self)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Shape:
        """The state that `to_dict` wrote."""
        return cls(**state)
