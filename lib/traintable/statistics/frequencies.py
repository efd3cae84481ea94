"""How often each value of a categorical column occurs: exact while there are few enough to count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from traintable.arrays import Ints
from traintable.errors import ConfigError
from traintable.statistics.chunk import Chunk
from traintable.statistics.distinct import SIZE, Distinct, DistinctRecord
from traintable.statistics.frequent import Frequent, FrequentRecord

MAX_DISTINCT = 200_000


class _FrequenciesRecord(TypedDict):
    column: str
    n_null: int
    counts: dict[str, int]
    sketch_size: int


class FrequenciesRecord(_FrequenciesRecord, total=False):
    """What `to_dict` writes and `from_dict` reads; sketches only where there are too many values."""

    distinct: DistinctRecord
    frequent: FrequentRecord


class Frequencies:
    """Counts of the values of `column`, read as text.

    Attributes
    ----------
    n_null : rows without a value.
    counts : value -> rows; empty once there are more than 200,000 different values, which is no category.
    too_many : whether that has happened; from then on `distinct` and `frequent` estimate.
    """

    def __init__(self, column: str, sketch_size: int = SIZE) -> None:
        self.column = column
        self.n_null = 0
        self.counts: Counter[str] = Counter()
        self.too_many = False
        self.distinct, self.frequent = Distinct(sketch_size), Frequent(sketch_size)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        text = chunk.text(self.column)
        self.n_null += text.n_null
        used = np.flatnonzero(text.counts)
        self._add([text.words[i] for i in used], text.counts[used])

    def _add(self, words: Sequence[str], counts: Ints) -> None:
        if self.too_many:
            self.distinct.add(hash_words(words))
            self.frequent.add_counts(words, counts, max(1, int(counts.sum() // 1000)))
            return
        for word, n in zip(words, counts.tolist(), strict=True):
            self.counts[word] += n
        if len(self.counts) > MAX_DISTINCT:
            self._give_up()

    def _give_up(self) -> None:
        """From here on estimate."""
        if self.too_many:
            return
        self.too_many = True
        words = list(self.counts)
        self.distinct.add(hash_words(words))
        self.frequent.add_counts(words, np.fromiter(self.counts.values(), np.int64, len(words)))
        self.counts.clear()

    def merge(self, other: Frequencies) -> None:
        """Add the rows of another state of the same column."""
        self.n_null += other.n_null
        if other.too_many:
            self._give_up()
            self.distinct.merge(other.distinct)
            self.frequent.merge(other.frequent)
        elif other.counts:
            self._add(list(other.counts), np.fromiter(other.counts.values(), np.int64, len(other.counts)))

    def n_distinct(self) -> tuple[float, float]:
        """The number of different values and its relative standard error, 0 when it is exact."""
        return self.distinct.estimate() if self.too_many else (float(len(self.counts)), 0.0)

    def most_frequent(self, n: int) -> tuple[list[tuple[str, int]], int]:
        """At most `n` of the most frequent values with their counts, and by how much a count may be too low."""
        if self.too_many:
            return self.frequent.top(n)
        return sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))[:n], 0

    def vocabulary(self, *, top_k: int, min_frequency: int = 1) -> list[str]:
        """The most frequent values, most frequent first, ties in reverse order; null is not among them.

        These are the words and their order that tf.Transform's `vocabulary` finds: ties go by falling UTF-8 bytes.
        Raises ConfigError when the column had more than 200,000 different values.
        """
        if self.too_many:
            raise ConfigError(
                where=f"column '{self.column}'",
                expected=f"a category of at most {MAX_DISTINCT:,} values",
                found="more",
                remedy="It looks like a key or free text: leave it out of `prepare.features`, or hash it.",
            )
        ranked = sorted(self.counts.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)
        return [value for value, n in ranked[:top_k] if n >= min_frequency]

    def with_null_as(self, word: str) -> Frequencies:
        """The same rows, with null replaced by `word`."""
        filled = Frequencies.from_dict(self.to_dict())
        if filled.n_null:
            filled._add([word], np.array([filled.n_null]))
        filled.n_null = 0
        return filled

    def with_counts(self, counts: Mapping[str, int]) -> Frequencies:
        """The same rows, with counts of some values that were made elsewhere."""
        counted = Frequencies(self.column)
        counted.n_null, counted.counts = self.n_null, Counter(counts)
        return counted

    def to_dict(self) -> FrequenciesRecord:
        """The state as plain values for JSON."""
        state: FrequenciesRecord = {
            "column": self.column,
            "n_null": self.n_null,
            "counts": dict(self.counts),
            "sketch_size": self.distinct.size,
        }
        if self.too_many:
            state |= {"distinct": self.distinct.to_dict(), "frequent": self.frequent.to_dict()}
        return state

    @classmethod
    def from_dict(cls, state: FrequenciesRecord) -> Frequencies:
        """The state that `to_dict` wrote."""
        frequencies = cls(state["column"], state["sketch_size"])
        frequencies.n_null, frequencies.counts = state["n_null"], Counter(state["counts"])
        if "distinct" in state:
            frequencies.too_many = True
            frequencies.distinct = Distinct.from_dict(state["distinct"])
            frequencies.frequent = Frequent.from_dict(state["frequent"], numbers=False)
        return frequencies


def hash_words(words: Sequence[str]) -> Ints:
    """A 64-bit hash of each word, the same in every process."""
    import pandas as pd

    array = np.array(words, dtype=object)
    return np.asarray(pd.util.hash_array(array, categorize=False)).view(np.int64)
