"""Deal groups out to splits (or folds) so that each has its share of every class."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_STEPS = 4  # in how many steps, at least, the groups of one kind go to each split


def allot(vectors: Ints, n_groups: Ints, shares: Sequence[Fraction]) -> Ints:
    """How many groups of each kind each split gets, shape (kinds, splits).

    `vectors` has the rows of each class in a group of a kind, shape (kinds, classes), `n_groups` the groups of each
    kind. Kinds are taken from the most unequal to the most equal one, as sklearn.model_selection.StratifiedGroupKFold
    takes groups, and each group goes where the splits' shares of the classes and of all rows then vary least. Groups
    of one kind are interchangeable, so many of them go in few steps, the last ones one by one.
    """
    amounts = np.column_stack([vectors, vectors.sum(axis=1)]).astype(np.float64)
    amounts /= np.maximum(amounts.T @ n_groups, 1.0)  # of each class the share that one group has
    ratios = np.array([float(share) for share in shares])
    filled = np.zeros((len(shares), amounts.shape[1]))  # of each class the share that a split has, by its ratio
    dealt = np.zeros((len(vectors), len(shares)), np.int64)
    for kind in _order(vectors):
        left = int(n_groups[kind])
        while left:
            n = max(1, left // (_STEPS * len(shares)))
            split = _best_split(filled, ratios, n * amounts[kind])
            filled[split] += n * amounts[kind] / ratios[split]
            dealt[kind, split] += n
            left -= n
    return dealt


def _order(vectors: Ints) -> list[int]:
    """Kinds from the most unequal counts to the most equal ones, larger groups first, then by their counts."""
    n = vectors.sum(axis=1)
    spread = vectors.shape[1] * (vectors**2).sum(axis=1) - n**2  # the variance in whole numbers
    return [int(kind) for kind in np.lexsort([*reversed(vectors.T), -n, -spread])]


def _best_split(filled: npt.NDArray[np.float64], ratios: npt.NDArray[np.float64], added: npt.NDArray[Any]) -> int:
    """The split that can take the amounts with the smallest growth of the weighted variance of shares over splits."""
    growth = 2 * filled * added + added * added / ratios[:, None]
    return int(np.argmin(np.cumsum(growth, axis=1)[:, -1]))  # summed in one order on every machine
