"""How far rows lie outside of where a tree's rows lie, and how much sooner that would have isolated them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from traintable.analyse.rows.feature_encoding import Matrix
from traintable.arrays import Floats


@dataclass(frozen=True)
class BoundingBox:
    """The range of each feature among as many rows as a tree is fitted to, shape (features,) both."""

    low: Floats
    high: Floats

    def chances(self, matrix: Matrix) -> Floats:
        """For each row and feature the chance that one cut there would isolate the row, shape (rows, features).

        A cut falls evenly between the lowest and the highest value; of a row outside of the box, it isolates the row
        where it falls outside too.
        """
        chances = np.zeros(matrix.shape)
        for i in range(matrix.shape[1]):
            values = matrix[:, i].astype(np.float64)
            outside = np.maximum(np.maximum(values - self.high[i], self.low[i] - values), 0.0)
            width = outside + (self.high[i] - self.low[i])
            chances[:, i] = np.divide(outside, width, out=np.zeros(len(values)), where=width > 0)
        return np.asarray(chances / max(1, matrix.shape[1]))


def shorten_paths(lengths: Floats, chances: Floats) -> Floats:
    """Path lengths to be expected where each step has some chance to isolate the row; all of shape (rows,).

    A tree that has not seen a row beyond all others can't cut between it and them: it takes the row for the outermost
    that it has seen. Had the row been seen, each cut would have isolated it with that chance, and the path would end
    after min(length, G) steps, G being geometrically distributed: (1 - (1 - p)**length) / p on average.
    """
    expected = lengths.copy()
    for row in np.flatnonzero(chances > 0).tolist():  # Python's functions, for NumPy's last bit depends on the batch
        chance = min(float(chances[row]), 1 - 1e-12)
        expected[row] = -math.expm1(float(lengths[row]) * math.log1p(-chance)) / chance
    return np.asarray(expected)
