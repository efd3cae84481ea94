"""Tests of hypotheses, each with a p-value and, where one is usual, the size of the effect and its interval."""

from traintable.analyse.hypothesis.anova import anova
from traintable.analyse.hypothesis.kolmogorov_smirnov import ks_1samp, ks_2samp
from traintable.analyse.hypothesis.kruskal_wallis import kruskal_wallis
from traintable.analyse.hypothesis.lilliefors import lilliefors
from traintable.analyse.hypothesis.mann_whitney import auc, mann_whitney
from traintable.analyse.hypothesis.normality import anderson_darling, dagostino_pearson, jarque_bera
from traintable.analyse.hypothesis.tables import (
    MISSING,
    chi_square,
    fisher,
    independence,
    is_sparse,
    missing_or_not,
    odds_ratio,
)
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
