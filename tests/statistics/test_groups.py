"""Counts of combinations equal those of a counter, and too many of them are refused."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, reread, words
from traintable.errors import ConfigError
from traintable.statistics import groups
from traintable.statistics.groups import Groups

tables = st.lists(st.tuples(words, words, words), max_size=25)


def rows_of(table: list[Any]) -> Any:
    return chunk(texts={name: [row[i] for row in table] for i, name in enumerate("abc")})


def counted(table: list[Any], columns: str = "abc") -> Groups:
    found: Groups = learned(Groups(columns), rows_of(table))
    return found


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False), st.sampled_from(["a", "ab", "cab", "aab"]))
def test_counts_equal_those_of_a_counter_in_any_layout(table: list[Any], random: Random, columns: str) -> None:
    _, found = in_any_layout(lambda: Groups(columns), rows_of(table), random)
    assert found.counts == Counter(tuple(row["abc".index(name)] for name in columns) for row in table)


def test_many_combinations_of_few_rows_are_counted_alike() -> None:
    rng = np.random.default_rng(0)
    table = [(f"a{i}", f"b{j}", f"c{k}") for i, j, k in rng.integers(0, 4000, (900, 3)).tolist()]
    assert counted(table).counts == Counter(table)  # 64,000,000,000 possible ones: not each gets a counter


def test_too_many_are_refused_in_one_batch_and_when_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    state = counted([("a", "b", "c"), ("a", None, "c"), ("a", "b", "c")])
    with pytest.raises(ConfigError, match=r"'a', 'b', 'c'.*leave it out"):
        counted([("a", "b", "c"), ("a", None, "c"), (None, "b", "c")])
    with pytest.raises(ConfigError, match="at most 2 combinations"):
        reread(state).merge(counted([(None, None, None)]))
