"""How strongly columns are associated with a class and with each other, from aggregates: no rows, no pass over data.

Tests of one column against the class (`anova_f`, `chi2`, `mutual_information`), the correction for having made many of
them (`benjamini_hochberg`), and two choices among columns (`mrmr`, `find_correlated`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # type: ignore[import-untyped]

from traintable.arrays import Floats

# The least mean redundancy that `mrmr` divides by, so that one column free of correlation doesn't win whatever it is.
_LEAST_REDUNDANCY = 0.001


@dataclass(frozen=True)
class Test:
    """The statistic of a test and the probability of one at least as large if there were no association."""

    statistic: float
    p_value: float


def anova_f(count: ArrayLike, mean: Iterable[float | Fraction], variance: ArrayLike) -> Test:
    """F test of one-way analysis of variance: do the means of a numeric column differ between classes?

    Parameters
    ----------
    count : values that are present, shape (classes,); classes without a value are left out.
    mean : mean of the values in each class, shape (classes,). Give fractions, or means less a constant common to all
        classes, where the values are far from 0: the double nearest to a mean of 1e9 is off by up to 6e-8.
    variance : sample variances (n - 1), shape (classes,); ignored in a class of one value.

    Returns
    -------
    Test
        F with (classes - 1, values - classes) degrees of freedom. Infinite, with p 0, when no class varies and means
        differ. NaN when F is undefined: fewer than two classes, one value in each, all values equal, or a variance
        that is not finite.

    Raises
    ------
    ValueError
        When there is not one mean for each class, or that of a class with values is not finite.

    Source: Fisher, "Statistical Methods for Research Workers" (1925), chapter 7.
    """
    counts = np.asarray(count, dtype=np.float64)
    kept = counts > 0
    means = [_exact(m) for m, present in zip(mean, kept, strict=True) if present]
    n, s2 = counts[kept], np.asarray(variance, dtype=np.float64)[kept]
    df_between, df_within = len(means) - 1, int(n.sum()) - len(means)
    within = float(np.sum((n - 1) * np.where(n > 1, s2, 0.0)))
    if df_between < 1 or df_within < 1 or not isfinite(within):
        return Test(nan, nan)
    if within == 0:
        return Test(inf, 0.0) if len(set(means)) > 1 else Test(nan, nan)
    grand = sum((int(c) * m for c, m in zip(n, means, strict=True)), Fraction(0)) / int(n.sum())
    # Halves, because the distance of two doubles may be too large for a double.
    half = np.array([float((m - grand) / 2) for m in means])
    with np.errstate(over="ignore"):
        f = float(np.sum(n * (half / (sqrt(within / df_within) / 2)) ** 2)) / df_between
    return Test(f, float(special.fdtrc(df_between, df_within, f)))


def chi2(table: ArrayLike) -> Test:
    """Pearson's chi-square test of independence, without a correction for continuity.

    Parameters
    ----------
    table : counts of shape (categories, classes); rows and columns that are all zero are left out.

    Returns
    -------
    Test
        Chi-square with (categories - 1) (classes - 1) degrees of freedom; 0 with p 1 when one of the two is below 2.

    Raises
    ------
    ValueError
        When the table has not two axes, or a count is negative or not finite.

    Source: Pearson, "On the criterion that a given system of deviations ..." (Philosophical Magazine 50, 1900).
    """
    observed = _without_zeros(table)
    if min(observed.shape) < 2:
        return Test(0.0, 1.0)
    expected = _expected(observed)
    statistic = float(np.sum((observed - expected) ** 2 / expected))
    return Test(statistic, _chi2_p_value(statistic, observed))


def mutual_information(table: ArrayLike) -> Test:
    """Mutual information of a categorical column and the class, in nats, with the p-value of the G test.

    Parameters
    ----------
    table : counts of shape (categories, classes); rows and columns that are all zero are left out.

    Returns
    -------
    Test
        The information, at least 0. The p-value is that of G = 2 n times the information, a chi-square with
        (categories - 1) (classes - 1) degrees of freedom; 0 with p 1 when one of the two is below 2.

    Raises
    ------
    ValueError
        When the table has not two axes, or a count is negative or not finite.

    Source: Cover and Thomas, "Elements of Information Theory" (2006), section 2.3; Wilks, "The large-sample
    distribution of the likelihood ratio ..." (Annals of Mathematical Statistics 9, 1938).
    """
    observed = _without_zeros(table)
    if min(observed.shape) < 2:
        return Test(0.0, 1.0)
    n = float(observed.sum())
    # Rounding can leave a little less than 0 where the two are independent.
    nats = max(0.0, float(np.sum(special.xlogy(observed, observed / _expected(observed)))) / n)
    return Test(nats, _chi2_p_value(2 * n * nats, observed))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjust p-values for their number.

    To call the tests with an adjusted p-value of at most q discoveries makes at most a share of q of them false, on
    average over repetitions, if the tests are independent.

    Parameters
    ----------
    p_values : shape (tests,); NaN stands for a test that could not be made and does not count as one.

    Returns
    -------
    array of shape (tests,)
        Adjusted p-values, in the order given; NaN stays NaN.

    Raises
    ------
    ValueError
        When a p-value is not within 0 and 1.

    Source: Benjamini and Hochberg, "Controlling the False Discovery Rate" (JRSS B 57, 1995).
    """
    p = np.asarray(p_values, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(p))
    if np.any((p[made] < 0) | (p[made] > 1)):
        raise ValueError("p-values must be within 0 and 1")
    falling = made[np.argsort(-p[made], kind="stable")]
    n = len(falling)
    adjusted = np.full(p.shape, nan)
    adjusted[falling] = np.minimum.accumulate(np.minimum(1.0, p[falling] * (n / np.arange(n, 0, -1))))
    return adjusted


def mrmr(relevance: ArrayLike, redundancy: ArrayLike, k: int) -> list[int]:
    """Choose `k` columns, one after the other, that tell much about the class and little that the others chosen tell.

    Parameters
    ----------
    relevance : shape (columns,), such as the F of each column against the class; at least 0, NaN counts as 0.
    redundancy : correlations of shape (columns, columns), of which the size counts; NaN counts as 0.
    k : how many to choose; all columns when there are fewer.

    Returns
    -------
    list of int
        The columns in the order of choice: the most relevant one, then each time the one of the largest relevance
        divided by its mean redundancy with those chosen (taken as 0.001 if below). The lower index wins a tie.

    Raises
    ------
    ValueError
        When the shapes do not fit.

    Source: Ding and Peng, "Minimum redundancy feature selection from microarray gene expression data" (2005); with F
    and correlation (FCQ): Zhao, Anand and Wang, "Maximum relevance and minimum redundancy feature selection methods
    for a marketing machine learning platform" (2019).
    """
    gain = _nan_to_zero(relevance)
    size = _square(redundancy, len(gain))
    chosen: list[int] = []
    free = np.ones(len(gain), dtype=bool)
    total, score = np.zeros(len(gain)), gain
    while len(chosen) < min(k, len(gain)):
        left = np.flatnonzero(free)
        best = int(left[np.argmax(score[left])])
        chosen.append(best)
        free[best] = False
        total += size[:, best]
        score = gain / np.maximum(total / len(chosen), _LEAST_REDUNDANCY)
    return chosen


def find_correlated(
    correlation: ArrayLike, threshold: float, priority: ArrayLike | None = None
) -> list[tuple[int, int, float]]:
    """Find the columns to drop so that no two that stay have a correlation above `threshold` in size.

    Columns are walked by falling priority; each stays unless it is too correlated with one that already stays.

    Parameters
    ----------
    correlation : shape (columns, columns); NaN counts as 0.
    threshold : a size of correlation; one that equals it is allowed.
    priority : shape (columns,), the largest first, ties by lower index, NaN last; by default the order given.

    Returns
    -------
    list of (dropped, kept, r)
        For each dropped column, in the order of the walk, the staying column before it with which its correlation is
        the largest in size (the earlier one if two are), and that correlation with its sign.

    Raises
    ------
    ValueError
        When the shapes do not fit.
    """
    r = _nan_to_zero(correlation)
    rank = np.zeros(len(r)) if priority is None else np.asarray(priority, dtype=np.float64)
    size = _square(r, len(rank))
    kept: list[int] = []
    dropped: list[tuple[int, int, float]] = []
    for i in np.argsort(-rank, kind="stable").tolist():
        if np.any(size[i, kept] > threshold):
            partner = kept[int(np.argmax(size[i, kept]))]
            dropped.append((i, partner, float(r[i, partner])))
        else:
            kept.append(i)
    return dropped


def _exact(mean: float | Fraction) -> Fraction:
    if isinstance(mean, Fraction):
        return mean
    if not isfinite(mean):
        raise ValueError(f"the mean of a class with values must be finite, found {mean}")
    return Fraction(float(mean))


def _without_zeros(table: ArrayLike) -> Floats:
    """The counts in rows and columns that are not all zero."""
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or not np.all(np.isfinite(counts) & (counts >= 0)):
        raise ValueError("a table of counts must have two axes and hold finite numbers of at least 0")
    return np.asarray(counts[counts.any(axis=1)][:, counts.any(axis=0)])


def _expected(observed: Floats) -> Floats:
    """The counts of the same totals if rows and columns were independent."""
    return np.asarray(np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum())


def _chi2_p_value(statistic: float, observed: Floats) -> float:
    rows, columns = observed.shape
    return float(special.chdtrc((rows - 1) * (columns - 1), statistic))


def _nan_to_zero(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(numbers), 0.0, numbers)


def _square(correlation: ArrayLike, n: int) -> Floats:
    """The sizes of correlations, shape (n, n)."""
    size = np.abs(_nan_to_zero(correlation))
    if size.shape != (n, n):
        raise ValueError(f"{n} columns need correlations of shape ({n}, {n}), found {size.shape}")
    return size
