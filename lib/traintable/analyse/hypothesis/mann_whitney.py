"""Does one class tend to larger values than another?"""

from __future__ import annotations

import math
from fractions import Fraction

from scipy import special, stats  # type: ignore[import-untyped]

from traintable.analyse.hypothesis.moments import without_zero_counts
from traintable.analyse.hypothesis.pooled_ranks import PooledRanks, placements
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect, TestResult
from traintable.statistics import Weighted

_FEW, _MAX_EXACT = 8, 200


def mann_whitney(a: Weighted, b: Weighted, *, confidence: float = CONFIDENCE) -> TestResult:
    """Mann and Whitney's U test, which is Wilcoxon's rank-sum test.

    Parameters
    ----------
    a, b : values of the two classes.
    confidence : of the interval of the effect.

    Returns
    -------
    TestResult
        U of `a`, two-sided. The p-value is the exact one when a class has at most 8 rows, both have at most 200 and
        no two rows are equal, as scipy.stats.mannwhitneyu chooses (which sets no upper bound). Else it is the normal
        one with corrections for ties and for continuity. The effect is `auc`. NaN when a class has no rows.

    Source: Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other"
    (Annals of Mathematical Statistics 18, 1947).

    Examples
    --------
    >>> result = mann_whitney(Weighted.of([4, 5, 7]), Weighted.of([1, 2, 3, 6]))
    >>> result.test, result.statistic, round(result.p_value, 4)
    ('mann-whitney, exact', 10.0, 0.2286)
    """
    n, rank_error = a.n + b.n, a.rank_error + b.rank_error
    if not a.n or not b.n:
        return TestResult("mann-whitney", math.nan, math.nan, n, None, rank_error)
    pooled = PooledRanks.of([a, b])
    double_u = pooled.rank_sum(a) - a.n * (a.n + 1)
    ties = pooled.ties()
    if min(a.n, b.n) <= _FEW and n <= _MAX_EXACT and not ties:
        name, p_value = "mann-whitney, exact", _exact(a, b)
    else:
        name, p_value = "mann-whitney, normal", _normal(double_u, a.n, b.n, ties)
    return TestResult(name, double_u / 2, p_value, n, auc(a, b, confidence=confidence), rank_error)


def auc(a: Weighted, b: Weighted, *, confidence: float = CONFIDENCE) -> Effect:
    """The probability that a row of `a` has a larger value than one of `b`, ties by half: the area under the ROC curve.

    The rank-biserial correlation is twice it less 1. The interval is that of Brunner and Munzel, with t quantiles,
    within 0 and 1; its variance is that of DeLong et al. It is NaN where no row of a class is placed differently from
    the others among the other class, as when the classes are fully apart: nothing shows then how sure the area is.

    Source: Brunner and Munzel, "The nonparametric Behrens-Fisher problem" (Biometrical Journal 42, 2000); DeLong,
    DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated ROC curves" (Biometrics 44, 1988).

    Examples
    --------
    >>> effect = auc(Weighted.of([4, 5, 7]), Weighted.of([1, 2, 3, 6]))  # the first is larger in 10 of 12 pairs
    >>> round(effect.value, 4)
    0.8333
    """
    if not a.n or not b.n:
        return Effect("auc", math.nan)
    above, counts = placements(a, b)
    area = math.fsum(above * counts) / a.n
    below, other_counts = placements(b, a)
    if min(a.n, b.n) < 2:
        return Effect("auc", area)
    errors = (
        math.fsum(counts * (above - area) ** 2) / (a.n - 1) / a.n,
        math.fsum(other_counts * (below - (1 - area)) ** 2) / (b.n - 1) / b.n,
    )
    if not sum(errors):
        return Effect("auc", area)
    shares = [e / sum(errors) for e in errors]
    freedom = 1 / (shares[0] ** 2 / (a.n - 1) + shares[1] ** 2 / (b.n - 1))
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(sum(errors))
    return Effect("auc", area, max(0.0, area - reach), min(1.0, area + reach))


def _exact(a: Weighted, b: Weighted) -> float:
    return float(
        stats.mannwhitneyu(without_zero_counts(a).values, without_zero_counts(b).values, method="exact").pvalue
    )


def _normal(double_u: int, n_a: int, n_b: int, ties: int) -> float:
    n, pairs = n_a + n_b, n_a * n_b
    variance = Fraction(pairs, 12) * (n + 1 - Fraction(ties, n * (n - 1)))
    if not variance:
        return 1.0
    distance = (abs(double_u - pairs) - 1) / 2
    return min(1.0, 2 * float(special.ndtr(-distance / math.sqrt(variance))))
