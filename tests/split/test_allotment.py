"""Groups are dealt out so that sizes and shares of classes come as near as scikit-learn's greedy search does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from traintable.split.allotment import allot

RATIOS = [[Fraction(1, 2)] * 2, [Fraction(7, 10), Fraction(3, 20), Fraction(3, 20)], [Fraction(1, 10)] * 10]
Ints = npt.NDArray[np.int64]


def kinds(table: Ints) -> tuple[Ints, Ints]:
    """The different rows of a table of (groups, classes), and how often each is there."""
    vectors, n_groups = np.unique(table, axis=0, return_counts=True)
    return vectors, n_groups


def deviation(counts: Ints) -> float:
    """How far the parts of shape (folds, classes) are from equal shares of each class: the mean of the variances."""
    return float((counts / np.maximum(counts.sum(axis=0), 1)).var(axis=0).mean())


def by_scikit_learn(table: Ints, n: int, seed: int = 0) -> Ints:
    """Rows of each class in each fold of StratifiedGroupKFold, shape (folds, classes)."""
    group, label = np.nonzero(table)
    repeated = np.repeat(np.arange(len(group)), table[group, label])
    groups, labels = group[repeated], label[repeated]
    folds = StratifiedGroupKFold(n, shuffle=True, random_state=seed).split(labels, labels, groups)
    return np.array([np.bincount(labels[test], minlength=table.shape[1]) for _, test in folds])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=30),
    st.lists(st.integers(1, 3000), min_size=30, max_size=30),
    st.sampled_from(RATIOS),
)
def test_each_group_is_dealt_once_and_no_part_is_far_from_its_share(
    table: list[list[int]], many: list[int], shares: list[Fraction]
) -> None:
    vectors = np.unique(np.array(table, np.int64), axis=0)
    n_groups = np.array(many[: len(vectors)], np.int64)
    dealt = allot(vectors, n_groups, shares)
    assert dealt.min() >= 0
    assert dealt.sum(axis=1).tolist() == n_groups.tolist()
    rows = dealt.T @ vectors
    off = np.abs(rows - rows.sum(axis=0) * np.array([float(s) for s in shares])[:, None])
    assert (off <= vectors.max() * vectors.shape[1] + 1).all()


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("scale", [1, 4, 20])
def test_shares_of_classes_are_as_near_as_scikit_learn_brings_them(scale: int, n: int) -> None:
    """Groups of 30 different tables, of small and of large, skewed groups; the deviations are compared together."""
    rng = np.random.default_rng(scale)
    ours, theirs = [], []
    for seed in range(30):
        rates = rng.gamma(0.7, scale, (60, 1)) * rng.dirichlet([2.0, 1.0, 0.3], 60)
        table = np.maximum(rng.poisson(rates), np.eye(3, dtype=int)[rng.integers(0, 3, 60)])
        vectors, n_groups = kinds(table)
        ours.append(deviation(allot(vectors, n_groups, [Fraction(1, n)] * n).T @ vectors))
        theirs.append(deviation(by_scikit_learn(table, n, seed)))
    assert np.mean(ours) <= np.mean(theirs)
    assert np.median(ours) <= 1.1 * np.median(theirs)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_without_classes_folds_have_the_sizes_that_scikit_learn_gives(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(50):
        sizes = np.concatenate([rng.geometric(0.02, 40), [500, 400]])
        groups = np.repeat(np.arange(len(sizes)), sizes)
        theirs = [len(test) for _, test in GroupKFold(n).split(groups, groups=groups)]
        vectors, n_groups = kinds(sizes[:, None])
        ours = allot(vectors, n_groups, [Fraction(1, n)] * n).T @ vectors[:, 0]
        assert sorted(ours.tolist()) == sorted(theirs)


def test_many_groups_of_few_kinds_and_one_giant_come_out_even() -> None:
    """A giant takes one fold's share: what comes after it goes to the others, not in equal numbers to all."""
    vectors, n_groups = np.array([[1], [3], [100_000]]), np.array([200_000, 100_000, 1])
    rows = allot(vectors, n_groups, [Fraction(1, 6)] * 6).T @ vectors[:, 0]
    assert rows.max() - rows.min() <= 1


def test_kinds_in_another_order_are_dealt_alike() -> None:
    rng = np.random.default_rng(1)
    vectors, n_groups = kinds(rng.poisson(2, (200, 3)))
    order = rng.permutation(len(vectors))
    shares = RATIOS[1]
    assert (allot(vectors, n_groups, shares)[order] == allot(vectors[order], n_groups[order], shares)).all()


def test_no_groups_are_dealt_to_nobody() -> None:
    assert allot(np.zeros((0, 2), np.int64), np.zeros(0, np.int64), RATIOS[0]).shape == (0, 2)
