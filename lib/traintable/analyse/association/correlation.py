"""Pearson's and Spearman's correlation from covariances, of values and of ranks."""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, isnan, nan, sqrt, tanh

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.moments import present
from traintable.analyse.result import CONFIDENCE, Effect, TestResult
from traintable.statistics import Covariance, Weighted
from traintable.statistics.exact import Floats


def pearson(covariance: Covariance) -> Floats:
    """Pearson's correlation of each pair, within -1 and 1, shape (columns, columns); NaN where a column is constant.

    Of `Gram.imputed` it is that of the filled columns, of `Gram.pairwise` that of the rows in which both have a value
    divided by standard deviations over all values, which is near the correlation of those rows and not quite it.
    """
    std = np.where(covariance.std > 0, covariance.std, nan)
    found = np.clip(covariance.covariance / std[:, None] / std[None, :], -1.0, 1.0)
    np.fill_diagonal(found, np.where(np.isnan(std), nan, 1.0))
    return np.asarray(found)


def spearman(ranks: Covariance) -> Floats:
    """Spearman's correlation from the covariance of the ranks that `MidRanks` gave; as `pearson` otherwise.

    Where values are missing, ranks are those among all values of a column, not among the rows in which both columns
    have one.

    Source: Spearman, "The proof and measurement of association between two things" (1904).
    """
    return pearson(ranks)


@dataclass(frozen=True)
class MidRanks:
    """Ranks of the values of a column, 1 the lowest, equal values sharing the mean of theirs.

    A second scan applies them to the rows; the covariance of what it gives is what `spearman` takes. Where the values
    are not the column's own (`rank_error` above 0) a value between two of them gets a rank between theirs, off by at
    most twice `rank_error` of the rows.

    Attributes
    ----------
    values, ranks : ascending, shape (values,).
    """

    values: Floats
    ranks: Floats
    rank_error: float = 0.0

    @classmethod
    def of(cls, values: Weighted) -> MidRanks:
        """The ranks of these rows."""
        own = present(values)
        return cls(own.values, (2 * np.cumsum(own.counts) - own.counts + 1) / 2, own.rank_error)

    def __call__(self, values: Floats) -> Floats:
        """The rank of each value; NaN of NaN, and when no ranks are known."""
        if not len(self.values):
            return np.full(len(values), nan)
        return np.where(np.isnan(values), nan, np.interp(values, self.values, self.ranks))


def correlation_test(r: float, n: int, *, method: str = "pearson", confidence: float = CONFIDENCE) -> TestResult:
    """Test of no correlation, with an interval of the correlation.

    Parameters
    ----------
    r : a correlation of `n` rows in which both columns have a value.
    method : "pearson" or "spearman".
    confidence : of the interval.

    Returns
    -------
    TestResult
        r, with the two-sided p-value of t = r sqrt((n - 2) / (1 - r**2)) as SciPy has it: exact for normal values and
        Pearson's r, else one for many rows. The interval is Fisher's, for ranks with the variance of Bonett and
        Wright, (1 + r**2 / 2) / (n - 3). NaN below 3 rows; no interval below 4.

    Source: Fisher, "On the probable error of a coefficient of correlation ..." (Metron 1, 1921); Bonett and Wright,
    "Sample size requirements for estimating Pearson, Kendall and Spearman correlations" (Psychometrika 65, 2000).
    """
    if isnan(r) or n < 3:
        return TestResult(method, r, nan, n)
    if abs(r) >= 1:
        return TestResult(method, r, 0.0, n, Effect("correlation", r, r, r))
    t = abs(r) * sqrt((n - 2) / ((1 - r) * (1 + r)))
    p_value = float(2 * special.stdtr(n - 2, -t))
    if n < 4:
        return TestResult(method, r, p_value, n, Effect("correlation", r))
    spread = (1 + r * r / 2 if method == "spearman" else 1.0) / (n - 3)
    reach = float(special.ndtri((1 + confidence) / 2)) * sqrt(spread)
    effect = Effect("correlation", r, tanh(atanh(r) - reach), tanh(atanh(r) + reach))
    return TestResult(method, r, p_value, n, effect)
