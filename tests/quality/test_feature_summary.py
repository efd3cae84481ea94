"""Counts of values by their leading bits: exact in any order, and what is read off them is near what NumPy finds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from traintable.quality.feature_drift import N_GROUPS, drift
from traintable.quality.matrix import counts, matrix
from traintable.quality.summary import FeatureSummary

NAMES = ("a", "b")
SOME = hnp.arrays(np.float32, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(width=32))


def of(*parts: np.ndarray) -> FeatureSummary:
    found = FeatureSummary.empty(NAMES)
    for part in parts:
        found.add(part)
    return found


@given(SOME, st.integers(0, 60), st.randoms())
def test_order_and_parts_are_of_no_account(values: np.ndarray, cut: int, rng: np.random.Generator) -> None:
    order = list(range(len(values)))
    rng.shuffle(order)
    one, other = of(values), of(values[order][:cut])
    other.merge(of(values[order][cut:]))
    assert one.to_bytes() == other.to_bytes() == FeatureSummary.from_bytes(one.to_bytes()).to_bytes()
    assert drift(one, other) == {name: 0.0 for name in NAMES if one.counts[NAMES.index(name)].sum()}
    for i, name in enumerate(NAMES):
        column = values[:, i]
        finite = column[np.isfinite(column)].astype(np.float64)
        told = one.describe()[name]
        assert (told["rows"], told["not_finite"]) == (len(column), len(column) - len(finite))
        if not len(finite):
            assert "median" not in told
            continue
        assert told["zeros"] == np.count_nonzero(finite == 0) / len(finite) or np.any(
            (finite != 0) & (abs(finite) < 2e-38)
        )
        for key, q in (("least", 0), ("quarter", 0.25), ("median", 0.5), ("three_quarters", 0.75), ("greatest", 1)):
            true = np.quantile(finite, q, method="inverted_cdf")
            assert abs(told[key]) <= abs(true) + 1e-45
            assert abs(told[key] - true) <= abs(true) / 8 + 2e-38


def test_drift_is_the_index_over_groups_of_like_many_rows() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=(20_000, 2)), rng.normal(size=(15_000, 2)) + np.array([0.0, 0.7])
    found = drift(of(before), of(now))
    for i, name in enumerate(NAMES):
        cuts = np.quantile(before[:, i], np.arange(1, N_GROUPS) / N_GROUPS)
        shares = [
            np.bincount(np.searchsorted(cuts, values[:, i]), minlength=N_GROUPS) / len(values)
            for values in (before, now)
        ]
        expected = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
        assert found[name] == pytest.approx(expected, rel=0.15, abs=0.004)


@pytest.mark.parametrize(("share", "one", "other"), [(0.75, -0.624, -0.626), (0.5, 0.124, 0.13), (0.96, 1e-9, -1e-8)])
def test_an_imputed_value_that_is_a_little_off_is_no_drift(share: float, one: float, other: float) -> None:
    rng = np.random.default_rng(0)
    is_imputed = rng.random((20_000, 2)) < share
    values = rng.normal(1.0, 1.0, (20_000, 2))
    before, now = (of(np.where(is_imputed, value, values)) for value in (one, other))
    assert max(drift(before, now).values()) < 0.1
    assert min(drift(before, of(np.where(is_imputed, one + 1, values))).values()) > 0.5
    assert min(drift(before, of(values)).values()) > 0.5


@pytest.mark.parametrize("other", [1.3, -1.0, 0.0, 1e30])
def test_a_constant_that_is_another_one_has_drifted(other: float) -> None:
    one = np.ones((50, 2))
    assert drift(of(one), of(one * [1, other]))["b"] > 2
    assert drift(of(one), of(one))["b"] == 0


def test_features_of_one_version_only_are_left_out() -> None:
    other = FeatureSummary(
        ("b", "c"), *(part.copy() for part in (of(np.ones((3, 2))).counts, of(np.ones((3, 2))).not_finite))
    )
    assert set(drift(of(np.ones((3, 2))), other)) == {"b"}


def test_lists_and_columns_make_the_same_matrix() -> None:
    lists = pa.array([[1.0, None], None, [2.0], [3.0, 4.0, 5.0], [float("inf"), 6.0], []], pa.list_(pa.float32()))
    nan, inf = np.nan, np.inf
    expected = np.array([[1, nan], [nan, nan], [nan, nan], [nan, nan], [inf, 6], [nan, nan]], np.float32)
    values, lengths = matrix(pa.record_batch({"features": lists}), NAMES)
    np.testing.assert_array_equal(values, expected)
    assert lengths.tolist() == [2, 0, 1, 3, 2, 0]
    assert {name: column.to_pylist() for name, column in counts(values, lengths).items()} == {
        "n_features_not_finite": [1, 0, 0, 0, 1, 0],
        "n_features": [2, 0, 1, 3, 2, 0],
    }
    np.testing.assert_array_equal(matrix(pa.record_batch({"features": lists.slice(4, 1)}), NAMES)[0], expected[4:5])
    columns = pa.record_batch({"a": pa.array([1.0, None]), "b": pa.array([None, 7], pa.int64())})
    values, lengths = matrix(columns, NAMES)
    np.testing.assert_array_equal(values, np.array([[1, nan], [nan, 7]]))
    assert lengths.tolist() == [2, 2]


def test_a_double_beyond_single_numbers_is_finite() -> None:
    values, lengths = matrix(pa.record_batch({"a": [1e300, 1.0], "b": [1.0, 2.0]}), NAMES)
    assert counts(values, lengths)["n_features_not_finite"].to_pylist() == [0, 0]
    assert of(values).not_finite.tolist() == [0, 0]
