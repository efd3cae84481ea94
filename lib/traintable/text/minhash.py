"""MinHash: sets of tokens that are alike share a bucket with a known probability.

Each of `n` hash functions keeps of a set the smallest hash of its tokens; two sets agree in one of these with the
probability of their Jaccard similarity s, |A and B| / |A or B| (Broder, "On the resemblance and containment of
documents", 1997). Of bands of r such numbers, two sets agree in at least one of b bands with the probability
1 - (1 - s**r)**b (Indyk and Motwani, "Approximate nearest neighbors", STOC 1998; Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from traintable.arrays import Floats, Ints
from traintable.statistics.values import hash_numbers

Hashes = NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MAX_TOKENS = 2**22  # of the pairs that are compared at a time


@dataclass(frozen=True)
class Sets:
    """Sets of tokens, none of them empty: `tokens` of set i are those from `offsets[i]` to `offsets[i + 1]`."""

    tokens: Hashes
    offsets: Ints

    @classmethod
    def of_arrow(cls, lists: pa.ListArray) -> Sets:
        """The sets of a column of lists of 64-bit hashes, none null or empty, no token twice in a list."""
        sizes = np.asarray(pc.list_value_length(lists)).astype(np.int64)
        tokens = np.asarray(lists.flatten()).astype(np.int64, copy=False).view(np.uint64)
        return cls(tokens, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> Ints:
        """How many tokens each set has, shape (sets,)."""
        return np.diff(self.offsets)

    def take(self, chosen: Ints) -> tuple[Hashes, Ints]:
        """The tokens of some sets, one after the other, and for each token its set's index in `chosen`."""
        sizes = self.sizes[chosen]
        owner = np.repeat(np.arange(len(chosen)), sizes)
        first = np.cumsum(sizes) - sizes
        return self.tokens[np.arange(len(owner)) - first[owner] + self.offsets[chosen][owner]], owner


def signatures(sets: Sets, n: int, seed: int = 0) -> Hashes:
    """The smallest hash of each set's tokens under `n` hash functions, shape (sets, n).

    The functions are the high halves of a token times an odd number plus another, both drawn from the seed
    (Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic without primes",
    STACS 1996).
    """
    draws = hash_numbers((np.arange(2 * n, dtype=np.int64) + 1 + np.int64(seed) * 7919).view(np.float64)).view(
        np.uint64
    )
    factors, terms = draws[:n] | np.uint64(1), draws[n:]
    smallest = np.empty((len(sets), n), np.uint64)
    if len(sets):
        for i in range(n):
            values = (sets.tokens * factors[i] + terms[i]) >> np.uint64(32)
            smallest[:, i] = np.minimum.reduceat(values, sets.offsets[:-1])
    return smallest


def buckets(of_sets: Hashes, n_bands: int) -> Hashes:
    """One number for each band of the signatures, shape (sets, bands)."""
    rows = of_sets.shape[1] // n_bands
    total = np.zeros((len(of_sets), n_bands), np.uint64)
    for i in range(rows):
        total = (total ^ of_sets[:, i::rows]) * _GOLDEN
        total ^= total >> np.uint64(29)
    return total


def jaccard(a: Sets, i: Ints, b: Sets, j: Ints) -> Floats:
    """The exact similarity of set i[k] of `a` and set j[k] of `b`, shape (pairs,)."""
    similarity = np.zeros(len(i))
    ends = np.cumsum(a.sizes[i] + b.sizes[j])
    start = 0
    while start < len(i):
        taken = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, taken + _MAX_TOKENS, side="right")))
        similarity[start:stop] = _jaccard(a, i[start:stop], b, j[start:stop])
        start = stop
    return similarity


def _jaccard(a: Sets, i: Ints, b: Sets, j: Ints) -> Floats:
    left, owner = a.take(i)
    right, other = b.take(j)
    # A token and the pair it belongs to as one number; that two of them meet by chance is left to 64 bits.
    left, right = left ^ (owner.astype(np.uint64) * _GOLDEN), right ^ (other.astype(np.uint64) * _GOLDEN)
    shared = np.bincount(owner[np.isin(left, right)], minlength=len(i))
    return np.asarray(shared / (a.sizes[i] + b.sizes[j] - shared))


def recall(similarity: float, n_bands: int, rows_per_band: int) -> float:
    """The probability that two sets of this similarity share a bucket."""
    return float(1 - (1 - similarity**rows_per_band) ** n_bands)
