"""Do some of several classes tend to larger values than others?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from scipy import special  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.noncentral import noncentral_f, share_of_variance
from traintable.analyse.hypothesis.pooled_ranks import PooledRanks, error_of_shares
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult
from traintable.statistics import Weighted


def kruskal_wallis(classes: Sequence[Weighted], *, confidence: float = CONFIDENCE) -> TestResult:
    """Kruskal and Wallis's analysis of variance of ranks, corrected for ties.

    Parameters
    ----------
    classes : values of each class; classes without a value are left out.
    confidence : of the interval of the effect.

    Returns
    -------
    TestResult
        H, a chi-square with (classes - 1) degrees of freedom. The effect is epsilon squared, H / (rows - 1): the share
        of the variance of the ranks that lies between classes. Its interval is that of an analysis of variance of the
        ranks, by the noncentral F distribution, and so a rough one where the classes spread very differently. NaN when
        there are fewer than two classes or all values are equal.

    Source: Kruskal and Wallis, "Use of ranks in one-criterion variance analysis" (JASA 47, 1952); for the effect
    Tomczak and Tomczak, "The need to report effect size estimates revisited" (Trends in Sport Sciences 21, 2014).

    Examples
    --------
    >>> result = kruskal_wallis([Weighted.of(rows) for rows in ([1, 2, 3], [2, 3, 4], [6, 7, 8])])
    >>> round(result.statistic, 3), round(result.p_value, 4), round(result.effect.value, 3)
    (6.056, 0.0484, 0.757)
    """
    filled = [c for c in classes if c.n]
    n, rank_error = sum(c.n for c in filled), error_of_shares(filled)
    between = _share_between(filled) if len(filled) > 1 else None
    if between is None:
        return TestResult("kruskal-wallis", math.nan, math.nan, n, None, rank_error)
    h, df = float(between * (n - 1)), len(filled) - 1
    effect = _epsilon_squared(between, df, n, confidence)
    return TestResult("kruskal-wallis", h, float(special.chdtrc(df, h)), n, effect, rank_error)


def _share_between(classes: Sequence[Weighted]) -> Fraction | None:
    """The share of the sum of squares of the ranks that lies between classes; None when all ranks are equal."""
    pooled = PooledRanks.of(classes)
    n = pooled.n
    between = sum(Fraction((pooled.rank_sum(c) - c.n * (n + 1)) ** 2, 4 * c.n) for c in classes)
    total = n**3 - n - pooled.ties()
    return 12 * Fraction(between) / total if total else None


def _epsilon_squared(share: Fraction, df: int, n: int, confidence: float) -> Effect:
    within = n - df - 1
    if not within:
        return Effect("epsilon squared", float(share))
    f = float(share / df / (1 - share) * within) if share < 1 else math.inf
    low, high = noncentral_f(f, df, within, confidence)
    return Effect("epsilon squared", float(share), share_of_variance(low, n), share_of_variance(high, n))
