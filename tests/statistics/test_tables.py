"""Codes are those of NumPy and pandas, tables those of crosstab, and moments of scores those of the scores."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import EDGES, chunk, in_any_layout, learned, numbers, words
from traintable.statistics.coding import Coding
from traintable.statistics.tables import Scores, Tables

rows = st.lists(st.tuples(numbers, st.integers(-3, 9).map(float), words), max_size=30)
starts = st.one_of(
    st.lists(st.floats(-1e3, 1e3), max_size=6, unique=True).map(sorted),
    st.lists(st.integers(-5, 12).map(float), max_size=6, unique=True).map(sorted),
    st.just(sorted(set(EDGES))),
)


def again(state: Any) -> Any:
    return state.restore(json.loads(json.dumps(state.to_dict())))


def code(value: float | None, edges: list[float]) -> int:
    """The code of a number by its definition."""
    if value is None or not np.isfinite(value) or not edges:
        return 0
    return max(1, sum(edge <= value for edge in edges))


def columns(table: list[Any]) -> Any:
    x, k, w = zip(*table, strict=True) if table else ((), (), ())
    return chunk({"x": x, "k": k}, {"w": w})


@settings(deadline=None)
@given(rows, starts, st.lists(words.filter(lambda w: w is not None), max_size=4, unique=True))
def test_codes_follow_from_their_definition(table: list[Any], edges: list[float], kept: list[str]) -> None:
    found = columns(table)
    for name, place in (("x", 0), ("k", 1)):
        codes = Coding.of_ranges(name, np.array(edges, float)).codes(found)
        assert codes.tolist() == [code(row[place], edges) for row in table]
    place_of = {word: i + 1 for i, word in enumerate(kept)}
    coding = Coding.of_words("w", kept)
    expected = [0 if w is None else place_of.get(w, len(kept) + 1) for *_, w in table]
    assert coding.codes(found).tolist() == expected
    assert coding.size == len(kept) + 2


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_tables_are_those_of_crosstab_in_any_layout(table: list[Any], random: Random) -> None:
    a, b = Coding.of_ranges("k", np.array([-1.0, 0.0, 4.0])), Coding.of_words("w", ["a", "", "null"])
    x = Coding.of_ranges("x", np.array([-1.0, 0.5]))
    pairs = [(a, b), (b, x), (a, a)]
    found, _ = in_any_layout(lambda: Tables(pairs), columns(table), random, again)
    for first, second in pairs:
        codes = [coding.codes(columns(table)) for coding in (first, second)]
        expected = pd.crosstab(codes[0], codes[1]).reindex(
            index=range(first.size), columns=range(second.size), fill_value=0
        )
        np.testing.assert_array_equal(found.counts[first, second], expected)


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_moments_are_those_of_the_scores(table: list[Any], random: Random) -> None:
    a, b = Coding.of_ranges("k", np.array([-1.0, 0.0, 4.0])), Coding.of_ranges("x", np.array([-1.0, 0.5]))
    scores = {a: np.array([1.5, 1e9, -7.0]), b: np.array([0.0, 3.25])}
    scored = [(coding, values.tobytes()) for coding, values in scores.items()]
    found, _ = in_any_layout(lambda: Scores(scored), columns(table), random, again)
    frame = pd.DataFrame({c.column: np.append(np.nan, scores[c])[c.codes(columns(table))] for c in (a, b)})
    covariance = found.gram.pairwise()
    np.testing.assert_allclose(covariance.mean, frame.mean(), rtol=1e-12)
    expected = frame.cov()
    np.testing.assert_allclose(np.diag(covariance.covariance), np.diag(expected), rtol=1e-9)
    np.testing.assert_allclose(covariance.covariance[0, 1], expected.iloc[0, 1], rtol=1e-9, atol=1e-3)


@pytest.mark.parametrize("edges", [[], [0.0], [-(2.0**53), 0.0, 2.0**53], [0.5, 1.0]])
def test_few_or_far_starts(edges: list[float]) -> None:
    values = [-1e300, -1.0, 0.0, 0.5, 0.75, 1.0, 2.0**53, 1e300, None, float("nan")]
    found = Coding.of_ranges("x", np.array(edges, float)).codes(chunk({"x": values}))
    assert found.tolist() == [code(v, edges) for v in values]


def test_no_rows() -> None:
    coding = Coding.of_ranges("x", np.array([1.0]))
    assert learned(Tables([(coding, coding)]), chunk({"x": []})).counts[coding, coding].sum() == 0
