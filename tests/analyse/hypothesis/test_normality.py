"""Tests of normality equal those of SciPy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from scipy import stats
from statsmodels.stats.diagnostic import normal_ad

from traintable.analyse.hypothesis import anderson_darling, dagostino_pearson, jarque_bera
from traintable.analyse.hypothesis.normality import kurtosis_score, skewness_score
from traintable.arrays import Floats
from traintable.statistics.summary import Shape
from weights import close, offsets, samples, times, weighted

varied = samples.filter(lambda rows: len({*rows}) > 1)
enough = varied.filter(lambda rows: len(rows) > 7)


def shape_of(rows: list[float]) -> Shape:
    centred = np.asarray(rows) - np.mean(rows)
    return Shape("x", len(rows), float(np.mean(rows)), *(float((centred**k).sum()) for k in (2, 3, 4)))


def dagostino_pearson_of_scipy(rows: list[float]) -> tuple[float, float]:
    """Statistic and p-value of SciPy, which takes a skewness of exactly 0 for another: its score is 0."""
    if stats.skew(rows) != 0:
        expected = stats.normaltest(rows)
        return float(expected.statistic), float(expected.pvalue)
    statistic = float(stats.kurtosistest(rows).statistic) ** 2
    return statistic, float(stats.chi2.sf(statistic, 2))


@settings(deadline=None, max_examples=120)
@given(enough, offsets)
@example([0.0] * 4 + [1.0] * 4, 0.0)
def test_dagostino_and_pearson_is_that_of_scipy(rows: list[float], offset: float) -> None:
    result, (statistic, p_value) = dagostino_pearson(weighted(rows, offset)), dagostino_pearson_of_scipy(rows)
    assert close(result.statistic, statistic, absolute=1e-9)
    assert close(result.p_value, p_value, absolute=1e-15)
    assert close(dagostino_pearson(shape_of(rows)).statistic, statistic, 1e-7, 1e-7)


@settings(deadline=None, max_examples=120)
@given(varied, offsets)
def test_jarque_and_bera_is_that_of_scipy(rows: list[float], offset: float) -> None:
    result, expected = jarque_bera(weighted(rows, offset)), stats.jarque_bera(rows)
    assert close(result.statistic, expected.statistic, absolute=1e-9)
    assert close(result.p_value, expected.pvalue, absolute=1e-15)
    assert result.n == len(rows)


@settings(deadline=None, max_examples=120)
@given(enough, offsets)
def test_anderson_and_darling_is_that_of_statsmodels(rows: list[float], offset: float) -> None:
    result, (statistic, p_value) = anderson_darling(weighted(rows, offset)), normal_ad(np.array(rows))
    assert close(result.statistic, statistic, absolute=1e-12)
    assert close(result.p_value, p_value, absolute=1e-15)


@pytest.mark.parametrize("n", [20, 1000, 20_000])
def test_normal_rows_and_others(n: int) -> None:
    rng = np.random.default_rng(n)
    for rows in (rng.normal(size=n), rng.exponential(size=n), rng.uniform(size=n)):
        result, (statistic, p_value) = anderson_darling(weighted(rows, 1e6)), normal_ad(rows)
        if math.isfinite(statistic):  # statsmodels takes the logarithm of a probability that is rounded to 0
            assert close(result.statistic, statistic, 1e-7)
            assert close(result.p_value, p_value, 1e-5)
        assert close(result.statistic, anderson(rows), 1e-7)
        assert close(dagostino_pearson(weighted(rows)).statistic, stats.normaltest(rows).statistic)


def test_scores_stay_exact_for_hundreds_of_millions_of_rows() -> None:
    """In the limit they are the moments divided by their standard errors."""
    n = 10**9
    assert close(skewness_score(1000 * n, 1e-6), 1e-6 * math.sqrt(1000 * n / 6), 1e-9)
    assert close(kurtosis_score(n, 1e-4), 1e-4 * math.sqrt(n / 24), 1e-3)
    assert close(skewness_score(100_000, 0.01), stats.skewtest(skewed(100_000, 0.01)).statistic, 1e-7)


def anderson(rows: Floats) -> float:
    """By SciPy, from logarithms of the distribution function."""
    z, n = np.sort(rows - rows.mean()) / rows.std(ddof=1), len(rows)
    i = np.arange(1, n + 1)
    return float(-n - ((2 * i - 1) * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1]))).sum() / n)


def skewed(n: int, skewness: float) -> Floats:
    """Rows whose skewness is this."""
    rows = stats.norm.ppf((np.arange(n) + 0.5) / n)
    rows = rows + skewness / 6 * (rows**2 - 1)
    for _ in range(50):
        rows = rows + (skewness - stats.skew(rows)) / 6 * (rows**2 - 1)
    return rows


def test_constants_and_few_values_give_no_result() -> None:
    for test in (dagostino_pearson, jarque_bera, anderson_darling):
        assert math.isnan(test(weighted([3.0] * 20, 1e9)).p_value)
        assert math.isnan(test(weighted([])).p_value)
    assert math.isnan(dagostino_pearson(weighted([1.0, 2.0, 3.0])).p_value)
    assert math.isnan(anderson_darling(weighted([1.0, 2.0, 3.0])).p_value)
    assert math.isnan(dagostino_pearson(Shape("x")).p_value)


def test_rows_repeated_a_million_times() -> None:
    few = weighted([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 5.0, 9.0])
    many = times(few, 50_000_000)
    assert close(jarque_bera(many).statistic, 50_000_000 * jarque_bera(few).statistic, 1e-12)
    assert anderson_darling(many).p_value == 0
    assert dagostino_pearson(many).p_value == 0


def test_far_tails_have_no_infinity() -> None:
    result = anderson_darling(weighted([0.0] * 10_000 + [1e6]))
    assert math.isfinite(result.statistic)
