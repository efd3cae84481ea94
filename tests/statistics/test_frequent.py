"""Every value above the error is among the frequent ones, and no count is off by more than the error."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import merged, reread
from traintable.statistics import frequent
from traintable.statistics.frequent import Frequent
from traintable.statistics.values import hash_numbers

batches = st.lists(st.lists(st.integers(0, 30).map(lambda v: float(v * v // 40) / 4), max_size=40), max_size=5)


def add(state: Frequent, values: list[float], way: int) -> Frequent:
    """Add a batch, as rows or as counts."""
    if way == 0:
        state.add(np.array(values), hash_numbers(np.array(values)))
    else:
        found, counts = np.unique(np.array(values), return_counts=True)
        state.add_counts(found, counts, way)
    return state


def check(state: Frequent, true: Counter[Any]) -> None:
    for value, n in true.items():
        assert n <= state.error or value in state.counts
    for value, n in state.counts.items():
        assert true[value] - state.error <= n <= true[value]


@settings(deadline=None)
@given(batches, st.randoms(use_true_random=False), st.sampled_from([0.001, 0.05, 0.2]), st.sampled_from([4, 10, 4000]))
def test_counts_are_right_to_the_error(parts: list[list[float]], random: Random, share: float, capacity: int) -> None:
    true = Counter(value for part in parts for value in part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequent, "SHARE", share)
        once = Frequent(capacity)
        for part in parts:
            add(once, part, random.choice([0, 1, 3]))
            assert len(once.counts) <= capacity
        states = [add(Frequent(capacity), part, random.choice([0, 1, 3])) for part in parts]
        together = merged([Frequent(capacity), *(Frequent.from_dict(state.to_dict()) for state in states)], random)
    for state in (once, together, reread(together)):
        check(state, true)
    top, error = together.top(3)
    assert error == together.error
    assert top == sorted(top, key=lambda pair: (-pair[1], pair[0]))
    left_out = [n for value, n in true.items() if value not in dict(top)]
    assert len(top) == 3 or all(n <= 2 * error for n in left_out)
    if error == 0:
        assert top == sorted(true.items(), key=lambda pair: (-pair[1], pair[0]))[:3]


@pytest.mark.parametrize("n", [5_000, 100_000])
def test_the_error_stays_near_a_thousandth_of_the_rows(n: int) -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(n) < 0.3, rng.geometric(0.2, n), rng.normal(size=n))
    states = []
    for part in np.array_split(values, 4):
        state = Frequent()
        state.add(part, hash_numbers(part))
        states.append(state)
    found = merged(states, Random(0))
    true = Counter(values.tolist())
    check(found, true)
    assert 0 < found.error <= 0.001 * n or n < 8_000
    top, _ = found.top(5)
    assert [value for value, _ in top] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(found.counts) <= 4096


def test_words_survive_json() -> None:
    state = Frequent()
    state.add_counts(["b", "", "null"], np.array([2, 3, 1]))
    again = Frequent.from_dict(state.to_dict(), numbers=False)
    assert again.counts == {"b": 2, "": 3, "null": 1}
    assert again.top(2) == ([("", 3), ("b", 2)], 0)


def test_batches_of_nothing_and_of_one_row() -> None:
    state = Frequent()
    for values in ([], [0.0], []):
        add(state, values, 0)
    assert (state.counts, state.error) == ({0.0: 1}, 0)


def test_what_is_dropped_for_want_of_room_raises_the_error() -> None:
    state = Frequent(4)
    for first in (0.0, 10.0):
        state.add_counts(np.array([first, first + 1, first + 2]), np.array([5, 4, 3]))
    assert (state.counts, state.error) == ({0.0: 5, 10.0: 5}, 4)
    state.add_counts(np.arange(20.0, 25.0), np.array([9, 1, 7, 1, 1]))  # too many at once
    assert (state.counts, state.error) == ({0.0: 5, 10.0: 5, 20.0: 9}, 11)


def test_values_that_are_left_out_by_their_hash_alone_raise_the_error() -> None:
    values = np.r_[np.zeros(5000), np.arange(1.0, 5001.0)]
    state = Frequent()
    state.add(values, hash_numbers(values))
    assert state.counts == {0.0: 5000}
    assert state.error == 9  # of 10,000 rows, what is there 10 times counts


@pytest.mark.parametrize("capacity", [256, 1024])
def test_a_smaller_sketch_says_a_larger_error(capacity: int) -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(50_000) < 0.5, rng.geometric(0.2, 50_000), rng.normal(size=50_000))
    states = []
    for part in np.array_split(values, 10):
        state = Frequent(capacity)
        state.add(part, hash_numbers(part))
        states.append(reread(state))
    found = merged(states, Random(0))
    check(found, Counter(values.tolist()))
    assert found.error <= (0.001 + 2 / capacity) * len(values)
    assert len(found.counts) <= found.capacity == capacity
    assert [value for value, _ in found.top(3)[0]] == [1.0, 2.0, 3.0]
