"""Test of a correlation, Pearson's or Spearman's."""

from __future__ import annotations

from math import atanh, isnan, nan, sqrt, tanh

from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult


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
        Pearson's r, else an approximation for many rows. The interval is Fisher's, for ranks with the variance of
        Bonett and Wright, (1 + r**2 / 2) / (n - 3). NaN below 3 rows; no interval below 4.

    Source: Fisher, "On the probable error of a coefficient of correlation ..." (Metron 1, 1921); Bonett and Wright,
    "Sample size requirements for estimating Pearson, Kendall and Spearman correlations" (Psychometrika 65, 2000).

    Examples
    --------
    >>> result = correlation_test(0.5, 30)
    >>> round(result.p_value, 4), round(result.effect.low, 3), round(result.effect.high, 3)
    (0.0049, 0.17, 0.729)
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
