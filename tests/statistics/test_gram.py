"""Gram is exact: every figure equals the one that fractions give, whatever the batches and their order."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from traintable.statistics import Gram
from traintable.statistics.exact import MAX_ROWS, Floats

NAMES = ("a", "b", "c")
EDGES = [
    0.0,
    -0.0,
    5e-324,
    -2.2250738585072014e-308,
    1e300,
    -1e300,
    1e9 + 1e-6,
    np.nan,
    np.inf,
    -np.inf,
    0.1,
    2**53 + 2.0,
]

numbers = st.one_of(st.floats(width=64), st.floats(-1e3, 1e3), st.sampled_from(EDGES))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Floats, Any]:
    """Values of any kind, and which of them are null."""
    shape = (draw(st.integers(0, 25)), len(NAMES))
    return draw(hnp.arrays(np.float64, shape, elements=numbers)), draw(hnp.arrays(np.bool_, shape))


def gram_of(values: Floats, not_null: Any = None) -> Gram:
    values = np.asarray(values, dtype=np.float64).reshape(-1, len(NAMES))
    gram = Gram(NAMES)
    gram.update(values, np.ones(values.shape, dtype=bool) if not_null is None else not_null)
    return gram


def state(gram: Gram) -> dict[str, Any]:
    """All that the gram knows, in one order; what is zero may be left out."""
    return {name: sorted(v) if isinstance(v, list) else v for name, v in gram.to_dict().items()}


def finite(column: Floats, not_null: Any) -> list[Fraction]:
    return [Fraction(float(v)) for v, kept in zip(column, not_null, strict=True) if kept and np.isfinite(v)]


def covariance(x: list[Fraction], y: list[Fraction]) -> Fraction:
    n = len(x)
    return (sum(a * b for a, b in zip(x, y, strict=True)) - sum(x) * sum(y) / Fraction(n)) / (n - 1)


@settings(deadline=None)
@given(tables())
def test_counts_and_means_equal_those_of_fractions(table: tuple[Floats, Any]) -> None:
    values, not_null = table
    gram = gram_of(values, not_null)
    assert gram.n_rows == len(values)
    for i, name in enumerate(NAMES):
        kept = finite(values[:, i], not_null[:, i])
        assert gram.count(name) == len(kept)
        assert gram.n_invalid[i] == int((not_null[:, i] & ~np.isfinite(values[:, i])).sum())
        mean = gram.mean(name)
        assert np.isnan(mean) if not kept else mean == float(sum(kept) / len(kept))


@settings(deadline=None)
@given(tables(), st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3))
def test_covariance_of_imputed_rows_equals_that_of_fractions(table: tuple[Floats, Any], fill: list[float]) -> None:
    values, not_null = table
    values = np.where(np.abs(values) < 1e150, values, np.nan)  # so that a covariance is a double
    moments = gram_of(values, not_null).imputed(dict(zip(NAMES, fill, strict=True)))
    present = not_null & np.isfinite(values)
    columns = [
        [Fraction(float(v)) if kept else Fraction(fill[i]) for v, kept in zip(values[:, i], present[:, i], strict=True)]
        for i in range(len(NAMES))
    ]
    if len(values) < 2:
        assert np.isnan(moments.covariance).all()
    else:
        expected = [[float(covariance(x, y)) for y in columns] for x in columns]
        np.testing.assert_array_equal(moments.covariance, expected)
        np.testing.assert_array_equal(moments.mean, [float(sum(x) / len(x)) for x in columns])


@settings(deadline=None)
@given(tables(), st.lists(st.integers(0, 25), max_size=4), st.randoms(use_true_random=False))
def test_any_batches_merged_in_any_order_give_the_same_state(
    table: tuple[Floats, Any], cuts: list[int], random: Any
) -> None:
    values, not_null = table
    whole = gram_of(values, not_null)
    rows = list(range(len(values)))
    random.shuffle(rows)
    grams = [gram_of(values[part], not_null[part]) for part in np.split(np.array(rows, dtype=int), sorted(cuts))]
    while len(grams) > 1:  # a random tree of merges
        random.shuffle(grams)
        grams[0].merge(grams.pop())
    assert state(grams[0]) == state(whole)


@settings(deadline=None)
@given(tables())
def test_state_survives_json(table: tuple[Floats, Any]) -> None:
    gram = gram_of(*table)
    again = Gram.from_dict(json.loads(json.dumps(gram.to_dict())))
    assert state(again) == state(gram)
    fill = dict.fromkeys(NAMES, 1.5)
    small = gram_of(np.clip(table[0], -1e100, 1e100), table[1])
    again = Gram.from_dict(json.loads(json.dumps(small.to_dict())))
    np.testing.assert_array_equal(again.imputed(fill).covariance, small.imputed(fill).covariance)


def test_more_rows_than_one_exact_product_holds_stay_exact() -> None:
    rng = np.random.default_rng(0)
    full = float((2**20 - 1) * 2**20 + 2**20 - 1)  # digits of 20 ones: the largest products there are
    values = full - rng.integers(0, 2, (2 * MAX_ROWS + 77, len(NAMES))) * 2.0
    gram = gram_of(values)
    x, y = ([int(v) for v in values[:, i]] for i in (0, 1))
    assert gram.products[0, 1] == sum(a * b for a, b in zip(x, y, strict=True))
    assert gram.sums[0, 0] == sum(x)


def test_moments_agree_with_numpy_on_ordinary_data() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) + [0, 5, -3]
    not_null = rng.random(values.shape) > 0.2
    fill = {"a": 0.5, "b": 4.0, "c": -3.0}
    filled = np.where(not_null, values, list(fill.values()))
    moments = gram_of(values, not_null).imputed(fill)
    np.testing.assert_allclose(moments.covariance, np.cov(filled, rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(moments.mean, filled.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.std, filled.std(axis=0, ddof=1), rtol=1e-13)
    np.testing.assert_allclose(moments.correlation, np.corrcoef(filled, rowvar=False), rtol=1e-12)
    part = gram_of(values, not_null).imputed({"c": -3.0, "a": 0.5})  # some columns, in another order
    np.testing.assert_array_equal(part.covariance, moments.covariance[np.ix_([2, 0], [2, 0])])


def test_small_noise_on_a_huge_offset_keeps_its_variance() -> None:
    values = np.random.default_rng(2).normal(scale=1e-3, size=(2000, 3)) + 1e9
    moments = gram_of(values).imputed(dict.fromkeys(NAMES, 0.0))
    long = values.astype(np.longdouble)
    expected = ((long - long.mean(axis=0)) ** 2).sum(axis=0) / (len(long) - 1)
    np.testing.assert_allclose(moments.std**2, expected.astype(float), rtol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.1, 1e300, 5e-324])
def test_a_constant_has_no_variance_and_is_its_own_mean(constant: float) -> None:
    gram = gram_of(np.full((7, 3), constant))
    assert gram.mean("a") == constant
    assert gram.imputed({"a": constant}).std.tolist() == [0.0]
    assert gram.imputed({"a": constant, "b": 1.0}).correlation.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_no_rows_and_one_row_have_no_variance() -> None:
    nothing, one = gram_of([]).imputed({"a": 1.0}), gram_of([[3.0, 4.0, 5.0]]).imputed({"a": 1.0, "b": 1.0})
    assert np.isnan(nothing.mean).all()
    assert np.isnan(nothing.covariance).all()
    assert one.mean.tolist() == [3.0, 4.0]
    assert np.isnan(one.covariance).all()


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_variance_too_large_for_a_double_is_infinite_as_in_numpy() -> None:
    values = np.array([[1e300, 1.0, 0.0], [-1e300, 2.0, 0.0]])
    moments = gram_of(values).imputed(dict.fromkeys(NAMES, 0.0))
    assert moments.covariance[0, 0] == np.inf
    assert moments.covariance[1, 1] == 0.5


@settings(deadline=None)
@given(tables())
def test_a_null_may_hold_any_value(table: tuple[Floats, Any]) -> None:
    values, not_null = table
    assert state(gram_of(np.where(not_null, values, 12345.6), not_null)) == state(gram_of(values, not_null))
