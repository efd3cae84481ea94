"""The number of different values is exact while they are few, and within its standard error when they are many."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import canonical, merged, reread
from traintable.arrays import Ints
from traintable.statistics import frequencies, values
from traintable.statistics.distinct import SIZE, Distinct

hashes = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-9, 9), st.sampled_from([-(2**63), 2**63 - 1]))


def distinct_of(found: Any, size: int = SIZE) -> Distinct:
    state = Distinct(size)
    state.add(np.array(found, dtype=np.int64))
    return state


@settings(deadline=None)
@given(st.lists(st.lists(hashes, max_size=12), max_size=6), st.randoms(use_true_random=False))
def test_any_layout_gives_the_same_state(parts: list[list[int]], random: Random) -> None:
    together = merged([distinct_of([], 8), *(reread(distinct_of(part, 8)) for part in parts)], random)
    once = distinct_of([], 8)
    for part in parts:
        once.add(np.array(part, dtype=np.int64))
    smallest = sorted({h for part in parts for h in part})[:8]
    assert together.hashes.tolist() == once.hashes.tolist() == smallest
    assert canonical(together.to_dict()) == canonical(once.to_dict())


KINDS: dict[str, Callable[[int], Ints]] = {
    "whole numbers": lambda n: values.hash_numbers(np.arange(n, dtype=np.float64)),
    "tenths": lambda n: values.hash_numbers(np.arange(n) / 10),
    "powers": lambda n: values.hash_numbers(np.exp(np.linspace(-600, 600, n))),
    "random": lambda n: values.hash_numbers(np.unique(np.random.default_rng(n).normal(size=n))),
    "negative": lambda n: values.hash_numbers(-np.arange(1e9, 1e9 + n)),
    "words": lambda n: frequencies.hash_words([str(i) for i in range(n)]),
    "keys": lambda n: frequencies.hash_words([f"customer-{i:09}" for i in range(n)]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1, SIZE - 1, 5_000, 20_000, 100_000])
def test_the_estimate_is_within_5_standard_errors(kind: str, n: int) -> None:
    state = Distinct()
    found = KINDS[kind](n)
    for part in np.array_split(np.concatenate([found, found[::3]]), 7):
        state.add(part)
    number, error = state.estimate()
    if n < SIZE:
        assert (number, error) == (n, 0.0)
    else:
        assert error == pytest.approx(1 / 64, rel=1e-3)
        assert abs(number / n - 1) < 5 * error
        assert number != n
    assert len(json.dumps(state.to_dict())) < 60_000


def test_estimates_are_not_biased() -> None:
    rng = np.random.default_rng(0)
    ratios = [distinct_of(rng.integers(-(2**63), 2**63, 20_000)).estimate()[0] / 20_000 for _ in range(200)]
    assert np.mean(ratios) == pytest.approx(1, abs=5 / 64 / np.sqrt(200))
    assert np.std(ratios) == pytest.approx(1 / 64, rel=0.3)


def splitmix64(bits: int) -> int:
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits = (bits ^ (bits >> shift)) * factor % 2**64
    return bits - 2**64 if bits >= 2**63 else bits


def test_hashes_differ_and_stay_the_same_for_ever() -> None:
    """Those of one state are compared with those of another, that a cache has kept."""
    found = np.concatenate([KINDS[kind](20_000) for kind in ("tenths", "negative", "words", "keys")])
    assert len(np.unique(found)) == len(found)
    numbers = np.array([0.0, 1.0, -0.1, 5e-324, 1.7e308])
    assert values.hash_numbers(numbers).tolist() == [splitmix64(int(bits)) for bits in numbers.view(np.uint64)]
    of_words = [1760245841805064774, -4496393130729816112, 8676411665159080067]
    assert frequencies.hash_words(["", "a", "\U0001f600"]).tolist() == of_words
    assert frequencies.hash_words([]).tolist() == []


def test_a_smaller_sketch_says_a_larger_error() -> None:
    found = distinct_of(values.hash_numbers(np.arange(50_000, dtype=np.float64)), 256)
    number, error = reread(found).estimate()
    assert error == pytest.approx(1 / np.sqrt(254))
    assert abs(number / 50_000 - 1) < 4 * error
    assert len(found.hashes) == 256
