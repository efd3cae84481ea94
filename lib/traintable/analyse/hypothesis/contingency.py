"""Are two categorical columns independent?"""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats  # type: ignore[import-untyped]

from traintable.analyse.association.categorical import cramers_v, without_empty
from traintable.analyse.hypothesis.freeman_halton import freeman_halton
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult
from traintable.arrays import Floats
from traintable.errors import ConfigError
from traintable.statistics.association import chi2

MISSING = "chi-square, missing or not"
_MAX_CONDITIONAL = 10_000  # rows up to which the conditional odds ratio is computed


def independence(table: ArrayLike, *, confidence: float = CONFIDENCE) -> TestResult:
    """The chi-square test where Cochran's rule allows it, else Fisher's exact test where that is feasible.

    The result's `test` says which it was: "chi-square, few rows" where the counts are too small for one and the
    table is too large for the other.

    Examples
    --------
    >>> independence([[30, 10], [15, 25]]).test, independence([[3, 0], [1, 4]]).test
    ('chi-square', 'fisher')
    """
    if not is_sparse(table):
        return chi_square(table, confidence=confidence)
    try:
        return fisher(table, confidence=confidence)
    except ConfigError:
        return replace(chi_square(table, confidence=confidence), test="chi-square, few rows")


def chi_square(table: ArrayLike, *, confidence: float = CONFIDENCE) -> TestResult:
    """Pearson's chi-square test, without a correction for continuity.

    Parameters
    ----------
    table : counts of shape (values of one column, values of the other); rows and columns of zeros are left out.
    confidence : of the interval of the effect, which is `association.cramers_v`.

    Returns
    -------
    TestResult
        As `statistics.association.chi2`: 0 with p 1 when a column has fewer than two values.

    Source: Pearson (1900).

    Examples
    --------
    >>> result = chi_square([[30, 10], [15, 25]])
    >>> round(result.statistic, 3), round(result.p_value, 5), result.effect.name
    (11.429, 0.00072, 'cramers v')
    """
    counts = without_empty(table)
    test = chi2(counts)
    effect = cramers_v(counts, confidence=confidence) if min(counts.shape) > 1 else None
    return TestResult("chi-square", test.statistic, test.p_value, int(counts.sum()), effect)


def missing_or_not(table: ArrayLike) -> TestResult:
    """`chi_square` of counts by whether a value is missing, shape (groups, 2), under the name `MISSING`.

    Examples
    --------
    >>> round(missing_or_not([[5, 95], [20, 80]]).p_value, 5)  # 5 of 100 rows are missing in a group, 20 in another
    0.00134
    """
    return replace(chi_square(table), test=MISSING)


def fisher(table: ArrayLike, *, confidence: float = CONFIDENCE) -> TestResult:
    """Fisher's exact test, two-sided: tables of the same totals that are no more likely than this one are extreme.

    Parameters
    ----------
    table : counts; rows and columns of zeros are left out.
    confidence : of the interval of the effect.

    Returns
    -------
    TestResult
        For two by two values, the odds ratio as counted, SciPy's p-value, and as effect `odds_ratio`. For other shapes
        the exact p-value by Freeman and Halton, no statistic (NaN), and `association.cramers_v`. p is 1 when a column
        has fewer than two values.

    Raises
    ------
    ConfigError
        When a table that is not two by two is too large to build all tables of the same totals.

    Source: Fisher, "The Design of Experiments" (1935); Freeman and Halton (1951).

    Examples
    --------
    >>> result = fisher([[3, 0], [1, 4]])
    >>> round(result.p_value, 4), result.effect.name
    (0.1429, 'odds ratio, conditional')
    """
    counts = without_empty(table)
    n = int(counts.sum())
    if min(counts.shape) < 2:
        return TestResult("fisher", nan, 1.0, n)
    if counts.shape == (2, 2):
        exact = stats.fisher_exact(counts.astype(np.int64))
        return TestResult("fisher", float(exact.statistic), float(exact.pvalue), n, odds_ratio(counts, confidence))
    p_value = freeman_halton(counts.astype(np.int64))
    return TestResult("fisher", nan, p_value, n, cramers_v(counts, confidence=confidence))


def odds_ratio(table: ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The odds of the first column in the first row, divided by those in the second.

    Up to 10,000 rows it is the conditional estimate with its exact interval, which belongs to Fisher's test; beyond
    them the ratio as counted with Woolf's interval of its logarithm.

    Source: Cornfield, "A statistical problem arising from retrospective studies" (1956); Woolf, "On estimating the
    relation between blood group and disease" (Annals of Human Genetics 19, 1955).

    Examples
    --------
    >>> round(odds_ratio([[30, 10], [15, 25]]).value, 3)
    4.89
    """
    counts = np.asarray(table, dtype=np.int64)
    kind = "conditional" if counts.sum() <= _MAX_CONDITIONAL else "sample"
    ratio = stats.contingency.odds_ratio(counts, kind=kind)
    interval = ratio.confidence_interval(confidence)
    return Effect(f"odds ratio, {kind}", float(ratio.statistic), float(interval.low), float(interval.high))


def is_sparse(table: ArrayLike) -> bool:
    """Whether the counts are too small for a chi-square test: an expected one below 1, or a fifth of them below 5.

    Source: Cochran, "Some methods for strengthening the common chi-square tests" (Biometrics 10, 1954).

    Examples
    --------
    >>> is_sparse([[30, 10], [15, 25]]), is_sparse([[3, 0], [1, 4]])
    (False, True)
    """
    counts = without_empty(table)
    expected = _expected(counts)
    return bool(expected.min(initial=inf) < 1 or np.mean(expected < 5) > 0.2) if expected.size else False


def _expected(counts: Floats) -> Floats:
    return np.asarray(np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1.0))
