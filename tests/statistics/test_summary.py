"""Counts, extremes and moments of single columns equal those that fractions, pandas and SciPy give."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from chunks import INF, NAN, chunk, in_any_layout, learned, merged, numbers, pieces, reread
from traintable.statistics import Gram
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import MAX_ROWS
from traintable.statistics.summary import NumberSummary, Shape, Sums

NAMES = ("a", "b")
RANGE = (-2.0, 1e9)

columns = st.lists(numbers, max_size=20)
tables = st.lists(st.tuples(numbers, numbers), max_size=20)


def finite(values: list[float | None]) -> list[float]:
    return [v for v in values if v is not None and math.isfinite(v)]


def summary_of(values: Any, valid: tuple[float, float] | None = None) -> NumberSummary:
    found: NumberSummary = learned(NumberSummary("x"), chunk({"x": values}, ranges={"x": valid} if valid else None))
    return found


def rows_of(table: list[tuple[Any, ...]]) -> Chunk:
    return chunk({name: [row[i] for row in table] for i, name in enumerate(NAMES)})


@settings(deadline=None)
@given(columns, st.booleans())
def test_a_summary_equals_that_of_pandas(values: list[float | None], is_ranged: bool) -> None:
    found = summary_of(values, RANGE if is_ranged else None)
    there = pd.Series(finite(values), dtype=np.float64)
    inside = there[there.between(*RANGE)] if is_ranged else there
    assert (found.n_rows, found.n, found.n_outside) == (len(values), len(inside), len(there) - len(inside))
    assert found.n_null == values.count(None)
    assert found.n_nan == sum(v is not None and math.isnan(v) for v in values)
    assert found.n_infinite == sum(v is not None and math.isinf(v) for v in values)
    assert found.n_zero == (inside == 0).sum()
    assert (found.min, found.max) == ((inside.min(), inside.max()) if len(inside) else (INF, -INF))
    assert found.n_rows == found.n + found.n_null + found.n_nan + found.n_infinite + found.n_outside


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_any_layout_gives_the_same_summary(values: list[float | None], random: Random) -> None:
    in_any_layout(lambda: NumberSummary("x"), chunk({"x": values}, ranges={"x": RANGE}), random)


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_any_layout_gives_the_same_sums(table: list[Any], random: Random) -> None:
    in_any_layout(lambda: Sums(NAMES), rows_of(table), random)


@settings(deadline=None)
@given(tables, st.sampled_from([0.0, 0.1, -1e300, 5e-324, 2.0**60]))
def test_sums_are_the_diagonal_of_gram_and_those_of_fractions(table: list[Any], fill: float) -> None:
    sums, gram = learned(Sums(NAMES), rows_of(table)), learned(Gram(NAMES), rows_of(table))
    for i, name in enumerate(NAMES):
        exact = [Fraction(v) for v in finite([row[i] for row in table])]
        unit = Fraction(2) ** (20 * int(sums.unit[i]))
        assert sums.n[i] == len(exact)
        assert sums.sums[i] * unit == sum(exact)
        assert sums.squares[i] * unit**2 == sum(v * v for v in exact)
        np.testing.assert_array_equal(sums.mean_and_variance(name), gram.mean_and_variance(name))
        imputed = gram.imputed_covariance({name: fill})
        expected = imputed.mean[0], imputed.covariance[0, 0]
        np.testing.assert_array_equal(sums.imputed_mean_and_variance(name, fill, len(table)), expected)


def test_more_rows_than_one_exact_sum_holds_stay_exact() -> None:
    values = float(2**40 - 1) - np.random.default_rng(0).integers(0, 2, 2 * MAX_ROWS + 77) * 2.0
    values[MAX_ROWS : MAX_ROWS + 5] = 2.0**-600
    sums = learned(Sums(["a"]), chunk({"a": values}))
    unit = Fraction(2) ** (20 * int(sums.unit[0]))
    assert sums.squares[0] * unit**2 == sum(Fraction(v) ** 2 for v in values.tolist())


def test_small_noise_on_a_huge_offset_keeps_its_variance() -> None:
    values = np.random.default_rng(2).normal(scale=1e-3, size=2000) + 1e9
    mean, variance = learned(Sums(["a"]), chunk({"a": values})).mean_and_variance("a")
    assert variance == pytest.approx(np.var(values - 1e9, ddof=1), rel=1e-10)
    assert mean - 1e9 == pytest.approx(np.mean(values - 1e9), abs=1e-7)


def test_sums_of_no_columns_and_of_no_rows() -> None:
    nothing = learned(Sums([]), Chunk({}, 3))
    nothing.merge(reread(nothing))
    assert nothing.to_dict()["n"] == []
    assert np.isnan(learned(Sums(["a"]), chunk({"a": []})).mean_and_variance("a")).all()
    np.testing.assert_array_equal(learned(Sums(["a"]), chunk({"a": [3.0]})).mean_and_variance("a"), [3.0, NAN])


def shape_of(values: Any) -> Shape:
    found: Shape = learned(Shape("x"), chunk({"x": values}))
    return found


def shapes(found: Shape) -> tuple[float, float]:
    return found.skewness(), found.kurtosis()


RNG = np.random.default_rng(3)
SAMPLES = {
    "normal": RNG.normal(size=3000),
    "skewed": RNG.exponential(size=3000) * 1e-20,
    "heavy tails": RNG.standard_t(3, size=3000) * 1e30,
    "whole": RNG.integers(0, 3, 3000).astype(float),
    "two": np.array([1.0, 4.0]),
    "rare": np.r_[np.zeros(2999), 1.0],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_shape_equals_scipy_in_one_chunk_and_in_pieces(name: str) -> None:
    values = SAMPLES[name]
    expected = stats.skew(values), stats.kurtosis(values)
    assert shapes(shape_of(values)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    for seed in range(3):
        parts = [reread(learned(Shape("x"), part)) for part in pieces(chunk({"x": values}), Random(seed))]
        assert shapes(merged(parts, Random(seed))) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_shape_of_small_noise_on_a_huge_offset() -> None:
    values = RNG.exponential(size=3000) + 1e9
    expected = stats.skew(values - 1e9), stats.kurtosis(values - 1e9)
    assert shapes(shape_of(values)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sd", [1.0, 1e-3])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_shape_of_many_chunks_is_that_of_exact_fractions(kind: str, sd: float) -> None:
    values = getattr(np.random.default_rng(5), kind)(size=4000) * sd + 1e9
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / len(exact)
    m2, m3, m4 = (sum((value - mean) ** k for value in exact) / len(exact) for k in (2, 3, 4))
    expected = float(m3 / m2) / math.sqrt(m2), float(m4 / m2**2) - 3
    parts = [reread(learned(Shape("x"), chunk({"x": part}))) for part in np.array_split(values, 20)]
    assert shapes(merged(parts, Random(0))) == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert shapes(learned(Shape("x"), *(chunk({"x": part}) for part in np.array_split(values, 20)))) == pytest.approx(
        expected, rel=1e-9, abs=1e-11
    )


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_shape_of_any_values_does_not_fail(values: list[float | None], random: Random) -> None:
    rows = chunk({"x": values})
    once = learned(Shape("x"), rows)
    together = merged([reread(learned(Shape("x"), part)) for part in pieces(rows, random)], random)
    assert once.n == together.n == len(finite(values))
    plain = [v for v in finite(values) if v == 0 or 1e-3 < abs(v) < 1e60]
    found = shape_of(plain)
    if len({*plain}) < 2:
        assert np.isnan(shapes(found)).all()
    elif np.std(plain) > 1e-6 * np.max(np.abs(plain)):
        assert shapes(found) == pytest.approx((stats.skew(plain), stats.kurtosis(plain)), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("values", [[], [1.0], [0.1] * 7, [1e9 + 0.1] * 5, [1e308, -1e308], [1e308, 1e308, 0.0]])
def test_shape_is_undefined_for_constants_and_where_a_moment_overflows(values: list[float]) -> None:
    assert np.isnan(shapes(shape_of(values))).all()
    in_two = shape_of(values[:1])
    in_two.merge(shape_of(values[1:]))
    assert np.isnan(shapes(in_two)).all()


def test_a_state_that_was_written_does_not_change_any_more() -> None:
    for state in (Shape("x"), NumberSummary("x")):
        before = state.to_dict()
        state.update(chunk({"x": [1.0]}))
        assert before["n"] == 0
