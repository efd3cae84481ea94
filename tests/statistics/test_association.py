"""Associations from aggregates equal those that SciPy and scikit-learn make of the rows, or exact fractions do."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.feature_selection import f_classif
from sklearn.metrics import mutual_info_score

from traintable.arrays import Floats
from traintable.statistics import association
from traintable.statistics.association import (
    anova_f,
    benjamini_hochberg,
    chi2,
    find_correlated,
    mrmr,
    mutual_information,
)

NAN, INF = float("nan"), float("inf")
RELATIVE = 1e-9


def exact_mean(values: Sequence[float]) -> Fraction:
    return sum(map(Fraction, values), Fraction(0)) / len(values)


def squares(values: Sequence[float]) -> Fraction:
    mean = exact_mean(values)
    return sum(((Fraction(v) - mean) ** 2 for v in values), Fraction(0))


def anova_of(classes: Sequence[Any], mean: Callable[[Fraction], Any] = float) -> association.Test:
    """The test from exact aggregates of the values of each class, where `mean` says in what form means are given."""
    rows = [[float(v) for v in values] for values in classes]
    means = [mean(exact_mean(values)) if values else NAN for values in rows]
    variances = [float(squares(values) / (len(values) - 1)) if len(values) > 1 else NAN for values in rows]
    return anova_f([len(values) for values in rows], means, variances)


def close(test: association.Test, statistic: float, p_value: float) -> bool:
    found, expected = (test.statistic, test.p_value), (float(statistic), float(p_value))
    return all(f == pytest.approx(e, rel=r, abs=0) for f, e, r in zip(found, expected, (RELATIVE, 1e-8), strict=True))


def same(test: association.Test, statistic: float, p_value: float) -> bool:
    """Equal to the last bit; NaN equals NaN."""
    return bool(np.array_equal([test.statistic, test.p_value], [statistic, p_value], equal_nan=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_anova_equals_scipy_and_sklearn(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    label = np.concatenate([[0, 0, 1], rng.integers(0, 4, 400)])  # of unequal sizes
    x = scale * (rng.normal(size=len(label)) + 0.1 * label)
    classes = [x[label == c] for c in range(4)]
    oracle = stats.f_oneway(*classes)
    assert close(anova_of(classes), oracle.statistic, oracle.pvalue)
    assert close(anova_of(classes, mean=Fraction), oracle.statistic, oracle.pvalue)
    assert close(anova_of(classes), *(float(v[0]) for v in f_classif(x[:, None], label)))


@pytest.mark.parametrize("seed", range(5))
def test_anova_far_from_zero_equals_scipy(seed: int) -> None:
    """Not scikit-learn, whose sums of raw squares are noise here."""
    rng = np.random.default_rng(seed)
    classes = [1e9 + rng.normal(0.1 * c, 1.0, 200 + c) for c in range(3)]
    oracle = stats.f_oneway(*classes)
    assert close(anova_of(classes, mean=Fraction), oracle.statistic, oracle.pvalue)
    assert close(anova_of(classes, mean=lambda m: float(m - 10**9)), oracle.statistic, oracle.pvalue)
    assert anova_of(classes).statistic == pytest.approx(oracle.statistic, rel=1e-4)  # all that rounded means allow


values = st.one_of(
    st.floats(-1e60, 1e60).filter(lambda v: v == 0 or abs(v) > 1e-60),
    st.floats(-1, 1).map(lambda v: 1e9 + v),
    st.sampled_from([0.0, 0.1, 1.0, 1e9, 1e9 + 1e-6]),
)


@settings(deadline=None)
@given(st.lists(st.lists(values, max_size=6), max_size=5))
def test_anova_equals_that_of_fractions(classes: list[list[float]]) -> None:
    test = anova_of(classes, mean=Fraction)
    full = [c for c in classes if c]
    pooled = [v for c in full for v in c]
    within = sum(map(squares, full), Fraction(0))
    between = squares(pooled) - within if pooled else Fraction(0)
    df = len(full) - 1, len(pooled) - len(full)
    if min(df) < 1 or within == between == 0:
        assert same(test, NAN, NAN)
    elif within == 0:
        assert same(test, INF, 0.0)
    else:
        f = float(between / df[0] / (within / df[1]))
        assert test.statistic == pytest.approx(f, rel=1e-12, abs=0)
        assert test.p_value == pytest.approx(float(stats.f.sf(test.statistic, *df)), rel=1e-8)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), max_size=6), max_size=5), st.randoms(use_true_random=False))
def test_anova_does_not_depend_on_the_order_of_classes_nor_on_empty_ones(classes: list[list[int]], random: Any) -> None:
    before = anova_of(classes)
    mixed = [*classes, [], []]
    random.shuffle(mixed)
    after = anova_of(mixed)
    np.testing.assert_allclose(after.statistic, before.statistic, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("classes", "statistic", "p_value"),
    [
        ([], NAN, NAN),
        ([[]], NAN, NAN),
        ([[], []], NAN, NAN),
        ([[1.0, 2.0]], NAN, NAN),
        ([[1.0, 2.0], []], NAN, NAN),
        ([[1.0], [2.0]], NAN, NAN),  # nothing to judge the difference by, as in scipy
        ([[1.0, 1.0], [1.0]], NAN, NAN),
        ([[0.1, 0.1, 0.1], [0.1, 0.1]], NAN, NAN),
        ([[0.1, 0.1, 0.1], [0.3]], INF, 0.0),
        ([[1e9, 1e9], [1e9 + 2**-20]], INF, 0.0),
        ([[1.0, 3.0], [2.0, 2.0]], 0.0, 1.0),
    ],
)
def test_anova_of_degenerate_classes(classes: list[list[float]], statistic: float, p_value: float) -> None:
    assert same(anova_of(classes), statistic, p_value)


def test_anova_does_not_look_at_what_has_no_meaning() -> None:
    clean = anova_f([3, 1, 4], [1.0, 2.0, 3.0], [0.5, 0.0, 0.25])
    f = 3.4375 / 0.35  # by hand
    assert close(clean, f, stats.f.sf(f, 2, 5))
    dirty = anova_f([3, 0, 1, 4], [1.0, NAN, 2.0, 3.0], [0.5, INF, NAN, 0.25])
    assert same(dirty, clean.statistic, clean.p_value)


@pytest.mark.parametrize("variance", [INF, NAN])
def test_anova_of_a_variance_that_is_not_finite_is_undefined(variance: float) -> None:
    assert same(anova_f([2, 2], [0.0, 1.0], [variance, 1.0]), NAN, NAN)


def test_anova_of_the_largest_numbers_does_not_overflow() -> None:
    largest = 1.7e308
    assert same(anova_f([2, 98, 2], [largest, -largest, 0.0], [0.0, 0.0, 1.0]), INF, 0.0)
    n = 2**40  # rows; sums of counts and means must not wrap around either
    test = anova_f(np.array([n, n]), [2.0**40, 2.0**40 + 1], [2.0**40, 2.0**40])
    assert close(test, 0.5, float(stats.f.sf(0.5, 1, 2 * n - 2)))


@pytest.mark.parametrize("mean", [[1.0], [1.0, 2.0, 3.0], [1.0, NAN], [1.0, -INF]])
def test_anova_needs_a_mean_for_each_class(mean: list[float]) -> None:
    with pytest.raises(ValueError, match=r"finite|zip"):
        anova_f([2, 2], mean, [1.0, 1.0])


TABLES: list[Any] = [
    [[10, 20, 30], [6, 9, 17]],
    [[1, 0], [0, 1]],
    [[0, 5, 0], [3, 0, 2], [0, 0, 7]],
    [[1e9, 1e9 + 7], [1e9 - 3, 1e9]],
    [[1, 10**9], [10**9, 1]],
    [[3 * 10**9, 2 * 10**9 + 10**5], [3 * 10**9 + 10**5, 2 * 10**9]],  # the product of totals is beyond 64 bits
    np.random.default_rng(0).poisson(3, (40, 5)).tolist(),
    np.random.default_rng(1).poisson(300, (3, 7)).tolist(),
]
# Fewer than 2 categories or classes are left.
TRIVIAL: list[Any] = [
    np.zeros((0, 3)),
    np.zeros((3, 0)),
    np.zeros((2, 2)),
    [[5]],
    [[1, 2, 3]],
    [[1], [2]],
    [[1, 2], [0, 0]],
    [[0, 2], [0, 3]],
]

tables = hnp.arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(0, 4)), elements=st.integers(0, 30))


def nonzero(table: Any) -> Any:
    table = np.asarray(table)
    return table[:, table.sum(axis=0) > 0][table.sum(axis=1) > 0]


def padded(table: Any) -> Any:
    """With a row and a column of zeros in front and at the end."""
    return np.pad(np.asarray(table), 1)


@pytest.mark.parametrize("table", TABLES)
def test_chi2_equals_scipy(table: Any) -> None:
    oracle = stats.chi2_contingency(table, correction=False)
    for same_table in (table, padded(table), np.transpose(table)):
        assert close(chi2(same_table), oracle.statistic, oracle.pvalue)


@pytest.mark.parametrize("table", TABLES)
def test_mutual_information_equals_scipy_and_sklearn(table: Any) -> None:
    oracle = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    for same_table in (table, padded(table), np.transpose(table)):
        test = mutual_information(same_table)
        assert test.statistic == pytest.approx(oracle.statistic / (2 * np.sum(table)), rel=RELATIVE, abs=1e-15)
        assert test.p_value == pytest.approx(oracle.pvalue, rel=1e-5)
        if np.sum(table) < 5e9:  # scikit-learn's products of totals wrap around beyond
            score = mutual_info_score(None, None, contingency=np.asarray(table, dtype=np.int64))
            assert test.statistic == pytest.approx(score, rel=RELATIVE, abs=1e-14)


@settings(deadline=None)
@given(tables)
def test_tables_of_any_kind_equal_scipy(table: Any) -> None:
    full = nonzero(table)
    if min(full.shape) < 2:
        assert same(chi2(table), 0.0, 1.0)
        assert same(mutual_information(table), 0.0, 1.0)
        return
    pearson = stats.chi2_contingency(full, correction=False)
    assert chi2(table).statistic == pytest.approx(pearson.statistic, rel=RELATIVE, abs=1e-12)
    assert chi2(table).p_value == pytest.approx(pearson.pvalue, rel=1e-5)
    g = stats.chi2_contingency(full, correction=False, lambda_="log-likelihood")
    score = mutual_info_score(None, None, contingency=full)
    assert mutual_information(table).statistic == pytest.approx(score, rel=RELATIVE, abs=1e-14)
    assert mutual_information(table).p_value == pytest.approx(g.pvalue, rel=1e-5)


@settings(deadline=None)
@given(tables)
def test_mutual_information_is_at_least_zero_and_at_most_the_smaller_entropy(table: Any) -> None:
    information = mutual_information(table).statistic
    entropies = [stats.entropy(table.sum(axis=axis)) for axis in (0, 1)] if table.sum() else [0.0]
    assert 0 <= information <= min(entropies) + 1e-12


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**4), min_size=2, max_size=6), st.lists(st.integers(1, 10**4), min_size=2, max_size=6))
def test_independent_tables_have_no_association(rows: list[int], columns: list[int]) -> None:
    table = np.outer(rows, columns)
    for test in (chi2(table), mutual_information(table)):
        assert 0 <= test.statistic < 1e-6
        assert test.p_value > 0.99


def test_rounding_does_not_make_mutual_information_negative() -> None:
    table = np.array([[40_411_011, 14_279_499], [70_827_902, 25_027_509]])
    log_ratio = np.log(table / stats.contingency.expected_freq(table))
    assert np.sum(table * log_ratio) < 0  # the plain formula
    assert same(mutual_information(table), 0.0, 1.0)


@pytest.mark.parametrize("table", TRIVIAL)
@pytest.mark.parametrize("function", [chi2, mutual_information])
def test_a_table_without_two_categories_and_classes_has_no_association(function: Any, table: Any) -> None:
    assert same(function(table), 0.0, 1.0)


@pytest.mark.parametrize("table", [[1, 2], [[[1]]], [[1, -1], [2, 2]], [[NAN, 1], [2, 2]], [[INF, 1], [2, 2]]])
@pytest.mark.parametrize("function", [chi2, mutual_information])
def test_what_is_no_table_of_counts_is_refused(function: Any, table: Any) -> None:
    with pytest.raises(ValueError, match="table of counts"):
        function(table)


p_values = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.05, 5e-324, NAN])), max_size=30)


@settings(deadline=None)
@given(p_values)
def test_benjamini_hochberg_equals_scipy_and_leaves_nan_out(p: list[float]) -> None:
    made = ~np.isnan(np.array(p, dtype=np.float64))
    adjusted = benjamini_hochberg(p)
    assert adjusted.shape == (len(p),)
    assert np.isnan(adjusted[~made]).all()
    oracle = stats.false_discovery_control(np.array(p)[made]) if made.any() else []
    np.testing.assert_allclose(adjusted[made], oracle, rtol=1e-12, atol=5e-322)


@settings(deadline=None)
@given(p_values)
def test_adjusted_p_values_are_not_below_the_raw_ones_and_keep_their_order(p: list[float]) -> None:
    adjusted = benjamini_hochberg(p)
    made = ~np.isnan(adjusted)
    assert np.all((np.array(p)[made] <= adjusted[made]) & (adjusted[made] <= 1))
    order = np.argsort(np.array(p)[made], kind="stable")
    assert np.all(np.diff(adjusted[made][order]) >= 0)


def test_benjamini_hochberg_by_hand() -> None:
    adjusted = benjamini_hochberg([0.04, NAN, 0.01, 0.03, 0.5])
    np.testing.assert_allclose(adjusted, [0.16 / 3, NAN, 0.04, 0.16 / 3, 0.5], rtol=1e-14)


@pytest.mark.parametrize("p", [-1e-9, 1.0000001, INF, -INF])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        benjamini_hochberg([0.5, p])


def mrmr_by_definition(relevance: Sequence[float], redundancy: Floats, k: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        quotients = {}
        for i in range(len(relevance)):
            if i not in chosen:
                mean = statistics.fmean(abs(redundancy[i, j]) for j in chosen) if chosen else 1.0
                quotients[i] = relevance[i] / max(mean, 0.001)
        chosen.append(min(quotients, key=lambda i: (-quotients[i], i)))
    return chosen


def symmetric(values: Floats) -> Floats:
    r = np.tril(values, -1)
    return np.asarray(r + r.T + np.eye(len(values)))


# Multiples of 1/8, whose sums are exact, so that ties are ties in any order of adding.
eighths = st.integers(-8, 8).map(lambda v: v / 8)
squared = st.integers(0, 7).flatmap(lambda n: hnp.arrays(np.float64, (n, n), elements=eighths)).map(symmetric)


@settings(deadline=None)
@given(squared, st.integers(0, 9), st.data())
def test_mrmr_equals_its_definition(redundancy: Floats, k: int, data: st.DataObject) -> None:
    n = len(redundancy)
    relevance = data.draw(st.lists(st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6)), min_size=n, max_size=n))
    assert mrmr(relevance, redundancy, k) == mrmr_by_definition(relevance, redundancy, k)


@pytest.mark.parametrize("seed", range(5))
def test_mrmr_of_real_columns_equals_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 12)) @ rng.normal(size=(12, 12))
    redundancy = np.asarray(np.corrcoef(x, rowvar=False))
    relevance = rng.gamma(1.0, 10.0, 12)
    assert mrmr(relevance, np.abs(redundancy), 8) == mrmr_by_definition(relevance.tolist(), redundancy, 8)


def test_mrmr_prefers_what_is_new() -> None:
    redundancy = np.array([[1.0, -0.9, 0.1], [-0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])
    assert mrmr([10.0, 9.0, 2.0], redundancy, 3) == [0, 2, 1]  # 2.0 / 0.1 is above 9.0 / 0.9
    assert mrmr([10.0, 9.0, 0.5], redundancy, 3) == [0, 1, 2]


def test_mrmr_never_divides_by_less_than_a_thousandth() -> None:
    redundancy = symmetric(np.array([[1, 0, 0], [1e-9, 1, 0], [0.002, 0, 1]]))
    assert mrmr([10.0, 1.0, 3.0], redundancy, 2) == [0, 2]
    assert mrmr([10.0, 2.0, 3.0], redundancy, 2) == [0, 1]
    redundancy = symmetric(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [9e-4, 9e-4, 1, 0], [5e-4, 5e-4, 0, 1]]))
    assert mrmr([9.0, 8.0, 3.0, 2.9], redundancy, 3) == [0, 1, 2]  # it is the mean that the floor is for, not the sum


def test_mrmr_takes_nan_for_zero_and_the_lower_index_of_a_tie() -> None:
    nothing = np.full((4, 4), NAN)
    assert mrmr([NAN, 3.0, 5.0, 5.0], nothing, 9) == [2, 3, 1, 0]
    assert mrmr([0.0, NAN, INF, INF], np.eye(4), 9) == [2, 3, 0, 1]
    assert mrmr([1.0] * 4, np.ones((4, 4)), 2) == [0, 1]


def test_mrmr_changes_nothing_it_is_given() -> None:
    relevance, redundancy = np.array([1.0, NAN]), np.array([[1.0, -0.5], [-0.5, 1.0]])
    before = relevance.copy(), redundancy.copy()
    mrmr(relevance, redundancy, 2)
    np.testing.assert_array_equal(relevance, before[0])
    np.testing.assert_array_equal(redundancy, before[1])


@settings(deadline=None)
@given(squared, eighths.map(abs), st.data())
def test_what_stays_is_not_correlated_and_what_goes_is(r: Floats, threshold: float, data: st.DataObject) -> None:
    n = len(r)
    priority = data.draw(st.none() | st.lists(st.sampled_from([1.0, 2.0, 3.0, INF, NAN]), min_size=n, max_size=n))
    dropped = find_correlated(r, threshold, priority)
    key = [0.0] * n if priority is None else [-INF if np.isnan(p) else p for p in priority]
    walk = sorted(range(n), key=lambda i: (-key[i], i))
    gone = [i for i, _, _ in dropped]
    stays = [i for i in walk if i not in gone]
    assert all(abs(r[i, j]) <= threshold for i in stays for j in stays if i != j)
    assert gone == [i for i in walk if i in gone]
    for i, partner, size in dropped:
        before = [j for j in stays if walk.index(j) < walk.index(i)]
        largest = max(abs(r[i, j]) for j in before)
        assert partner == next(j for j in before if abs(r[i, j]) == largest)
        assert largest > threshold
        assert size == r[i, partner]


CHAIN = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, -0.95], [0.2, -0.95, 1.0]])


@pytest.mark.parametrize(
    ("threshold", "priority", "expected"),
    [
        (0.8, None, [(1, 0, 0.9)]),  # 2 stays: what it is correlated with has gone
        (0.8, [1, 3, 2], [(2, 1, -0.95), (0, 1, 0.9)]),
        (0.8, [1, 2, 3], [(1, 2, -0.95)]),
        (0.8, [NAN, 2, 2], [(2, 1, -0.95), (0, 1, 0.9)]),
        (0.9, None, [(2, 1, -0.95)]),  # a correlation that equals the threshold is allowed
        (0.8, [2, 1, 2], [(1, 2, -0.95)]),  # of two partners the one of the larger |r|
        (0.1, None, [(1, 0, 0.9), (2, 0, 0.2)]),
        (0.95, None, []),
    ],
)
def test_correlated_by_hand(
    threshold: float, priority: list[float] | None, expected: list[tuple[int, int, float]]
) -> None:
    assert find_correlated(CHAIN, threshold, priority) == expected


def test_correlated_takes_nan_for_zero() -> None:
    r = np.array([[1.0, NAN, 0.9], [NAN, NAN, NAN], [0.9, NAN, 1.0]])
    assert find_correlated(r, 0.5, [1, 2, 0]) == [(2, 0, 0.9)]
    assert find_correlated(np.zeros((0, 0)), 0.5) == []


@pytest.mark.parametrize("shape", [(3, 2), (2, 2), (3, 1), (3,)])
def test_correlations_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        mrmr([1.0, 2.0, 3.0], np.zeros(shape), 2)
    with pytest.raises(ValueError, match="shape"):
        find_correlated(np.zeros(shape), 0.5, [1, 2, 3])
