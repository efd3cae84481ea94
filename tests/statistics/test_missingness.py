"""Patterns of missing values are counted as pandas counts them; beyond a limit, the frequent ones are."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import INF, NAN, chunk, in_any_layout, learned, merged, pieces, reread
from traintable.statistics import missingness
from traintable.statistics.chunk import Chunk
from traintable.statistics.missingness import Missingness

# More than 8, so that a pattern takes more than one byte.
NAMES = tuple(f"c{i}" for i in range(11))

cells = st.sampled_from([1.0, 2.0, None, NAN, INF])
tables = st.integers(1, 11).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), max_size=15))


def rows_of(table: list[list[Any]], n_numbers: int = 11) -> Chunk:
    columns = {name: [row[i] for row in table] for i, name in enumerate(NAMES[: len(table[0]) if table else 1])}
    numeric = {name: values for name, values in columns.items() if name in NAMES[:n_numbers]}
    return chunk(numeric, others={name: values for name, values in columns.items() if name not in numeric})


def patterns(table: list[list[Any]]) -> Counter[tuple[str, ...]]:
    gone = pd.DataFrame(table).astype("float64").replace([INF, -INF], NAN).isna().to_numpy().tolist() if table else []
    return Counter(tuple(name for name, is_gone in zip(NAMES, row, strict=False) if is_gone) for row in gone)


@settings(deadline=None)
@given(tables, st.integers(0, 11), st.randoms(use_true_random=False))
def test_patterns_equal_those_of_pandas_in_any_layout(table: list[Any], n_numbers: int, random: Random) -> None:
    names = NAMES[: len(table[0]) if table else 1]
    _, found = in_any_layout(lambda: Missingness(names), rows_of(table, n_numbers), random)
    assert Counter(dict(found.most_frequent(99))) == patterns(table)
    assert found.n_other == 0
    counts = [n for _, n in found.most_frequent(2)]
    assert counts == sorted(patterns(table).values(), reverse=True)[:2]


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_beyond_the_limit_no_row_is_lost_and_counts_are_right_to_the_others(table: list[Any], random: Random) -> None:
    true = patterns(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(missingness, "MAX_PATTERNS", 4)
        parts = [
            reread(learned(Missingness(NAMES[: len(table[0]) if table else 1]), part))
            for part in pieces(rows_of(table), random)
        ]
        found = merged(parts, random)
    counts = dict(found.most_frequent(99))
    assert len(counts) <= 4
    assert sum(counts.values()) + found.n_other == len(table)
    for pattern, n in true.items():
        assert n - found.n_other <= counts.get(pattern, 0) <= n


def test_no_columns_and_rows_without_holes() -> None:
    nothing = learned(Missingness([]), Chunk({}, 3))
    nothing.merge(reread(nothing))
    assert nothing.most_frequent(3) == []
    full = learned(
        Missingness(["a", "b"]), chunk({"a": [1.0, 2.0]}, others={"b": ["", "x"]}), chunk({"a": [], "b": []})
    )
    assert full.most_frequent(3) == [((), 2)]
