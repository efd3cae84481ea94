"""How strongly two categorical columns are associated, from their contingency table."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.noncentral import noncentral_chi2
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect
from traintable.arrays import Floats
from traintable.statistics.association import chi2, mutual_information


def cramers_v(table: ArrayLike, *, confidence: float = CONFIDENCE) -> Effect:
    """Cramer's V with Bergsma's correction: 0 on average, not above, where two columns are independent.

    Parameters
    ----------
    table : counts of shape (values of one column, values of the other); rows and columns of zeros are left out.
    confidence : of the interval.

    Returns
    -------
    Effect
        V in 0 to 1. The interval is that of the V of the population, sqrt(noncentrality / (n min(r - 1, c - 1))), by
        the noncentral chi-square distribution. NaN when a column has fewer than two values or there are too few rows.

    Source: Bergsma, "A bias-correction for Cramér's V and Tschuprow's T" (Journal of the Korean Statistical Society 42,
    2013); Smithson, "Confidence Intervals" (2003), for the interval.

    Examples
    --------
    >>> effect = cramers_v([[30, 10], [15, 25]])
    >>> round(effect.low, 3), round(effect.value, 3), round(effect.high, 3)
    (0.159, 0.363, 0.597)
    """
    counts = without_empty(table)
    (rows, columns), n = counts.shape, float(counts.sum())
    if min(rows, columns) < 2:
        return Effect("cramers v", nan)
    statistic, df = chi2(counts).statistic, (rows - 1) * (columns - 1)
    width = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)) - 1
    value = min(1.0, sqrt(max(0.0, statistic / n - df / (n - 1)) / width)) if width > 0 else nan
    largest = n * (min(rows, columns) - 1)
    low, high = (min(1.0, sqrt(nc / largest)) for nc in noncentral_chi2(statistic, df, confidence))
    return Effect("cramers v", value, low, high)


@dataclass(frozen=True)
class Information:
    """Mutual information of two columns.

    Attributes
    ----------
    nats : as counted; too large on average.
    corrected : by Miller and Madow, which can fall below 0.
    normalised : `nats` divided by the mean of the two entropies, in 0 to 1; 0 when neither column varies.
    """

    nats: float
    corrected: float
    normalised: float


def information(table: ArrayLike) -> Information:
    """The mutual information of two columns, from the table of their counts; all NaN without rows.

    Source: Cover and Thomas, "Elements of Information Theory" (2006), section 2.3; Miller, "Note on the bias of
    information estimates" (1955), where each entropy is raised by (values that occur - 1) / (2 n).

    Examples
    --------
    >>> round(information([[20, 0], [0, 20]]).nats, 4), information([[10, 10], [10, 10]]).normalised
    (0.6931, 0.0)
    """
    counts = without_empty(table)
    n = float(counts.sum())
    if not n:
        return Information(nan, nan, nan)
    nats = mutual_information(counts).statistic
    excess = 1 + int(np.count_nonzero(counts)) - sum(counts.shape)
    entropy = (_entropy(counts.sum(axis=1)) + _entropy(counts.sum(axis=0))) / 2
    return Information(nats, nats - excess / (2 * n), min(1.0, nats / entropy) if entropy > 0 else 0.0)


def without_empty(table: ArrayLike) -> Floats:
    """The counts without the rows and columns that are all zero."""
    counts = np.asarray(table, dtype=np.float64)
    return np.asarray(counts[counts.any(axis=1)][:, counts.any(axis=0)])


def _entropy(counts: Floats) -> float:
    n = float(counts.sum())
    return log(n) - float(np.sum(special.xlogy(counts, counts))) / n
