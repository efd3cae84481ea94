"""Are values normal with a given mean, or two classes distributed alike?"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy import special, stats  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.moments import standard_scores, without_zero_counts
from traintable.analyse.hypothesis.pooled_ranks import PooledRanks, integer_type, rows_below
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult
from traintable.arrays import Floats
from traintable.statistics import Weighted

_MAX_EXACT = 10_000  # rows of the larger class; also where scipy.stats.ks_2samp stops


def ks_1samp(values: Weighted, mean: float, std: float, *, confidence: float = CONFIDENCE) -> TestResult:
    """Kolmogorov's test against the normal distribution of a mean and standard deviation that are given.

    They must come from elsewhere: with those of the values themselves the p-value is far too large, and `lilliefors` is
    the test to use.

    Returns
    -------
    TestResult
        The largest distance of the two distribution functions, with the exact p-value. The effect is that distance,
        with limits by the inequality of Dvoretzky, Kiefer and Wolfowitz, which hold for every distribution. NaN without
        values, or when `std` is not above 0.

    Source: Kolmogorov (1933); Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality" (Annals of
    Probability 18, 1990); p-values by Simard and L'Ecuyer (2011), as SciPy has them.

    Examples
    --------
    >>> result = ks_1samp(Weighted.of([-1.2, -0.3, 0.1, 0.8]), mean=0.0, std=1.0)
    >>> round(result.statistic, 4), round(result.p_value, 4)
    (0.2119, 0.9781)
    """
    if not values.n or not (0 < std < math.inf and math.isfinite(mean)):
        return TestResult("kolmogorov-smirnov, one sample", math.nan, math.nan, values.n, None, values.rank_error)
    d = distance_from_normal(values, Fraction(mean), std)
    p_value = float(stats.kstwo.sf(d, values.n))
    effect = _distance(d, _deviation(values.n, 1 - confidence))
    return TestResult("kolmogorov-smirnov, one sample", d, p_value, values.n, effect, values.rank_error)


def ks_2samp(a: Weighted, b: Weighted, *, confidence: float = CONFIDENCE) -> TestResult:
    """Smirnov's test of two classes for one distribution.

    Returns
    -------
    TestResult
        The largest distance of the two distribution functions, two-sided. As in scipy.stats.ks_2samp the p-value is
        exact up to 10,000 rows in the larger class (if there are no ties; too large where there are), and beyond that
        of the one-sample test of n m / (n + m) rows. The effect is the distance, with limits by the inequality of
        Dvoretzky, Kiefer and Wolfowitz for each class. NaN when a class has no rows.

    Source: Smirnov (1939); Hodges, "The significance probability of the Smirnov two-sample test" (Arkiv för Matematik
    3, 1958); Massart (1990).

    Examples
    --------
    >>> result = ks_2samp(Weighted.of([1, 2, 3, 4]), Weighted.of([3, 4, 5, 6]))
    >>> result.statistic, round(result.p_value, 4)
    (0.5, 0.7714)
    """
    n, rank_error = a.n + b.n, a.rank_error + b.rank_error
    if not a.n or not b.n:
        return TestResult("kolmogorov-smirnov, two samples", math.nan, math.nan, n, None, rank_error)
    d = _largest_distance(a, b)
    if max(a.n, b.n) <= _MAX_EXACT:
        p_value = float(stats.ks_2samp(_rows(a), _rows(b)).pvalue)
    else:
        p_value = float(stats.kstwo.sf(d, round(a.n * b.n / n)))
    tail = (1 - confidence) / 2
    effect = _distance(d, _deviation(a.n, tail) + _deviation(b.n, tail))
    return TestResult("kolmogorov-smirnov, two samples", d, p_value, n, effect, rank_error)


def distance_from_normal(values: Weighted, mean: Fraction, std: float) -> float:
    """The largest distance of the distribution function from that of a normal distribution."""
    values = without_zero_counts(values)
    normal = special.ndtr(standard_scores(values, mean, std))
    ends = np.cumsum(values.counts)
    up_to, below = ends / values.n, (ends - values.counts) / values.n
    return float(max((up_to - normal).max(), (normal - below).max()))


def _largest_distance(a: Weighted, b: Weighted) -> float:
    limits = PooledRanks.of([a, b]).values
    whole = integer_type(a.n * b.n)
    of_a, of_b = (rows_below(values, limits, "right").astype(whole) for values in (a, b))
    return float(np.abs(of_a * b.n - of_b * a.n).max() / (a.n * b.n))


def _rows(values: Weighted) -> Floats:
    """Each value as often as it occurs."""
    return np.repeat(values.values, values.counts)


def _deviation(n: int, tail: float) -> float:
    """By how much an empirical distribution function is off somewhere with a probability of at most `tail`."""
    return math.sqrt(math.log(2 / tail) / (2 * n))


def _distance(d: float, deviation: float) -> Effect:
    return Effect("distance", d, max(0.0, d - deviation), min(1.0, d + deviation))
