"""How far a column of one table has moved from that of another, or of an earlier version."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from traintable.analyse.document import Severity
from traintable.analyse.hypothesis.contingency import chi_square
from traintable.analyse.hypothesis.kolmogorov_smirnov import ks_2samp
from traintable.analyse.hypothesis.pooled_ranks import rows_below
from traintable.analyse.hypothesis.result import TestResult
from traintable.arrays import Floats, Ints
from traintable.errors import ConfigError
from traintable.statistics import Weighted
from traintable.statistics.frequencies import MAX_DISTINCT, Frequencies

MODERATE_PSI, SEVERE_PSI = 0.1, 0.25
LEAST_SHARE = 0.0001
N_BINS = 10


@dataclass(frozen=True)
class Drift:
    """The population stability index of a column, what it is usually taken for, and a test of no difference."""

    psi: float
    severity: Severity
    test: TestResult


def number_drift(
    reference: Weighted, current: Weighted, *, missing: tuple[int, int] = (0, 0), n_bins: int = N_BINS
) -> Drift:
    """Compare the values of a number; the test is that of Kolmogorov and Smirnov, which leaves missing ones out."""
    index = psi(reference, current, missing=missing, n_bins=n_bins)
    return Drift(index, severity(index), ks_2samp(reference, current))


def category_drift(reference: Frequencies, current: Frequencies) -> Drift:
    """Compare the values of a category; the test is chi-square, for which null is a value like others.

    Raises ConfigError when one of the two has too many values to count.
    """
    index = psi_of_categories(reference, current)
    return Drift(index, severity(index), chi_square(_table(reference, current)))


def psi(reference: Weighted, current: Weighted, *, missing: tuple[int, int] = (0, 0), n_bins: int = N_BINS) -> float:
    """The population stability index of a number, in bins of equally many rows of `reference`.

    Parameters
    ----------
    reference, current : values with counts.
    missing : rows without a value in the two; they make a bin of their own, when there are any.
    n_bins : bins, by default ten between the deciles; a bin holds its upper end, the first and last reach without end,
        and quantiles that are equal make one cut.

    Returns
    -------
    float
        The sum of (q - p) log(q / p) over the bins, where p and q are the shares of rows of `reference` and of
        `current`; see `psi_of_counts` for empty bins. Where values are not the columns' own, each share may be wrong by
        the two `rank_error`. NaN when one of the two has no rows.

    Source: Siddiqi, "Credit Risk Scorecards" (2006); it is Jeffreys's divergence of the binned distributions.
    """
    cuts = np.unique([reference.quantile(i / n_bins) for i in range(1, n_bins)]) if reference.n else np.zeros(0)
    counts = [np.append(_bin_counts(values, cuts), n) for values, n in zip((reference, current), missing, strict=True)]
    return psi_of_counts(*counts)


def psi_of_categories(reference: Frequencies, current: Frequencies) -> float:
    """The population stability index over the values that occur in one or the other, null being one of them.

    Raises ConfigError when one of the two has too many values to count.
    """
    return psi_of_counts(*_table(reference, current))


def psi_of_counts(reference: ArrayLike, current: ArrayLike) -> float:
    """The population stability index of counts in the same bins, shape (bins,); NaN when one of the two has no rows.

    A share below 0.0001 counts as 0.0001, so that a bin that is empty on one side adds a finite amount that does not
    depend on the number of rows; shares are not scaled afterwards. Bins that are empty on both sides add nothing.
    """
    p, q = (np.asarray(counts, dtype=np.float64) for counts in (reference, current))
    if not p.sum() or not q.sum():
        return nan
    p, q = (np.maximum(shares, LEAST_SHARE) for shares in (p / p.sum(), q / q.sum()))
    return float(np.sum((q - p) * np.log(q / p)))


def severity(index: float) -> Severity:
    """What a population stability index is usually taken for: below 0.1 no drift, from 0.25 on a severe one."""
    if np.isnan(index):
        return "unknown"
    if index < MODERATE_PSI:
        return "none"
    return "moderate" if index < SEVERE_PSI else "severe"


def _bin_counts(values: Weighted, cuts: Floats) -> Ints:
    """How many rows lie up to each cut and above the one before, and above the last."""
    up_to = rows_below(values, cuts, "right")
    return np.diff(np.concatenate([[0], up_to, [values.n]]))


def _table(reference: Frequencies, current: Frequencies) -> Ints:
    """Counts of shape (2, values), null first."""
    for side in (reference, current):
        if side.too_many:
            raise ConfigError(
                where=f"column '{side.column}'",
                expected=f"a category of at most {MAX_DISTINCT:,} values",
                found="more values than that",
                remedy="It looks like a key or free text, whose values can't be compared one by one: leave it out.",
            )
    words = sorted(reference.counts.keys() | current.counts.keys())
    return np.array([[side.n_null, *(side.counts[word] for word in words)] for side in (reference, current)])
