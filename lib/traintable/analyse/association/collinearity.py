"""Collinearity: how far columns follow from each other, from one covariance."""

from __future__ import annotations

from math import inf, nan

import numpy as np

from traintable.arrays import Bools, Floats
from traintable.statistics import Covariance

MODERATE_VIF, SEVERE_VIF = 5.0, 10.0
MODERATE_CONDITION, SEVERE_CONDITION = 100.0, 1000.0

_EPS = float(np.finfo(np.float64).eps)


def vif(covariance: Covariance) -> Floats:
    """Variance inflation factors, shape (columns,): 1 / (1 - R**2) of the regression of each column on the others.

    Infinite for a column that follows from others, as far as doubles can tell; NaN for one that is constant, which
    counts as no column for the others. A covariance of pairs of rows (`Gram.pairwise`) need not belong to any rows:
    where it doesn't, its directions of negative variance count as those of none. 5 and 10 are the usual limits.

    Source: Marquardt, "Generalized inverses, ridge regression, biased linear estimation, and nonlinear estimation"
    (Technometrics 12, 1970).

    Examples
    --------
    >>> vif(Covariance(("x", "y"), np.zeros(2), np.array([[1.0, 0.8], [0.8, 1.0]]))).round(3).tolist()
    [2.778, 2.778]
    """
    correlation, varies = _varying_correlation(covariance)
    factors = np.full(len(varies), nan)
    if not varies.any():
        return factors
    values, vectors = (np.asarray(part, np.float64) for part in np.linalg.eigh(correlation))
    null = values <= _tolerance(values)
    shares = vectors**2
    inflation = (shares[:, ~null] / values[~null]).sum(axis=1)
    follows = shares[:, null].sum(axis=1) > len(values) * _EPS
    factors[varies] = np.where(follows, inf, np.maximum(inflation, 1.0))
    return factors


def condition_number(covariance: Covariance) -> float:
    """The condition number of the correlation matrix: its largest eigenvalue divided by its smallest.

    Below 100 there is no serious collinearity, above 1,000 a severe one; the root is Belsley's condition index of
    centred columns. Infinite when some column follows from others, as far as doubles can tell. Constant columns are
    left out; NaN when no column is left.

    Source: Montgomery, Peck and Vining, "Introduction to Linear Regression Analysis" (2012), section 9.4; Belsley, Kuh
    and Welsch, "Regression Diagnostics" (1980).

    Examples
    --------
    >>> round(condition_number(Covariance(("x", "y"), np.zeros(2), np.array([[1.0, 0.8], [0.8, 1.0]]))), 6)
    9.0
    """
    correlation, varies = _varying_correlation(covariance)
    if not varies.any():
        return nan
    values = np.asarray(np.linalg.eigvalsh(correlation), np.float64)
    return float(values[-1] / values[0]) if values[0] > _tolerance(values) else inf


def _varying_correlation(covariance: Covariance) -> tuple[Floats, Bools]:
    """The correlations of the columns that vary, where unknown ones count as 0; and which columns those are."""
    varies = np.nan_to_num(covariance.std) > 0
    correlation = np.clip(covariance.correlation[np.ix_(varies, varies)], -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation, varies


def _tolerance(values: Floats) -> float:
    """The eigenvalue that rounding can make of 0."""
    return len(values) * _EPS * max(float(np.abs(values).max()), 1.0)
