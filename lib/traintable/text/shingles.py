"""Texts as sets of 64-bit hashes of their runs of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column


MAX_SHINGLES = 1_000


def shingles(text: Column, n_words: int) -> Column:
    """The hashes of the runs of `n_words` words of a text, each once, of the first 1,000; of a shorter text its words.

    Words are of letters and digits, case ignored. Null for a null and for a text without words.
    """
    words = F.filter(F.split(F.lower(text), r"[^\p{L}\p{N}]+"), lambda word: word != "")
    return F.transform(F.array(words), lambda split_words: _runs(split_words, n_words))[
        0
    ]  # a lambda, for words to be found once


def _runs(words: Column, n_words: int) -> Column:
    n = F.least(F.greatest(F.size(words) - n_words + 1, F.lit(1)), F.lit(MAX_SHINGLES))
    runs = F.transform(F.sequence(F.lit(1), n), lambda i: F.xxhash64(F.array_join(F.slice(words, i, n_words), " ")))
    return F.when(F.size(words) > 0, F.array_distinct(runs))
