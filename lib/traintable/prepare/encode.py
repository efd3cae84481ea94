"""Features of a category; the unseen and the missing have a declared level in each."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from traintable.prepare.terms import Term, array_literal, number_literal
from traintable.statistics.frequencies import Frequencies

OTHER, MISSING = "<other>", "<missing>"


def level_names(vocabulary: Sequence[str], num_oov_buckets: int) -> list[str]:
    """The names of a category's levels: the words, the buckets of any other word, and null.

    As the vocabularies of tf.Transform: most frequent first, then out-of-vocabulary buckets by hash.
    """
    buckets = [OTHER] if num_oov_buckets == 1 else [f"<other {i}>" for i in range(1, num_oov_buckets + 1)]
    return [*vocabulary, *buckets, MISSING]


def level_index(value: str, vocabulary: Sequence[str], num_oov_buckets: int) -> str:
    """SQL of the index of a category's level, counted from 0; -1 for a word that has none, as there is no bucket."""
    n = len(vocabulary)
    other = (
        "-1" if num_oov_buckets == 0 else f"{n} + {bucket(value, num_oov_buckets)}" if num_oov_buckets > 1 else f"{n}"
    )
    known = lookup(value, {word: i for i, word in enumerate(vocabulary)})
    return f"IF({value} IS NULL, {n + num_oov_buckets}, coalesce({known}, {other}))"


def bucket(value: str, n: int) -> str:
    """SQL of a number in 0 to n - 1 that a hash of the text gives."""
    return f"CAST(pmod(xxhash64({value}), {n}) AS INT)"


def one_hot(name: str, index: str, names: Sequence[str]) -> list[Term]:
    """One feature for each level."""
    return [Term(f"{name}_{word}", f"IF({index} = {i}, 1.0D, 0.0D)", name) for i, word in enumerate(names)]


def ordinal(name: str, index: str) -> list[Term]:
    """The index itself: words by falling frequency, then buckets, then null; -1 for a word without a level."""
    return [Term(name, f"CAST({index} AS DOUBLE)", name)]


def frequency(
    name: str, value: str, frequencies: Frequencies, n_rows: int, *, top_k: int, min_frequency: int
) -> list[Term]:
    """The share of train's rows that have the value; 0 for one that train has not, or too rarely."""
    vocabulary = frequencies.vocabulary(top_k=top_k, min_frequency=min_frequency)
    shares = {word: frequencies.counts[word] / n_rows for word in vocabulary}
    known = f"coalesce({lookup(value, shares)}, 0.0D)" if shares else "0.0D"
    missing = number_literal(frequencies.n_null / n_rows) if n_rows else "0.0D"
    return [Term(name, f"IF({value} IS NULL, {missing}, {known})", name)]


def hashed_index(value: str, n_buckets: int) -> str:
    """SQL of the index of a level where nothing is learned: one of `n_buckets` into which words are hashed, or null."""
    return f"IF({value} IS NULL, {n_buckets}, {bucket(value, n_buckets)})"


def hashed_level_names(n_buckets: int) -> list[str]:
    """The names of the levels that `hashed_index` numbers."""
    return [*(f"<{i}>" for i in range(n_buckets)), MISSING]


def lookup_or_default(key: str, entries: Mapping[str, float], default: str) -> str:
    """SQL of the number that belongs to a key, or the default."""
    return f"coalesce({lookup(key, entries)}, {default})"


_FEW = 8  # words that are compared one by one


def lookup(value: str, entries: Mapping[str, float]) -> str:
    """SQL of the number of a text, a double, or an int where all are; null for a text that has none, and for null.

    Words are spread by their CRC-32 over an array of short lists, so a row is compared with about eight words, however
    many there are. `value` is used several times.
    """
    if not entries:
        return "NULL"
    n = max(1, len(entries) // _FEW)
    shares: list[dict[str, float]] = [{} for _ in range(n)]
    for word, entry in sorted(entries.items()):  # in one order, so that the same entries give the same statement
        shares[_share_number(word, n)][word] = entry
    kind = "int" if all(isinstance(entry, int) for entry in entries.values()) else "double"
    list_number = f"CAST(crc32(CAST({value} AS BINARY)) % {n} AS INT)" if n > 1 else "0"
    words = f"{array_literal([list(share) for share in shares], 'array<array<string>>')}[{list_number}]"
    numbers = f"{array_literal([list(share.values()) for share in shares], f'array<array<{kind}>>')}[{list_number}]"
    return f"try_element_at({numbers}, CAST(nullif(array_position({words}, {value}), 0) AS INT))"


def _share_number(word: str, n: int) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % n
