"""Codes of categories: which occur, and which of them each row has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traintable.arrays import Ints
from traintable.statistics.chunk import TextColumn, Word


def compact_codes(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """Different codes, ascending, and for each row which of them it has; codes are in 0 to `size` - 1."""
    if size > max(4 * len(codes), 2**16):
        return np.unique(codes, return_inverse=True)
    present = np.flatnonzero(np.bincount(codes, minlength=1))
    rank = np.zeros(size, np.int64)
    rank[present] = np.arange(len(present))
    return present, rank[codes]


def combine_words(texts: Sequence[TextColumn]) -> tuple[list[tuple[Word, ...]], Ints]:
    """The combinations of words that occur in columns of the same rows, None for null, and which of them each has."""
    groups: list[tuple[Word, ...]] = [()]
    codes = np.zeros(len(texts[0].codes), np.int64)
    for text in texts:
        words, width = [None, *text.words], len(text.words) + 1
        present, codes = compact_codes(codes * width + text.codes + 1, len(groups) * width)
        groups = [(*groups[code // width], words[code % width]) for code in present.tolist()]
    return groups, codes
