"""How often the values of two categorical columns occur together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from traintable.errors import ConfigError
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import Ints

Word = str | None
MAX_PAIRS = 1_000_000


class Contingency:
    """Counts of pairs of values of two columns, read as text; None stands for null."""

    def __init__(self, first: str, second: str) -> None:
        self.first, self.second = first, second
        self.counts: Counter[tuple[Word, Word]] = Counter()

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk; ConfigError beyond a million different pairs."""
        a, b = chunk.text(self.first), chunk.text(self.second)
        width = len(b.words) + 1
        pairs = (a.codes + 1) * width + b.codes + 1
        size = (len(a.words) + 1) * width
        if size <= max(4 * chunk.n_rows, 2**16):
            n = np.bincount(pairs, minlength=size)
            found = np.flatnonzero(n)
            n = n[found]
        else:
            found, n = np.unique(pairs, return_counts=True)
        first, second = [None, *a.words], [None, *b.words]
        for pair, count in zip(found.tolist(), n.tolist(), strict=True):
            self.counts[first[pair // width], second[pair % width]] += count
        self._bound()

    def merge(self, other: Contingency) -> None:
        """Add the rows of another state of the same columns."""
        self.counts.update(other.counts)
        self._bound()

    def _bound(self) -> None:
        if len(self.counts) > MAX_PAIRS:
            raise ConfigError(
                where=f"columns '{self.first}' and '{self.second}'",
                expected=f"two categories with at most {MAX_PAIRS:,} pairs of values",
                found="more",
                remedy="One of them looks like a key or a measurement: leave it out.",
            )

    def table(self, *, null_rows: bool = False) -> tuple[list[Word], list[str], Ints]:
        """Values of the first and the second column in order, null first, and counts of that shape.

        Rows without a value of the second column are left out, and without one of the first unless `null_rows`.
        """
        kept = {(a, b): n for (a, b), n in self.counts.items() if b is not None and (a is not None or null_rows)}
        rows = sorted({a for a, _ in kept}, key=lambda word: (word is not None, word or ""))
        columns = sorted({b for _, b in kept if b is not None})
        row, column = ({word: i for i, word in enumerate(words)} for words in (rows, columns))
        table = np.zeros((len(rows), len(columns)), np.int64)
        for (a, b), n in kept.items():
            table[row[a], column[b]] = n
        return rows, columns, table

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""
        return {"first": self.first, "second": self.second, "counts": [[a, b, n] for (a, b), n in self.counts.items()]}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Contingency:
        """The state that `to_dict` wrote."""
        contingency = cls(state["first"], state["second"])
        contingency.counts = Counter({(a, b): n for a, b, n in state["counts"]})
        return contingency
