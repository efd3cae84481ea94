"""Are values normal? By their skewness and kurtosis, and by their distribution in the tails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.moments import (
    Moments,
    distances_from,
    exact_mean,
    standard_scores,
    without_zero_counts,
)
from traintable.analyse.hypothesis.result import TestResult
from traintable.statistics import Weighted
from traintable.statistics.summary import Shape


def dagostino_pearson(values: Weighted | Shape) -> TestResult:
    """D'Agostino and Pearson's test: both skewness and kurtosis are those of a normal distribution.

    Returns
    -------
    TestResult
        The sum of the squared standard scores of skewness and kurtosis, a chi-square with 2 degrees of freedom. NaN
        below 8 values, where the score of the skewness is not defined, or when all are equal.

    Source: D'Agostino and Pearson, "Tests for departure from normality" (Biometrika 60, 1973); D'Agostino (1970) for
    the skewness, Anscombe and Glynn (1983) for the kurtosis.

    Examples
    --------
    >>> result = dagostino_pearson(Weighted.of([1, 1, 2, 2, 3, 3, 4, 5, 9]))
    >>> round(result.statistic, 3), round(result.p_value, 4)
    (8.153, 0.017)
    """
    form = _SkewAndKurtosis.of(values)
    if form.n < 8 or not math.isfinite(form.skewness):
        return TestResult("d'agostino-pearson", math.nan, math.nan, form.n, None, form.rank_error)
    statistic = skewness_score(form.n, form.skewness) ** 2 + kurtosis_score(form.n, form.kurtosis) ** 2
    return TestResult("d'agostino-pearson", statistic, _tail(statistic), form.n, None, form.rank_error)


def jarque_bera(values: Weighted | Shape) -> TestResult:
    """Jarque and Bera's test of skewness and kurtosis, for many rows: the chi-square is right in the limit only.

    NaN without values, or when all are equal.

    Source: Jarque and Bera, "A test for normality of observations and regression residuals" (International Statistical
    Review 55, 1987).

    Examples
    --------
    >>> result = jarque_bera(Weighted.of([1, 1, 2, 2, 3, 3, 4, 5, 9]))
    >>> round(result.statistic, 3), round(result.p_value, 4)
    (3.009, 0.2222)
    """
    form = _SkewAndKurtosis.of(values)
    statistic = form.n / 6 * (form.skewness**2 + form.kurtosis**2 / 4)
    return TestResult("jarque-bera", statistic, _tail(statistic), form.n, None, form.rank_error)


def anderson_darling(values: Weighted) -> TestResult:
    """Anderson and Darling's test with the values' own mean and standard deviation; it looks at the tails most.

    Returns
    -------
    TestResult
        The statistic, not corrected for the number of rows, and the p-value of the corrected one by the formula of
        D'Agostino and Stephens; 0 stands for one below 5e-31. NaN below 8 values, where the formula is not meant to
        hold, or when all are equal. The statistic of n rows is right to about n * 1e-16.

    Source: Anderson and Darling, "A test of goodness of fit" (JASA 49, 1954); D'Agostino and Stephens, "Goodness-of-Fit
    Techniques" (1986), table 4.9.

    Examples
    --------
    >>> result = anderson_darling(Weighted.of([1, 1, 2, 2, 3, 3, 4, 5, 9]))
    >>> round(result.statistic, 3), round(result.p_value, 4)
    (0.562, 0.1038)
    """
    moments = Moments.of(values)
    if values.n < 8 or not 0 < moments.variance < math.inf:
        return TestResult("anderson-darling", math.nan, math.nan, values.n, None, values.rank_error)
    values = without_zero_counts(values)
    score = standard_scores(values, moments.mean, math.sqrt(moments.variance))
    counts, ends = values.counts.astype(np.float64), np.cumsum(values.counts).astype(np.float64)
    starts, n = ends - counts, float(values.n)
    lower = counts * (starts + ends) * special.log_ndtr(score)
    upper = counts * ((n - starts) + (n - ends)) * special.log_ndtr(-score)
    statistic = -n - math.fsum(np.concatenate([lower, upper])) / n
    p_value = _anderson_darling_p_value(statistic * (1 + 0.75 / n + 2.25 / n**2))
    return TestResult("anderson-darling", statistic, p_value, values.n, None, values.rank_error)


@dataclass(frozen=True)
class _SkewAndKurtosis:
    """Third and fourth standardised moments, the latter less 3."""

    n: int
    skewness: float
    kurtosis: float
    rank_error: float = 0.0

    @classmethod
    def of(cls, values: Weighted | Shape) -> _SkewAndKurtosis:
        if isinstance(values, Shape):
            return cls(values.n, values.skewness(), values.kurtosis())
        values = without_zero_counts(values)
        distance, _ = distances_from(values, exact_mean(values))
        m2, m3, m4 = (math.fsum(values.counts * distance**k) for k in (2, 3, 4))
        if not m2 > 0:
            return cls(values.n, math.nan, math.nan, values.rank_error)
        n = values.n
        return cls(n, math.sqrt(n / m2) * (m3 / m2), n * (m4 / m2 / m2) - 3, values.rank_error)


def skewness_score(n: int, skewness: float) -> float:
    """The standard score that the skewness of `n` normal values has, by D'Agostino."""
    y = skewness * math.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    kurtosis = Fraction(3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3), (n - 2) * (n + 5) * (n + 7) * (n + 9))
    excess = 2 * float(kurtosis - 3)
    w2 = excess / (math.sqrt(4 + excess) + 2)  # W squared less 1, without cancellation
    return math.asinh(y / math.sqrt(2 / w2)) / math.sqrt(math.log1p(w2) / 2)


def kurtosis_score(n: int, kurtosis: float) -> float:
    """The standard score that the kurtosis (less 3) of `n` normal values has, by Anscombe and Glynn."""
    variance = Fraction(24 * n * (n - 2) * (n - 3), (n + 1) ** 2 * (n + 3) * (n + 5))
    x = (kurtosis + 6 / (n + 1)) / math.sqrt(variance)
    skew = float(Fraction(6 * (n * n - 5 * n + 2), (n + 7) * (n + 9)))
    skew *= math.sqrt(Fraction(6 * (n + 3) * (n + 5), n * (n - 2) * (n - 3)))
    a = 6 + 8 / skew * (2 / skew + math.sqrt(1 + 4 / skew**2))
    base = 1 + x * math.sqrt(2 / (a - 4))
    root = math.copysign(((1 - 2 / a) / abs(base)) ** (1 / 3), base) if base else math.nan
    return (1 - 2 / (9 * a) - root) / math.sqrt(2 / (9 * a))


def _tail(statistic: float) -> float:
    return float(special.chdtrc(2, statistic))


def _anderson_darling_p_value(a: float) -> float:
    if a < 0.2:
        return 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    if a < 0.34:
        return 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    if a < 0.6:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    return math.exp(1.2937 - 5.709 * a + 0.0186 * a * a) if a <= 13 else 0.0
