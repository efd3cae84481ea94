"""Do the means of two classes differ, whatever their variances?"""

from __future__ import annotations

from fractions import Fraction
from math import copysign, exp, inf, isfinite, lgamma, nan, sqrt

from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.moments import Moments, as_float
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult


def welch_t(a: Moments, b: Moments, *, confidence: float = CONFIDENCE) -> TestResult:
    """Welch's t test of equal means.

    Parameters
    ----------
    a, b : moments of the two classes.
    confidence : of the interval of the effect.

    Returns
    -------
    TestResult
        t, positive where `a` has the larger mean, two-sided. The effect is `hedges_g`; `mean_difference` gives the
        difference in the column's own units. t is infinite with p 0 when neither class varies and the means differ;
        NaN when they don't, or when a class has fewer than two values.

    Source: Welch, "The generalization of Student's problem when several different population variances are involved"
    (Biometrika 34, 1947).

    Examples
    --------
    >>> from traintable.statistics import Weighted
    >>> a, b = (Moments.of(Weighted.of(rows)) for rows in ([5, 6, 7, 9], [1, 2, 4, 4]))
    >>> result = welch_t(a, b)
    >>> round(result.statistic, 3), round(result.p_value, 4)
    (3.52, 0.0129)
    """
    error = _squared_errors(a, b)
    rank_error = max(a.rank_error, b.rank_error)
    t = _ratio(a.mean - b.mean, sum(error))
    if not isfinite(t):
        return TestResult("welch t", t, nan if t != t else 0.0, a.n + b.n, None, rank_error)
    p_value = float(2 * special.stdtr(_freedom(a, b), -abs(t)))
    return TestResult("welch t", t, p_value, a.n + b.n, hedges_g(a, b, confidence=confidence), rank_error)


def mean_difference(a: Moments, b: Moments, *, confidence: float = CONFIDENCE) -> Effect:
    """The mean of `a` less that of `b`, with the interval that belongs to Welch's test.

    Examples
    --------
    >>> effect = mean_difference(Moments(40, Fraction(7), 4.0), Moments(50, Fraction(5), 9.0))
    >>> round(effect.low, 2), effect.value, round(effect.high, 2)
    (0.95, 2.0, 3.05)
    """
    difference, error = as_float(a.mean - b.mean), sum(_squared_errors(a, b))
    if not error > 0:
        return Effect("mean difference", difference, *((difference,) * 2 if error == 0 else (nan, nan)))
    reach = float(special.stdtrit(_freedom(a, b), (1 + confidence) / 2)) * sqrt(error)
    return Effect("mean difference", difference, difference - reach, difference + reach)


def hedges_g(a: Moments, b: Moments, *, confidence: float = CONFIDENCE) -> Effect:
    """The difference of the means in pooled standard deviations, corrected for the bias of few rows.

    The interval is the normal one of large samples. Its variance is that of Hedges and Olkin where the variances of the
    classes are equal and takes account of them, by the delta method, where they are not. NaN when neither class varies
    or one has fewer than two values.

    Source: Hedges, "Distribution theory for Glass's estimator of effect size ..." (Journal of Educational Statistics 6,
    1981); Hedges and Olkin, "Statistical Methods for Meta-Analysis" (1985), chapter 5.

    Examples
    --------
    >>> round(hedges_g(Moments(40, Fraction(7), 4.0), Moments(50, Fraction(5), 9.0)).value, 3)
    0.761
    """
    df = a.n + b.n - 2
    squares = [(c.n - 1) * c.variance for c in (a, b)]
    if min(a.n, b.n) < 2 or not 0 < sum(squares) < inf:
        return Effect("hedges g", nan)
    pooled = sum(squares) / df
    d = _ratio(a.mean - b.mean, pooled)
    correction = _bias_correction(df)
    spread = sum(s * (c.variance / pooled) for s, c in zip(squares, (a, b), strict=True)) / (sum(squares) * 2 * df)
    error = correction * sqrt(a.variance / pooled / a.n + b.variance / pooled / b.n + d * d * spread)
    reach = float(special.ndtri((1 + confidence) / 2)) * error
    return Effect("hedges g", correction * d, correction * d - reach, correction * d + reach)


def _squared_errors(a: Moments, b: Moments) -> tuple[float, float]:
    """Squared standard errors of the two means; NaN below two values."""
    if min(a.n, b.n) < 2:
        return nan, nan
    return a.variance / a.n, b.variance / b.n


def _freedom(a: Moments, b: Moments) -> float:
    """Degrees of freedom by Welch and Satterthwaite."""
    errors = _squared_errors(a, b)
    shares = [e / sum(errors) for e in errors]
    return 1 / sum(s * s / (c.n - 1) for s, c in zip(shares, (a, b), strict=True))


def _ratio(difference: Fraction, square: float) -> float:
    """`difference` / sqrt(`square`)."""
    if not 0 < square < inf:
        return nan if square != 0 or difference == 0 else copysign(inf, difference)
    return as_float(difference / Fraction(sqrt(square)))


def _bias_correction(df: int) -> float:
    """By what d must be multiplied, since it is too large on average."""
    if df <= 300:
        return exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
    z = 1 / (4 * (df - 1))  # the logarithms of the gamma functions would cancel
    return sqrt(1 - 1 / df) * (1 - z * (1 - z / 2 * (1 + z * 5 * (1 - z * 21 / 20))))
