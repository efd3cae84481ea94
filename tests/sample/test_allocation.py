"""Allocations add up, fit in their strata, and are what they claim to be, against counting by hand and brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.sample.allocation import equal, neyman, proportional

sizes = st.lists(st.integers(0, 40), min_size=1, max_size=12)
deviations = st.one_of(st.sampled_from([0.0, 1.0, 100.0]), st.floats(0.2, 3))
few = st.lists(st.tuples(st.integers(0, 11), deviations), min_size=1, max_size=3)


@settings(deadline=None, max_examples=300)
@given(sizes, st.floats(0, 1))
def test_proportional_is_within_one_of_the_quota_and_favours_large_remainders(found: list[int], share: float) -> None:
    n = int(share * sum(found))
    given_out = proportional(found, n)
    assert sum(given_out) == n
    assert all(0 <= k <= size for k, size in zip(given_out, found, strict=True))
    quotas = [Fraction(n * size, max(1, sum(found))) for size in found]
    up = [q % 1 for q, k in zip(quotas, given_out, strict=True) if k > q]
    down = [q % 1 for q, k in zip(quotas, given_out, strict=True) if k < q]
    assert all(abs(k - q) < 1 for q, k in zip(quotas, given_out, strict=True))
    assert min(up, default=Fraction(1)) >= max(down, default=Fraction(0))


def test_equal_remainders_go_to_the_first() -> None:
    assert proportional([10, 10, 10], 4) == [2, 1, 1]
    assert proportional([0, 0], 0) == [0, 0]
    assert proportional([10**15, 3 * 10**15], 10**14 + 2) == [25 * 10**12 + 1, 75 * 10**12 + 1]  # 0.5 and 1.5 more


@settings(deadline=None, max_examples=300)
@given(sizes, st.floats(0, 1))
def test_equal_is_as_even_as_the_sizes_allow(found: list[int], share: float) -> None:
    n = int(share * sum(found))
    given_out = equal(found, n)
    assert sum(given_out) == n
    assert all(0 <= k <= size for k, size in zip(given_out, found, strict=True))
    not_whole = [k for k, size in zip(given_out, found, strict=True) if k < size]
    assert max(given_out) - min(not_whole, default=max(given_out)) <= 1  # nobody has more than one that could give more


def variance(rows: tuple[int, ...], weights: list[float]) -> float:
    return sum(w * w / k for w, k in zip(weights, rows, strict=True) if w)


@settings(deadline=None, max_examples=300)
@given(few, st.floats(0, 1))
def test_neyman_has_the_smallest_variance_of_all_allocations(strata: list[tuple[int, float]], share: float) -> None:
    found, deviations = [size for size, _ in strata], [s for _, s in strata]
    n, there = int(share * sum(found)), sum(1 for size in found if size)
    given_out = neyman(found, deviations, n)
    assert sum(given_out) == n
    assert all(0 <= k <= size for k, size in zip(given_out, found, strict=True))
    weights = [size * s for size, s in strata]
    if n < there:
        assert max(given_out) <= 1
        left_out = [w for w, k in zip(weights, given_out, strict=True) if not k]
        assert min((w for w, k in zip(weights, given_out, strict=True) if k), default=np.inf) >= max(
            left_out, default=0
        )
        return
    assert all(k > 0 for k, size in zip(given_out, found, strict=True) if size)
    every = product(*[range(min(size, 1), size + 1) for size in found])
    best = min(variance(rows, weights) for rows in every if sum(rows) == n)
    assert variance(tuple(given_out), weights) == pytest.approx(best, rel=1e-12)


def test_neyman_follows_size_times_deviation() -> None:
    found, deviations = [1_000_000, 400_000, 10, 50_000_000], [1.0, 5.0, 1e6, 0.01]
    rows = neyman(found, deviations, 100_000)
    weights = np.array(found) * np.array(deviations)
    assert rows[2] == 10  # whole, for it would get more
    expected = weights[[0, 1, 3]] / weights[[0, 1, 3]].sum() * (100_000 - 10)
    assert np.abs(np.array(rows)[[0, 1, 3]] - expected).max() < 1.5
    assert neyman([7, 13, 20], [0.0, 0.0, 0.0], 8) == [k + 1 for k in proportional([6, 12, 19], 5)]
    assert neyman([3, 10], [2.0, 0.0], 9) == [3, 6]
