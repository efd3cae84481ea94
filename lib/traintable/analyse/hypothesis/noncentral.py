"""Confidence limits of the noncentrality of a statistic, and what share of the variance it stands for.

Source: Steiger, "Beyond the F test: Effect size confidence intervals and tests of close fit in the analysis of variance
and contrast analysis" (Psychological Methods 9, 2004). The limits are the noncentralities under which the statistic
found lies at the upper and lower end of what is likely; a limit that does not exist is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, isnan, nan

from scipy import optimize, special  # type: ignore[import-untyped]


def noncentral_f(f: float, df_between: float, df_within: float, confidence: float) -> tuple[float, float]:
    """Limits of the noncentrality of an F statistic; infinite when F is, NaN when F is."""
    return _limits(lambda nc: float(special.ncfdtr(df_between, df_within, nc, f)), f, df_between * f, confidence)


def noncentral_chi2(statistic: float, df: float, confidence: float) -> tuple[float, float]:
    """Limits of the noncentrality of a chi-square statistic; infinite when it is, NaN when it is."""
    return _limits(lambda nc: float(special.chndtr(statistic, df, nc)), statistic, statistic, confidence)


def share_of_variance(noncentrality: float, n: int) -> float:
    """Noncentrality / (noncentrality + n): the share of a population's variance that lies between its classes."""
    return noncentrality if noncentrality == 0 or isnan(noncentrality) else 1 / (1 + n / noncentrality)


def _limits(cdf: Callable[[float], float], statistic: float, guess: float, confidence: float) -> tuple[float, float]:
    if not isfinite(statistic):
        return (nan, nan) if isnan(statistic) else (inf, inf)
    tail = (1 - confidence) / 2
    low, high = (_solve(cdf, target, guess) for target in (1 - tail, tail))
    return low, high


def _solve(cdf: Callable[[float], float], target: float, guess: float) -> float:
    """Where `cdf`, which falls from 0 on, is `target`; 0 when it is below from the start."""

    def defined(nc: float) -> float:
        """`cdf`, where SciPy gives NaN far out in a tail 0 or 1."""
        probability = cdf(nc)
        return float(nc < guess) if isnan(probability) else probability

    if defined(0.0) <= target:
        return 0.0
    end = max(guess, 1.0)
    while defined(end) > target:
        end *= 2
    return float(optimize.brentq(lambda nc: defined(nc) - target, 0.0, end, xtol=1e-13, rtol=1e-14))
