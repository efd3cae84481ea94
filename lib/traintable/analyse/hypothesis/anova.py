"""Do the means of classes differ, with one variance for all?"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan

from traintable.analyse.hypothesis.moments import Moments
from traintable.analyse.hypothesis.noncentral import noncentral_f, share_of_variance
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult
from traintable.statistics.association import anova_f


def anova(classes: Sequence[Moments], *, confidence: float = CONFIDENCE) -> TestResult:
    """One-way analysis of variance.

    Parameters
    ----------
    classes : moments of each class; classes without a value are left out.
    confidence : of the interval of the effect.

    Returns
    -------
    TestResult
        F, as `statistics.association.anova_f` gives it, which says when it is infinite or NaN. The effect is omega
        squared, the share of the variance that lies between classes, estimated without the bias of eta squared (0
        where that falls below); its interval comes from the noncentral F distribution, which takes variances for equal.

    Source: Fisher, "Statistical Methods for Research Workers" (1925); for the effect Hays, "Statistics for
    Psychologists" (1963), for its interval Steiger (2004).

    Examples
    --------
    >>> from traintable.statistics import Weighted
    >>> classes = [Moments.of(Weighted.of(rows)) for rows in ([1, 2, 3], [2, 3, 4], [6, 7, 8])]
    >>> result = anova(classes)
    >>> round(result.statistic, 2), round(result.p_value, 4), result.effect.name
    (21.0, 0.002, 'omega squared')
    """
    filled = [c for c in classes if c.n]
    n, rank_error = sum(c.n for c in filled), max((c.rank_error for c in filled), default=0.0)
    test = anova_f([c.n for c in filled], [c.mean for c in filled], [c.variance for c in filled])
    effect = None if isnan(test.statistic) else _omega_squared(test.statistic, len(filled) - 1, n, confidence)
    return TestResult("anova", test.statistic, test.p_value, n, effect, rank_error)


def _omega_squared(f: float, df_between: int, n: int, confidence: float) -> Effect:
    excess = df_between * (f - 1)
    value = 1.0 if f == inf else max(0.0, excess / (excess + n))
    low, high = noncentral_f(f, df_between, n - df_between - 1, confidence)
    return Effect("omega squared", value, share_of_variance(low, n), share_of_variance(high, n))
