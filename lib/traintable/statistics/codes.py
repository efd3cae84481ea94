"""Codes of categories: which occur, and which of them each row has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traintable.arrays import Ints
from traintable.statistics.chunk import Text

Word = str | None


def compacted(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Different codes, ascending, and for each row which of them it has; codes are in 0 to `size` - 1."""
    if size > max(4 * len(codes), 2**16):
        return np.unique(codes, return_inverse=True)
    found = np.flatnonzero(np.bincount(codes, minlength=1))
    place = np.zeros(size, np.int64)
    place[found] = np.arange(len(found))
    return found, place[codes]


def combined(texts: Sequence[Text]) -> tuple[list[tuple[Word, ...]], Ints]:
    """The combinations of words that occur in columns of the same rows, None for null, and which of them each has."""
    groups: list[tuple[Word, ...]] = [()]
    codes = np.zeros(len(texts[0].codes), np.int64)
    for text in texts:
        words, width = [None, *text.words], len(text.words) + 1
        found, codes = compacted(codes * width + text.codes + 1, len(groups) * width)
        groups = [(*groups[code // width], words[code % width]) for code in found.tolist()]
    return groups, codes
