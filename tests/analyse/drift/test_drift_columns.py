"""The population stability index and the tests of two tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from traintable.analyse.drift.columns import (
    LEAST_SHARE,
    MODERATE_PSI,
    SEVERE_PSI,
    category_drift,
    number_drift,
    psi,
    psi_of_categories,
    psi_of_counts,
    severity,
)
from traintable.errors import ConfigError
from traintable.statistics.frequencies import Frequencies
from weights import close, offsets, samples, weighted

words = st.lists(st.sampled_from(["a", "b", "c", "", None]), max_size=30)


def frequencies(rows: Sequence[str | None]) -> Frequencies:
    counted = Frequencies("x").with_counts(Counter(w for w in rows if w is not None))
    counted.n_null = rows.count(None)
    return counted


def divergence(p: pd.Series[float], q: pd.Series[float]) -> float:
    """Kullback and Leibler's, both ways."""
    p, q = (np.maximum(shares, LEAST_SHARE) for shares in (p, q))
    return float((p * np.log(p / q)).sum() + (q * np.log(q / p)).sum())


@settings(deadline=None, max_examples=120)
@given(samples, samples, offsets, st.integers(0, 5), st.integers(0, 5))
def test_psi_is_that_of_pandas_in_bins_of_deciles(
    a: list[float], b: list[float], offset: float, missing_a: int, missing_b: int
) -> None:
    drift = psi(weighted(a, offset), weighted(b, offset), missing=(missing_a, missing_b))
    if len(a) + missing_a == 0 or len(b) + missing_b == 0:
        assert math.isnan(drift)
        return
    cuts = np.unique(np.quantile(np.array(a) + offset, np.arange(1, 10) / 10)) if a else np.zeros(0)
    bins = [-np.inf, *cuts, np.inf]
    shares = []
    for rows, n in ((a, missing_a), (b, missing_b)):
        column = pd.Series([v + offset for v in rows] + [np.nan] * n, dtype=float)
        counts = pd.cut(column, bins).value_counts(dropna=False, sort=False)
        counts.index = counts.index.astype(str)
        shares.append(counts / counts.sum())
    p, q = shares[0].align(shares[1], fill_value=0.0)
    used = (p > 0) | (q > 0)
    assert close(drift, divergence(p[used], q[used]), 1e-9, 1e-12)


@given(words, words)
def test_psi_of_categories_is_that_of_pandas_with_null_as_one(a: list[str | None], b: list[str | None]) -> None:
    drift = psi_of_categories(frequencies(a), frequencies(b))
    if not a or not b:
        assert math.isnan(drift)
        return
    p, q = (pd.Series(["null" if w is None else f"={w}" for w in rows]).value_counts(normalize=True) for rows in (a, b))
    p, q = p.align(q, fill_value=0.0)
    assert close(drift, divergence(p, q), 1e-9, 1e-12)


def test_an_empty_bin_adds_a_finite_amount_whatever_the_number_of_rows() -> None:
    few, many = psi_of_counts([5, 5, 0], [5, 0, 5]), psi_of_counts([5e8, 5e8, 0], [5e8, 0, 5e8])
    assert few == many == pytest.approx(2 * (0.5 - LEAST_SHARE) * math.log(0.5 / LEAST_SHARE))
    assert psi_of_counts([3, 7, 0], [3, 7, 0]) == 0


@pytest.mark.parametrize(
    ("index", "expected"),
    [(0.0, "none"), (0.0999, "none"), (MODERATE_PSI, "moderate"), (0.2499, "moderate"), (SEVERE_PSI, "severe")],
)
def test_the_usual_limits(index: float, expected: str) -> None:
    assert severity(index) == expected
    assert severity(math.nan) == "unknown"


def test_the_drift_of_a_number() -> None:
    rng = np.random.default_rng(18)
    before, after = rng.normal(size=3000), rng.normal(0.8, 1, 2500)
    drift = number_drift(weighted(before), weighted(after))
    assert drift.severity == "severe"
    assert close(drift.test.p_value, stats.ks_2samp(before, after).pvalue)
    assert number_drift(weighted(before), weighted(rng.normal(size=2500))).severity == "none"
    gone = number_drift(weighted(before), weighted(before[:50]), missing=(0, 2950))
    assert gone.severity == "severe"
    assert number_drift(weighted(before), weighted([])).severity == "unknown"


def test_the_drift_of_a_category() -> None:
    before, after = ["a"] * 60 + ["b"] * 40 + [None] * 5, ["a"] * 30 + ["b"] * 40 + ["c"] * 30
    drift = category_drift(frequencies(before), frequencies(after))
    expected = stats.chi2_contingency([[5, 60, 40, 0], [0, 30, 40, 30]], correction=False)
    assert close(drift.test.p_value, expected.pvalue)
    assert drift.severity == "severe"
    assert category_drift(frequencies(["a"]), frequencies(["a", "a"])).test.p_value == 1
    assert category_drift(frequencies([]), frequencies(["a"])).severity == "unknown"


def test_too_many_values_to_count_are_refused() -> None:
    many = frequencies(["a"])
    many._give_up()
    with pytest.raises(ConfigError, match="column 'x'"):
        category_drift(frequencies(["a"]), many)
