"""How well a column tells classes apart, from counts of its values in each class: no rows, no pass over data.

A table has shape (values, classes); where it is about order, its rows are in that of the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import nan, sqrt

import numpy as np

from traintable.arrays import Ints
from traintable.statistics.association import mutual_information


def auc(negative: Ints, positive: Ints) -> float:
    """Area under the ROC curve of the values' order, ties counting half; NaN unless both have rows.

    It is the probability that a value of a positive row lies above one of a negative row (Mann and Whitney, 1947).
    """
    pairs = float(negative.sum()) * float(positive.sum())
    if not pairs:
        return nan
    below = np.cumsum(negative) - negative
    return float(np.sum(positive * (below + negative / 2.0))) / pairs


def standard_error(area: float, n_negative: int, n_positive: int) -> float:
    """The standard error of an area under the ROC curve; infinite unless both have rows.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve" (Radiology 143, 1982).
    """
    if not n_negative or not n_positive:
        return float("inf")
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    return sqrt(max(spread, 0.0) / (n_negative * n_positive))


def classes_by_rank(table: Ints) -> Ints:
    """The classes that have rows, in the order of the mean ranks of their values."""
    ends = np.cumsum(table.sum(axis=1))
    rank = ends - table.sum(axis=1) / 2.0
    n = table.sum(axis=0)
    present = np.flatnonzero(n)
    return np.asarray(present[np.argsort(rank @ table[:, present] / n[present], kind="stable")])


def separation(table: Ints, order: Ints) -> float:
    """The least area under the ROC curve between neighbours of `order`: 1 when cuts part all classes.

    Classes without rows are passed over; NaN unless two have rows.
    """
    present = [k for k in order.tolist() if table[:, k].any()]
    areas = [auc(table[:, low], table[:, high]) for low, high in pairwise(present)]
    return min(areas, default=nan)


def information(table: Ints) -> float:
    """The share of the label's entropy that the values tell, 0 to 1, less what as many values would tell by chance.

    (values - 1) (classes - 1) / (2 rows) is how much too large the plug-in estimate is, to first order, for independent
    columns: Miller, "Note on the bias of information estimates" (1955). So a column that is different in each row of a
    small table does not seem to tell the label.
    """
    rows, columns = table[table.any(axis=1)], table.any(axis=0)
    n, classes = int(table.sum()), int(columns.sum())
    if classes < 2 or len(rows) < 2:
        return 0.0
    share = table.sum(axis=0)[columns] / n
    entropy = -float(np.sum(share * np.log(share)))
    bias = (len(rows) - 1) * (classes - 1) / (2 * n)
    return min(1.0, max(0.0, (mutual_information(table).statistic - bias) / entropy))


@dataclass(frozen=True)
class Lookup:
    """How often the most frequent class that a value has in train is right in other rows whose value train has too.

    `constant` is how often the best answer that is the same for all of these rows is right.
    """

    n: int
    accuracy: float
    constant: float

    @property
    def saved(self) -> float:
        """The share of the constant answer's errors that are not made, 0 where it makes none."""
        return (self.accuracy - self.constant) / (1 - self.constant) if self.constant < 1 else 0.0

    @property
    def z(self) -> float:
        """By how many standard errors the accuracy lies above the constant answer's."""
        spread = sqrt(self.constant * (1 - self.constant) / self.n) if self.n else 0.0
        return (self.accuracy - self.constant) / spread if spread else 0.0


def lookup(train: Ints, held: Ints) -> Lookup:
    """Look the classes of `held` up by value in `train`; both have shape (values, classes)."""
    seen = train.any(axis=1)
    rows = held[seen]
    n = int(rows.sum())
    if not n:
        return Lookup(0, 0.0, 0.0)
    answers = np.argmax(train[seen], axis=1)
    right = int(rows[np.arange(len(rows)), answers].sum())
    return Lookup(n, right / n, int(rows.sum(axis=0).max()) / n)


def bin_numbers(table: Ints, n_bins: int) -> Ints:
    """For each value the bin it falls into, of at most `n_bins` with about equally many rows each; shape (values,)."""
    n = table.sum(axis=1)
    middle = np.cumsum(n) - n / 2.0
    number = np.floor(middle * n_bins / max(1, int(n.sum()))).astype(np.int64)
    return np.asarray(np.minimum(number, n_bins - 1))


def bin_counts(table: Ints, bin_of: Ints) -> Ints:
    """The counts by bin; shape (bins, classes)."""
    out = np.zeros((int(bin_of.max(initial=-1)) + 1, table.shape[1]), np.int64)
    np.add.at(out, bin_of, table)
    return out
