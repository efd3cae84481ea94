"""Categories as numbers, in the order in which a tree had best cut them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from traintable.analyse.rows.inputs import category_codes
from traintable.arrays import Bools, Floats, Ints

FEWEST = 5  # rows of a value; rarer ones are taken together
SMOOTHING = 20.0  # rows that the overall mean counts for where a value's mean is drawn towards it
INNER_FOLDS = 5


def encode_by_target(values: pa.Array, targets: Floats, is_train: Bools, folds: Ints) -> Floats:
    """Each row's category as a number, shape (rows,), learned from the rows of train.

    `targets` of shape (rows, targets) is what is explained. A value becomes its mean target over train, drawn towards
    that of all rows as if these had 20 rows of it. For one target that order has the best cut of all ways to divide the
    values (Breiman et al., "Classification and regression trees", 1984, section 4.2.2); for several it is that of the
    first principal component of the means (Coppersmith, Hong and Hosking, Data Mining and Knowledge Discovery 3, 1999).
    Null is a value; those of fewer than 5 rows of train, or of none, are one. For a row of train the means are those
    over the other `folds` of train: with its own label in them, a value of few rows would give the label away.
    """
    _, codes = category_codes(values)
    size = int(codes.max(initial=0)) + 1
    counts = np.bincount(codes[is_train], minlength=size)
    codes = np.where(counts >= FEWEST, np.arange(size), size)[codes]
    overall = targets[is_train].mean(axis=0)
    n, sums = _totals(codes[is_train], targets[is_train] - overall, size + 1)
    direction = _direction(sums / (n + SMOOTHING), n)
    encoded = (sums / (n + SMOOTHING) @ direction)[codes]
    for fold in range(INNER_FOLDS):
        in_fold = is_train & (folds == fold)
        n_in_fold, sums_in_fold = _totals(codes[in_fold], targets[in_fold] - overall, size + 1)
        means = (sums - sums_in_fold) / (n - n_in_fold + SMOOTHING)
        encoded[in_fold] = (means @ direction)[codes[in_fold]]
    return np.asarray(encoded)


def smoothed_means(codes: Ints, target: Floats, size: int, centre: float) -> Floats:
    """The mean target of each code below `size`, drawn towards `centre` as if that had 20 rows of it."""
    n = np.bincount(codes, minlength=size)
    return np.asarray((np.bincount(codes, target, size) + SMOOTHING * centre) / (n + SMOOTHING))


def _totals(codes: Ints, deviations: Floats, size: int) -> tuple[Floats, Floats]:
    """Rows of each value, shape (values, 1), and sums of their deviations, shape (values, targets)."""
    n = np.bincount(codes, minlength=size).astype(np.float64)[:, None]
    return n, np.stack([np.bincount(codes, column, size) for column in deviations.T], axis=1)


def _direction(means: Floats, n: Floats) -> Floats:
    """The direction in which the values' means differ most, shape (targets,)."""
    if means.shape[1] == 1:
        return np.ones(1)
    _, vectors = np.linalg.eigh((means * n).T @ means)
    direction = vectors[:, -1]
    return np.asarray(direction * (1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0))
