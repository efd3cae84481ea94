"""Codes of the values of a column by ranges or words that an earlier scan has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.statistics.chunk import NUMBER, TEXT, Chunk, Role

MISSING = 0
_MAX_DENSE = 2**20


@dataclass(frozen=True)
class Coding:
    """Which code a value of `column` has: 0 where it is missing, then 1, 2, ...

    A number has the code of the last of its ascending `starts` (doubles as bytes) that is not above it, the first where
    all are. A text has the code of its word, and the one after those when it is another.
    """

    column: str
    kind: str
    starts: bytes = b""
    words: tuple[str, ...] = ()

    @classmethod
    def of_ranges(cls, column: str, starts: Floats) -> Coding:
        """Codes of a number by where its ranges start."""
        return cls(column, NUMBER, starts=np.ascontiguousarray(starts, np.float64).tobytes())

    @classmethod
    def of_words(cls, column: str, words: Sequence[str]) -> Coding:
        """Codes of a text."""
        return cls(column, TEXT, words=tuple(words))

    @property
    def role(self) -> Role:
        """As what the column is read."""
        return self.kind, self.column

    @cached_property
    def size(self) -> int:
        """How many codes there are."""
        return 1 + len(self.starts) // 8 if self.kind == NUMBER else 2 + len(self.words)

    @cached_property
    def edges(self) -> Floats:
        """Where the ranges start."""
        return np.frombuffer(self.starts, np.float64)

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {word: i + 1 for i, word in enumerate(self.words)}

    @cached_property
    def _dense(self) -> Ints | None:
        """Codes of the whole numbers from the first start on, where the starts are whole and close together."""
        edges = self.edges
        if not len(edges) or not np.array_equal(edges, np.rint(edges)):
            return None
        if edges[-1] / 2 - edges[0] / 2 >= _MAX_DENSE / 2:  # halves, for the difference may be no double
            return None
        steps: Ints = np.zeros(int(edges[-1] - edges[0]) + 1, np.int64)
        steps[(edges - edges[0]).astype(np.int64)] = 1
        return np.cumsum(steps)

    def codes(self, chunk: Chunk) -> Ints:
        """The code of each row, shape (rows,)."""
        if self not in chunk.coded:
            chunk.coded[self] = self._codes(chunk)
        return chunk.coded[self]

    def _codes(self, chunk: Chunk) -> Ints:
        if self.kind == TEXT:
            text = chunk.text(self.column)
            other = len(self.words) + 1
            code_of = [MISSING, *(self._place_of.get(word, other) for word in text.words)]
            return np.asarray(np.array(code_of, np.int64)[text.codes + 1])
        number = chunk.number(self.column)
        codes = self._codes_of(number.values)
        return codes if number.present is None else np.where(number.present, codes, MISSING)

    def _codes_of(self, values: Floats) -> Ints:
        if not len(self.edges):
            return np.zeros(len(values), np.int64)
        if self._dense is not None:
            offsets = np.clip(np.floor(values), self.edges[0], self.edges[-1]) - self.edges[0]
            return np.asarray(self._dense[offsets.astype(np.int64)])
        return np.maximum(np.searchsorted(self.edges, values, side="right"), 1)
