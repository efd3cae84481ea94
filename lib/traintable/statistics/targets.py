"""Sums of the label for each category and fold, exact: what target encoding and group means are computed from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from traintable.arrays import Floats, Ints, Objects
from traintable.errors import ConfigError
from traintable.statistics.chunk import Chunk, Word
from traintable.statistics.exact import DIGIT_BITS, digits, exact_mean_and_variance, scale_integers
from traintable.statistics.word_codes import combine_words, compact_codes

MAX_GROUPS = 1_000_000


@dataclass(frozen=True)
class TargetGroups:
    """Sums of `label` by the values of `category` and of `fold` (both read as text); rows without a label left out."""

    category: str
    label: str
    fold: str | None = None


@dataclass(frozen=True)
class Totals:
    """Number, exact sum and exact sum of squares of the label; sums in units of 2**exponent and its square."""

    n: int
    total: int
    squares: int
    exponent: int

    @property
    def mean(self) -> float:
        """Mean label, rounded once; NaN without rows."""
        return exact_mean_and_variance(self.n, self.total, self.squares, self.exponent)[0]

    @property
    def variance(self) -> float:
        """Sample variance (n - 1) of the label, rounded once; NaN below two rows."""
        return exact_mean_and_variance(self.n, self.total, self.squares, self.exponent)[1]

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.n + other.n, self.total + other.total, self.squares + other.squares, self.exponent)

    def __sub__(self, other: Totals) -> Totals:
        return Totals(self.n - other.n, self.total - other.total, self.squares - other.squares, self.exponent)


class TargetSumsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads: category, fold, rows and hexadecimal sums of each group."""

    target: dict[str, Any]
    unit: int
    groups: list[list[Any]]


class TargetSums:
    """The state of one `TargetGroups`.

    Attributes
    ----------
    groups : (category, fold) -> index in the arrays below; None stands for null.
    n, sums, squares : shape (groups,); rows, and whole numbers in units of 2**(20 unit) and its square.
    """

    def __init__(self, target: TargetGroups) -> None:
        self.target = target
        self.groups: dict[tuple[Word, Word], int] = {}
        self.unit = 0
        self.n: Ints = np.zeros(0, np.int64)
        self.sums: Objects = np.zeros(0, dtype=object)
        self.squares: Objects = np.zeros(0, dtype=object)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk; ConfigError beyond a million groups."""
        label = chunk.number(self.target.label)
        texts = [chunk.text(name) for name in (self.target.category, self.target.fold) if name is not None]
        groups, codes = combine_words(texts)
        if label.present is not None:
            codes = codes[label.present]
        if not len(codes):
            return
        present, local = compact_codes(codes, len(groups))
        index = self._indices([(groups[c][0], groups[c][1] if len(texts) > 1 else None) for c in present.tolist()])
        self._add(index, local, label.compact)

    def _add(self, index: Ints, group: Ints, values: Floats) -> None:
        """Add values, each to the sums at `index[group]`."""
        size = len(index)
        self.n[index] += np.bincount(group, minlength=size)
        pairs = [(int(k[0]), digit[0]) for k, digit in digits(values[None, :])]
        self._refine(min((k for k, _ in pairs), default=self.unit))
        for i, (k, digit) in enumerate(pairs):
            bits = DIGIT_BITS * (k - self.unit)
            self.sums[index] += scale_integers(np.bincount(group, digit, size), bits)
            for m, other in pairs[i:]:
                twice = 1 if other is digit else 2
                total = np.zeros(size, np.int64)
                for rows in _exact_pieces(digit, other):
                    total += np.bincount(group[rows], digit[rows] * other[rows], size).astype(np.int64)
                self.squares[index] += scale_integers(total * twice, bits + DIGIT_BITS * (m - self.unit))

    def _indices(self, groups: list[tuple[Word, Word]]) -> Ints:
        """The indices of some groups in the arrays, which grow for new ones; ConfigError beyond a million groups."""
        for group in groups:
            self.groups.setdefault(group, len(self.groups))
        if len(self.groups) > MAX_GROUPS:
            raise ConfigError(
                where=f"column '{self.target.category}'",
                expected=f"a category of at most {MAX_GROUPS:,} values and folds",
                found="more",
                remedy="It looks like a key or free text: leave it out of `prepare.features`.",
            )
        more = len(self.groups) - len(self.n)
        self.n = np.pad(self.n, (0, more))
        self.sums, self.squares = (np.append(a, np.full(more, 0, dtype=object)) for a in (self.sums, self.squares))
        return np.array([self.groups[group] for group in groups], np.int64)

    def _refine(self, unit: int) -> None:
        """Count in units at least as fine as `unit`."""
        if unit < self.unit:
            bits = DIGIT_BITS * (self.unit - unit)
            self.sums, self.squares = self.sums << bits, self.squares << 2 * bits
            self.unit = unit

    def merge(self, other: TargetSums) -> None:
        """Add the rows of another state of the same target."""
        if not other.groups:
            return
        index = self._indices(list(other.groups))
        self._refine(other.unit)
        bits = DIGIT_BITS * (other.unit - self.unit)
        self.n[index] += other.n
        self.sums[index] += other.sums << bits
        self.squares[index] += other.squares << 2 * bits

    def totals(self) -> Iterator[tuple[Word, Word, Totals]]:
        """Category, fold and sums of each group, in the order of their names, null first."""
        for group in sorted(self.groups, key=lambda pair: [(word is not None, word or "") for word in pair]):
            i = self.groups[group]
            yield *group, Totals(int(self.n[i]), self.sums[i], self.squares[i], DIGIT_BITS * self.unit)

    def to_dict(self) -> TargetSumsRecord:
        """The state as plain values for JSON; whole numbers as hexadecimal text."""
        return {
            "target": vars(self.target),
            "unit": self.unit,
            "groups": [
                [*group, int(self.n[i]), f"{self.sums[i]:x}", f"{self.squares[i]:x}"]
                for group, i in self.groups.items()
            ],
        }

    @classmethod
    def from_dict(cls, state: TargetSumsRecord) -> TargetSums:
        """The state that `to_dict` wrote."""
        sums = cls(TargetGroups(**state["target"]))
        sums.unit = state["unit"]
        index = sums._indices([(word, fold) for word, fold, *_ in state["groups"]])
        sums.n[index] = [group[2] for group in state["groups"]]
        sums.sums[index] = [int(group[3], 16) for group in state["groups"]]
        sums.squares[index] = [int(group[4], 16) for group in state["groups"]]
        return sums


def _exact_pieces(a: Floats, b: Floats) -> list[slice]:
    """Pieces of the rows in which sums of products of the digits stay below 2**53, where doubles hold them exactly."""
    largest = float(np.abs(a).max() * np.abs(b).max())
    step = int(min(len(a), 2.0**53 // largest)) if largest else len(a)
    return [slice(start, start + step) for start in range(0, len(a), step)]
