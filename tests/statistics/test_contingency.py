"""Counts of pairs equal those of pandas."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, words
from traintable.statistics.contingency import Contingency

tables = st.lists(st.tuples(words, words), max_size=25)


def counted(table: list[Any]) -> Contingency:
    texts = {"a": [a for a, _ in table], "b": [b for _, b in table]}
    found: Contingency = learned(Contingency("a", "b"), chunk(texts=texts))
    return found


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_counts_equal_those_of_a_counter_in_any_layout(table: list[Any], random: Random) -> None:
    rows = chunk(texts={"a": [a for a, _ in table], "b": [b for _, b in table]})
    _, found = in_any_layout(lambda: Contingency("a", "b"), rows, random)
    assert found.counts == Counter(table)


@settings(deadline=None)
@given(tables)
def test_the_table_is_that_of_pandas(table: list[Any]) -> None:
    rows, columns, counts = counted(table).table()
    full = [(a, b) for a, b in table if a is not None and b is not None]
    assert rows == sorted({a for a, _ in full})
    assert columns == sorted({b for _, b in full})
    assert counts.shape == (len(rows), len(columns))
    if full:
        frame = pd.DataFrame(full, columns=["a", "b"], dtype=object)
        np.testing.assert_array_equal(counts, pd.crosstab(frame["a"], frame["b"]).loc[rows, columns])


def test_many_pairs_of_few_rows_are_counted_alike() -> None:
    rng = np.random.default_rng(0)
    table = [(f"a{i}", f"b{j}") for i, j in rng.integers(0, 400, (900, 2)).tolist()]
    assert counted(table).counts == Counter(table)  # 160,000 possible pairs: not each gets a counter


def test_a_column_with_itself() -> None:
    found = learned(Contingency("a", "a"), chunk(texts={"a": ["x", None, "y", "x"]}))
    assert found.counts == {("x", "x"): 2, ("y", "y"): 1, (None, None): 1}
