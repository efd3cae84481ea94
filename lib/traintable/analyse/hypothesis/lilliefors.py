"""Are values normal, with whatever mean and standard deviation?"""

from __future__ import annotations

import math

import numpy as np

from traintable.analyse.hypothesis.kolmogorov_smirnov import distance_from_normal
from traintable.analyse.hypothesis.moments import Moments
from traintable.analyse.hypothesis.result import Effect, TestResult
from traintable.statistics import Weighted

# Corrected distances, and the share of simulated ones above each.
_DISTANCES = [0.30, 0.378, 0.431, 0.465, 0.511, 0.549, 0.584, 0.619, 0.657, 0.700]
_SHARES = [1.0, 0.99, 0.95, 0.90, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30]
_DISTANCES += [0.725, 0.754, 0.790, 0.836, 0.909, 0.975, 1.058, 1.115, 1.235]
_SHARES += [0.25, 0.20, 0.15, 0.10, 0.05, 0.025, 0.01, 0.005, 0.001]
_LIMIT_VARIANCE = 1 / 4 - 1 / (2 * math.pi)  # of the limiting process where it is largest, at the mean


def lilliefors(values: Weighted) -> TestResult:
    """Kolmogorov's test against the normal distribution of the values' own mean and standard deviation.

    Returns
    -------
    TestResult
        The distance, as of `ks_1samp`. Its p-value is read from a table of 700,000 simulated samples of 200 and 2,000
        rows, in terms of sqrt(n) d (1 + 1 / (4 n)) + 1 / (6 sqrt(n)), whose distribution hardly depends on n: from 30
        rows on it is right to 2 % of itself down to 0.01 and to a tenth down to 0.001, and with fewer rows too large
        when small (at 10 rows by an eighth at 0.025). Beyond the table it falls as the limiting process does. There
        is no interval: that of `ks_1samp` does not hold for a mean that was fitted. NaN below 4 values or when all are
        equal.

    Source: Lilliefors, "On the Kolmogorov-Smirnov test for normality with mean and variance unknown" (JASA 62, 1967);
    Durbin, "Distribution Theory for Tests Based on the Sample Distribution Function" (1973) for the limit.

    Examples
    --------
    >>> result = lilliefors(Weighted.of([2.1, 2.9, 3.0, 3.2, 3.8, 9.5]))
    >>> round(result.statistic, 3), round(result.p_value, 3)
    (0.375, 0.014)
    """
    moments = Moments.of(values)
    if values.n < 4 or not 0 < moments.variance < math.inf:
        return TestResult("lilliefors", math.nan, math.nan, values.n, None, values.rank_error)
    d = distance_from_normal(values, moments.mean, math.sqrt(moments.variance))
    root = math.sqrt(values.n)
    p_value = lilliefors_p_value(root * d * (1 + 1 / (4 * values.n)) + 1 / (6 * root))
    return TestResult("lilliefors", d, p_value, values.n, Effect("distance", d), values.rank_error)


def lilliefors_p_value(distance: float) -> float:
    """The probability of a corrected distance above `distance`."""
    if distance <= _DISTANCES[-1]:
        return math.exp(np.interp(distance, _DISTANCES, np.log(_SHARES)))
    return _SHARES[-1] * math.exp((_DISTANCES[-1] ** 2 - distance**2) / (2 * _LIMIT_VARIANCE))
