"""Tests of hypotheses, each with a p-value and, where one is usual, the size of the effect and its interval.

They are computed from what a scan has learned, without the rows: the values of a group with how often each occurs
(`statistics.Weighted`), their moments (`Moments`), or a table of counts. `Weighted.of` makes the first of rows at hand.

| question | tests |
| --- | --- |
| Do two groups have the same mean? | `welch_t`; `hedges_g` and `mean_difference` say by how much they differ |
| Does one of two groups tend to larger values? | `mann_whitney`; `auc` |
| Do several groups have the same mean, or tend to the same values? | `anova`; `kruskal_wallis` |
| Do two groups have the same distribution? | `ks_2samp` |
| Are values normal? | `dagostino_pearson`, `jarque_bera`, `anderson_darling`, `lilliefors`, `ks_1samp` |
| Are two categories independent? | `independence`, which chooses between `chi_square` and `fisher`; `odds_ratio` |
"""

from traintable.analyse.hypothesis.anova import anova
from traintable.analyse.hypothesis.contingency import (
    MISSING,
    chi_square,
    fisher,
    independence,
    is_sparse,
    missing_or_not,
    odds_ratio,
)
from traintable.analyse.hypothesis.kolmogorov_smirnov import ks_1samp, ks_2samp
from traintable.analyse.hypothesis.kruskal_wallis import kruskal_wallis
from traintable.analyse.hypothesis.lilliefors import lilliefors
from traintable.analyse.hypothesis.mann_whitney import auc, mann_whitney
from traintable.analyse.hypothesis.normality import anderson_darling, dagostino_pearson, jarque_bera
from traintable.analyse.hypothesis.welch import hedges_g, mean_difference, welch_t

__all__ = [
    "MISSING",
    "anderson_darling",
    "anova",
    "auc",
    "chi_square",
    "dagostino_pearson",
    "fisher",
    "hedges_g",
    "independence",
    "is_sparse",
    "jarque_bera",
    "kruskal_wallis",
    "ks_1samp",
    "ks_2samp",
    "lilliefors",
    "mann_whitney",
    "mean_difference",
    "missing_or_not",
    "odds_ratio",
    "welch_t",
]
