"""Gram is exact: every figure equals the one that fractions give, whatever the batches and their order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import NAN, canonical, chunk, in_any_layout, learned, numbers, reread
from traintable.arrays import Floats
from traintable.statistics import Gram, gram
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import MAX_ROWS

NAMES = ("a", "b", "c")
WIDE = 1e150  # a product of smaller numbers is a double

tables = st.lists(st.tuples(numbers, numbers, numbers), max_size=12)
rows_of = dict[str, list[Any]]


def columns(table: list[tuple[Any, ...]]) -> rows_of:
    return {name: [row[i] for row in table] for i, name in enumerate(NAMES)}


def gram_of(values: Mapping[str, Any] | Floats, **ranges: tuple[float, float]) -> Gram:
    if not isinstance(values, Mapping):
        values = dict(zip(NAMES, np.asarray(values, dtype=np.float64).reshape(-1, len(NAMES)).T, strict=True))
    found: Gram = learned(Gram(tuple(values), squares=True), chunk(values, ranges=ranges))
    return found


@contextmanager
def short_batches() -> Iterator[None]:
    """Batches of 3 rows, of which 2 are pending at a time: so few rows cover what otherwise takes thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gram, "MAX_ROWS", 3)
        patch.setattr(gram, "_MAX_PRODUCTS", 2)
        yield


def exact(values: list[Any]) -> list[Fraction | None]:
    return [None if v is None or not np.isfinite(v) else Fraction(v) for v in values]


def covariance(x: list[Fraction], y: list[Fraction]) -> Fraction:
    n = len(x)
    return (sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) - sum(x) * sum(y) / Fraction(n)) / (n - 1)


def rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else -float("inf")


@settings(deadline=None)
@given(tables)
def test_counts_means_and_pairwise_covariances_equal_those_of_fractions(table: list[Any]) -> None:
    values = columns(table)
    with short_batches():
        found = gram_of(values)
    exactly = {name: exact(values[name]) for name in NAMES}
    pairwise = found.pairwise()
    assert found.n_rows == len(table)
    for i, name in enumerate(NAMES):
        there = [v for v in exactly[name] if v is not None]
        assert found.count(name) == len(there)
        variance = rounded(covariance(there, there)) if len(there) > 1 else NAN
        expected = [rounded(sum(there) / Fraction(len(there))) if there else NAN, variance]
        np.testing.assert_array_equal(found.mean_and_variance(name), expected)
        assert pairwise.mean[i] == expected[0] or np.isnan(expected[0])
        for j, other in enumerate(NAMES):
            both = [(x, y) for x, y in zip(exactly[name], exactly[other], strict=True) if None not in (x, y)]
            assert found.present[i, j] == len(both)
            expected_pair = rounded(covariance(*map(list, zip(*both, strict=True)))) if len(both) > 1 else NAN
            np.testing.assert_array_equal(pairwise.covariance[i, j], expected_pair)


@settings(deadline=None)
@given(tables, st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(0.0)), min_size=3, max_size=3))
def test_moments_of_imputed_rows_equal_those_of_fractions(table: list[Any], fill: list[float]) -> None:
    values = {n: [v if v is not None and abs(v) < WIDE else None for v in vs] for n, vs in columns(table).items()}
    with short_batches():
        moments = gram_of(values).imputed_covariance(dict(zip(NAMES, fill, strict=True)))
    filled = [
        [Fraction(c) if v is None else v for v in exact(values[name])] for name, c in zip(NAMES, fill, strict=True)
    ]
    if table:
        np.testing.assert_array_equal(moments.mean, [float(sum(x) / len(x)) for x in filled])
    if len(table) < 2:
        assert np.isnan(moments.covariance).all()
    else:
        np.testing.assert_array_equal(moments.covariance, [[float(covariance(x, y)) for y in filled] for x in filled])


@settings(deadline=None)
@given(tables)
def test_correlations_of_pairs_equal_those_of_fractions(table: list[Any]) -> None:
    values = columns(table)
    with short_batches():
        found = gram_of(values).correlation()
    exactly = {name: exact(values[name]) for name in NAMES}
    for (i, name), (j, other) in product(enumerate(NAMES), repeat=2):
        both = [(x, y) for x, y in zip(exactly[name], exactly[other], strict=True) if None not in (x, y)]
        x, y = map(list, zip(*both, strict=True)) if len(both) > 1 else ([], [])
        spread = covariance(x, x) * covariance(y, y) if x else 0
        size = math.sqrt(covariance(x, y) ** 2 / spread) if spread else NAN
        expected = size if not spread or covariance(x, y) > 0 else -size
        np.testing.assert_allclose(found[i, j], expected, rtol=1e-15)
        assert not abs(found[i, j]) > 1


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False), st.booleans())
def test_any_layout_gives_the_same_state(table: list[Any], random: Random, is_ranged: bool) -> None:
    rows = chunk(columns(table), ranges={"a": (-1.0, 1e9)} if is_ranged else None)
    with short_batches():
        whole, _ = in_any_layout(lambda: Gram(NAMES, squares=True), rows, random)
    in_one_batch = learned(Gram(NAMES, squares=True), rows)
    assert in_one_batch.to_dict() == whole.to_dict()


@settings(deadline=None)
@given(tables)
def test_a_number_out_of_range_counts_as_missing(table: list[Any]) -> None:
    values = columns(table)
    inside = {**values, "b": [v if v is not None and -1 <= v <= 2 else None for v in values["b"]]}
    assert gram_of(values, b=(-1.0, 2.0)).to_dict() == gram_of(inside).to_dict()


def test_states_read_from_json_are_as_good_as_new() -> None:
    rng = np.random.default_rng(0)
    values = {"a": rng.normal(size=50), "b": [None, *rng.normal(size=49)], "c": rng.normal(size=50) * 1e-200}
    once, twice = reread(gram_of(values)), gram_of(values)
    for found in (once, twice):
        found.update(chunk(values))
    assert once.to_dict() == twice.to_dict()
    np.testing.assert_array_equal(once.pairwise().covariance, twice.pairwise().covariance)


def test_later_batches_of_another_magnitude_stay_exact() -> None:
    """Digits that come first are not the finest, nor the coarsest."""
    for order in ([2.0**-30, 2.0**40, 1.0], [2.0**40, 2.0**-30, 1.0], [1.0, 2.0**-1070, 2.0**1000]):
        values = np.repeat(order, MAX_ROWS)
        found = gram_of({"a": values})
        own = [Fraction(v) for v in order]
        variance = covariance(own * MAX_ROWS, own * MAX_ROWS)
        assert found.mean_and_variance("a") == (float(sum(own) / 3), rounded(variance))
        assert canonical(found.to_dict()) == canonical(gram_of({"a": values[::-1].copy()}).to_dict())


def test_more_rows_than_one_exact_product_holds_stay_exact() -> None:
    rng = np.random.default_rng(0)
    full = float((2**20 - 1) * 2**20 + 2**20 - 1)  # digits of 20 ones: the largest products there are
    values = full - rng.integers(0, 2, (2 * MAX_ROWS + 77, len(NAMES))) * 2.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gram, "_MAX_PRODUCTS", 2)
        found = gram_of(values)
    found._fold()
    x, y = ([int(v) for v in values[:, i]] for i in (0, 1))
    assert found.products[0, 1] == sum(a * b for a, b in zip(x, y, strict=True))
    assert found.sums[0, 0] == sum(x)


def test_pending_products_fit_64_bits() -> None:
    assert gram._MAX_PRODUCTS * MAX_ROWS * (2**20 - 1) ** 2 < 2**63
    with short_batches():
        found = gram_of({"a": range(3 * 2 * 5)})
    assert found._pending.n_products < 2


@pytest.fixture(scope="module")
def ordinary() -> pd.DataFrame:
    """Correlated columns with holes, NaN and infinities."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) + [0, 5, -3], columns=NAMES)
    return frame.mask(rng.random(frame.shape) < 0.2)


def holed(frame: pd.DataFrame) -> rows_of:
    """The columns with each kind of missing value in turn."""
    kinds = [None, NAN, float("inf"), -float("inf")]
    return {
        name: [kinds[i % 4] if np.isnan(v) else v for i, v in enumerate(frame[name].tolist())] for name in frame.columns
    }


def test_imputed_moments_agree_with_pandas(ordinary: pd.DataFrame) -> None:
    fill = {"a": 0.5, "b": 4.0, "c": -3.0}
    filled = ordinary.fillna(fill)
    found = gram_of(holed(ordinary))
    moments = found.imputed_covariance(fill)
    np.testing.assert_allclose(moments.covariance, filled.cov(), rtol=1e-12)
    np.testing.assert_allclose(moments.mean, filled.mean(), rtol=1e-13)
    np.testing.assert_allclose(moments.std, filled.std(), rtol=1e-13)
    np.testing.assert_allclose(moments.correlation, filled.corr(), rtol=1e-12)
    part = found.imputed_covariance({"c": -3.0, "a": 0.5})  # some columns, in another order
    assert part.columns == ("c", "a")
    np.testing.assert_array_equal(part.mean, moments.mean[[2, 0]])
    np.testing.assert_array_equal(part.covariance, moments.covariance[np.ix_([2, 0], [2, 0])])


def test_pairwise_moments_agree_with_pandas(ordinary: pd.DataFrame) -> None:
    found = gram_of(holed(ordinary))
    pairwise = found.pairwise()
    assert pairwise.columns == NAMES
    np.testing.assert_allclose(found.correlation(), ordinary.corr(), rtol=1e-12)
    np.testing.assert_array_equal(found.correlation(["c", "a"]), found.correlation()[np.ix_([2, 0], [2, 0])])
    np.testing.assert_allclose(pairwise.covariance, ordinary.cov(), rtol=1e-12)
    np.testing.assert_allclose(pairwise.mean, ordinary.mean(), rtol=1e-13)
    for name in NAMES:
        assert found.count(name) == ordinary[name].count()
        np.testing.assert_allclose(found.mean_and_variance(name), [ordinary[name].mean(), ordinary[name].var()])


def test_small_noise_on_a_huge_offset_keeps_its_variance() -> None:
    values = np.random.default_rng(2).normal(scale=1e-3, size=(2000, 3)) + 1e9
    near = values - 1e9  # exact
    moments = gram_of(values).imputed_covariance(dict.fromkeys(NAMES, 0.0))
    np.testing.assert_allclose(moments.covariance, np.cov(near, rowvar=False), rtol=1e-10)
    np.testing.assert_allclose(moments.mean - 1e9, near.mean(axis=0), atol=1e-7)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.1, 1e300, 5e-324, -1e308])
def test_a_constant_has_no_variance_and_is_its_own_mean(constant: float) -> None:
    found = gram_of(np.full((7, 3), constant))
    assert found.mean_and_variance("a") == (constant, 0.0)
    assert found.imputed_covariance({"a": constant}).std.tolist() == [0.0]
    assert found.imputed_covariance({"a": constant, "b": 1.0}).correlation.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_correlations_need_the_sums_of_squares() -> None:
    with pytest.raises(ValueError, match="squares=True"):
        Gram(NAMES).correlation()


def test_no_rows_one_row_and_no_columns() -> None:
    nothing, one = gram_of([]), gram_of([[3.0, 4.0, 5.0]])
    assert np.isnan(nothing.imputed_covariance({"a": 1.0}).mean).all()
    assert np.isnan(nothing.imputed_covariance({"a": 1.0}).covariance).all()
    assert np.isnan([*nothing.mean_and_variance("a"), *nothing.pairwise().mean]).all()
    assert one.imputed_covariance({"a": 1.0, "b": 1.0}).mean.tolist() == [3.0, 4.0]
    assert np.isnan(one.imputed_covariance({"a": 1.0, "b": 1.0}).covariance).all()
    assert np.isnan(one.pairwise().covariance).all()
    none = learned(Gram(()), Chunk({}, 5), Chunk({}, 2))
    none.merge(reread(none))
    assert none.n_rows == 14
    assert none.imputed_covariance({}).covariance.shape == none.pairwise().covariance.shape == (0, 0)


def test_a_column_without_values_is_all_fill() -> None:
    moments = gram_of({"a": [None, NAN, None], "b": [1.0, 2.0, 6.0]}).imputed_covariance({"a": 0.1, "b": 0.0})
    assert moments.mean.tolist() == [0.1, 3.0]
    assert moments.covariance.tolist() == [[0.0, 0.0], [0.0, 7.0]]


def test_a_variance_too_large_for_a_double_is_infinite_as_in_numpy() -> None:
    moments = gram_of([[1e300, 1.0, 0.0], [-1e300, 2.0, 0.0]]).imputed_covariance(dict.fromkeys(NAMES, 0.0))
    assert moments.covariance[0, 0] == np.inf
    assert moments.covariance[1, 1] == 0.5
