"""How strongly a number is associated with a class, from the moments of each class."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt

from traintable.analyse.hypothesis.moments import Moments, fraction_of, sums_of_squares
from traintable.analyse.hypothesis.noncentral import noncentral_f, share_of_variance
from traintable.analyse.hypothesis.result import CONFIDENCE, Effect
from traintable.statistics.association import anova_f


def correlation_ratio(classes: Sequence[Moments], *, confidence: float = CONFIDENCE) -> Effect:
    """Eta: the root of the share of the variance of a number that lies between classes.

    Parameters
    ----------
    classes : moments of each class; classes without a value are left out.
    confidence : of the interval, which is that of the population's eta by the noncentral F distribution.

    Returns
    -------
    Effect
        Eta in 0 to 1, not corrected for bias: it is above 0 by chance as well, and its
        interval then begins at 0. `hypothesis.anova` gives the corrected omega squared. NaN when there are fewer than
        two classes or all values are equal.

    Source: Pearson, "On the general theory of skew correlation and non-linear regression" (1905); Steiger (2004).

    Examples
    --------
    >>> from traintable.statistics import Weighted
    >>> classes = [Moments.of(Weighted.of(rows)) for rows in ([1, 2, 3], [2, 3, 4], [6, 7, 8])]
    >>> round(correlation_ratio(classes).value, 4)
    0.9354
    """
    filled = [c for c in classes if c.n]
    if len(filled) < 2:
        return Effect("eta", nan)
    eta = sqrt(fraction_of(*sums_of_squares(filled)))
    test = anova_f([c.n for c in filled], [c.mean for c in filled], [c.variance for c in filled])
    n, df = sum(c.n for c in filled), len(filled) - 1
    low, high = (sqrt(share_of_variance(nc, n)) for nc in noncentral_f(test.statistic, df, n - df - 1, confidence))
    return Effect("eta", eta, low, high)
