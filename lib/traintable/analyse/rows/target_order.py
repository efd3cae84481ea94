"""Categories as numbers, in the order in which a tree had best cut them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from traintable.arrays import Bools, Floats, Ints

FEWEST = 5  # rows of a word; rarer ones are taken together
SMOOTHING = 20.0
INNER_FOLDS = 5


def ordered(words: pa.Array, targets: Floats, is_train: Bools, folds: Ints) -> Floats:
    """Each row's word as a number, shape (rows,), learned from the rows of train.

    `targets` of shape (rows, targets) is what is explained. A word becomes its mean target over train, drawn towards
    that of all rows as if these had 20 rows of it. For one target that order has the best cut of all ways to divide the
    words (Breiman et al., "Classification and regression trees", 1984, section 4.2.2); for several it is that of the
    first principal component of the means (Coppersmith, Hong and Hosking, Data Mining and Knowledge Discovery 3, 1999).
    Null is a word; those of fewer than 5 rows of train, or of none, are one. For a row of train the means are those
    over the other `folds` of train: with its own answer in them, a word of few rows would tell it.
    """
    codes = _codes(words)
    size = int(codes.max(initial=0)) + 1
    counts = np.bincount(codes[is_train], minlength=size)
    codes = np.where(counts >= FEWEST, np.arange(size), size)[codes]
    overall = targets[is_train].mean(axis=0)
    n, sums = _totals(codes[is_train], targets[is_train] - overall, size + 1)
    direction = _direction(sums / (n + SMOOTHING), n)
    found = (sums / (n + SMOOTHING) @ direction)[codes]
    for fold in range(INNER_FOLDS):
        own = is_train & (folds == fold)
        own_n, own_sums = _totals(codes[own], targets[own] - overall, size + 1)
        means = (sums - own_sums) / (n - own_n + SMOOTHING)
        found[own] = (means @ direction)[codes[own]]
    return np.asarray(found)


def _totals(codes: Ints, deviations: Floats, size: int) -> tuple[Floats, Floats]:
    """Rows of each word, shape (words, 1), and sums of their deviations, shape (words, targets)."""
    n = np.bincount(codes, minlength=size).astype(np.float64)[:, None]
    return n, np.stack([np.bincount(codes, column, size) for column in deviations.T], axis=1)


def _direction(means: Floats, n: Floats) -> Floats:
    """The direction in which the words' means differ most, shape (targets,)."""
    if means.shape[1] == 1:
        return np.ones(1)
    _, vectors = np.linalg.eigh((means * n).T @ means)
    direction = vectors[:, -1]
    return np.asarray(direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0))


def _codes(words: pa.Array) -> Ints:
    """Words as numbers, null the last."""
    coded = words.dictionary_encode()
    return np.asarray(coded.indices.fill_null(len(coded.dictionary))).astype(np.int64)
