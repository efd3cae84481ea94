"""How good predictions are, by metrics that a rare class can't hide from."""

from __future__ import annotations

import numpy as np

from traintable.arrays import Bools, Floats, Ints


def average_precision(is_hit: Bools, scores: Floats) -> float:
    """The area under the precision-recall curve by steps, as scikit-learn has it; 0 without hits."""
    n_hits = int(is_hit.sum())
    if not n_hits:
        return 0.0
    ascending, place = np.unique(scores, return_inverse=True)
    hits = np.bincount(place, is_hit, len(ascending))[::-1]
    precision = np.cumsum(hits) / np.cumsum(np.bincount(place, minlength=len(ascending))[::-1])
    return float(np.dot(hits, precision) / n_hits)


def mean_average_precision(codes: Ints, shares: Floats, rarest: int) -> float:
    """Of two classes the average precision of the rarest one, of more the mean over classes.

    `codes` of shape (rows,) are the classes, `shares` of shape (rows, classes) what was predicted. Classes that have no
    row do not count.
    """
    places = np.array([rarest]) if shares.shape[1] == 2 else np.unique(codes)
    by_class = [average_precision(codes == place, shares[:, place]) for place in places.tolist()]
    return float(np.mean(by_class)) if by_class else 0.0


def explained_variance(values: Floats, predicted: Floats, constant: float) -> float:
    """The share of the squared error that predictions take from a constant one; below 0 when they are worse."""
    error = float(((values - constant) ** 2).sum())
    return 1 - float(((values - predicted) ** 2).sum()) / error if error > 0 else 0.0
