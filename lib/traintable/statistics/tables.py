"""How often the codes of two columns occur together, and the second moments of scores that codes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics.chunk import Chunk
from traintable.statistics.coding import MISSING, Coding
from traintable.statistics.exact import MAX_ROWS
from traintable.statistics.gram import Gram, GramRecord
from traintable.statistics.packing import pack, unpack

Pair = tuple[Coding, Coding]


class TablesRecord(TypedDict):
    """What `to_dict` writes and `restore` reads: packed counts of each pair."""

    counts: list[str]


class Tables:
    """Counts of pairs of coded columns, all exact; what they take is the product of the sizes of each pair.

    Attributes
    ----------
    counts : pair -> shape (codes of the first, codes of the second).
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.counts: dict[Pair, Ints] = {(a, b): np.zeros((a.size, b.size), np.int64) for a, b in pairs}

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        for (a, b), counts in self.counts.items():
            counted = np.bincount(a.codes(chunk) * b.size + b.codes(chunk), minlength=counts.size)
            counts += counted.reshape(counts.shape)

    def merge(self, other: Tables) -> None:
        """Add the rows of another state of the same pairs."""
        for mine, theirs in zip(self.counts.values(), other.counts.values(), strict=True):
            mine += theirs

    def to_dict(self) -> TablesRecord:
        """The counts as plain values for JSON; of the codings nothing, for those who read it have them."""
        return {"counts": [pack(counts.ravel()) for counts in self.counts.values()]}

    def restore(self, state: TablesRecord) -> Tables:
        """The state that `to_dict` wrote for the same pairs."""
        tables = Tables(list(self.counts))
        for (pair, counts), text in zip(self.counts.items(), state["counts"], strict=True):
            tables.counts[pair] = unpack(text).reshape(counts.shape)
        return tables


class ScoresRecord(TypedDict):
    """What `to_dict` writes and `restore` reads."""

    gram: GramRecord


class Scores:
    """Exact second moments of numbers that stand for codes, such as ranks.

    Each coding comes with a score for each of its codes but 0, doubles as bytes. What has the code 0 is missing.
    """

    def __init__(self, scored: Sequence[tuple[Coding, bytes]]) -> None:
        self.scored = tuple(scored)
        self.gram = Gram([coding.column for coding, _ in self.scored], squares=True)
        self._scores: list[Floats] = [np.append(0.0, np.frombuffer(s, np.float64)) for _, s in self.scored]

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        if not self.scored:
            return
        codes = [coding.codes(chunk) for coding, _ in self.scored]
        values = np.stack([scores[code] for scores, code in zip(self._scores, codes, strict=True)])
        for start in range(0, chunk.n_rows, MAX_ROWS):
            rows = slice(start, start + MAX_ROWS)
            present = [code[rows] != MISSING for code in codes]
            self.gram.add(values[:, rows], [None if mask.all() else mask for mask in present])

    def merge(self, other: Scores) -> None:
        """Add the rows of another state of the same scores."""
        self.gram.merge(other.gram)

    def to_dict(self) -> ScoresRecord:
        """The moments as plain values for JSON."""
        return {"gram": self.gram.to_dict()}

    def restore(self, state: ScoresRecord) -> Scores:
        """The state that `to_dict` wrote for the same scores."""
        scores = Scores(self.scored)
        scores.gram = Gram.from_dict(state["gram"])
        return scores
