"""Values are counted exactly while they are few, and their quantiles are right to the rank error beyond."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chunks import chunk, finite, in_any_layout, learned, merged, numbers, pieces
from traintable.arrays import Floats, Ints
from traintable.statistics.chunk import Chunk
from traintable.statistics.values import RESOLUTION, Values, bits_to_leave_out, count_values, decode, encode

columns = st.lists(numbers, max_size=40)
many = st.lists(st.one_of(finite, st.floats(0, 1)), min_size=20, max_size=200)


def values_of(values: Any, resolution: int = RESOLUTION, *, sketches: bool = False) -> Values:
    found: Values = learned(Values("x", resolution, sketches=sketches), chunk({"x": values}))
    return found


def there(values: list[float | None]) -> Floats:
    return np.array([v + 0.0 for v in values if v is not None and np.isfinite(v)], dtype=np.float64)


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(allow_nan=False)))
def test_codes_are_in_the_order_of_the_values_and_lead_back(values: Floats) -> None:
    codes = encode(values)
    assert decode(codes).tobytes() == values.tobytes()
    normal = values + 0.0  # -0.0 has a code of its own, just below that of 0.0
    np.testing.assert_array_equal(encode(normal)[:, None] < encode(normal), normal[:, None] < normal)
    assert encode(np.array([-0.0, 0.0])).tolist() == [-1, 0]


RNG = np.random.default_rng(0)
ARRAYS = {
    "few whole numbers": RNG.integers(-3, 90, 5000).astype(float),
    "whole numbers far out": RNG.integers(0, 90, 5000) + 1e15,
    "sparse whole numbers": RNG.integers(0, 2**40, 300).astype(float) * 64,
    "few fractions": RNG.integers(0, 90, 5000) / 7,
    "many fractions": RNG.normal(size=5000),
    "of one power of 2": 1 + RNG.random(5000) / 8,
    "of all magnitudes": np.ldexp(RNG.choice([-1.0, 1.0], 5000) * RNG.random(5000), RNG.integers(-1060, 1000, 5000)),
    "the extremes": np.array([1.7976931348623157e308, -1.7976931348623157e308, 5e-324, -5e-324, 0.0]),
    "one": np.array([0.1]),
    "one many times": np.full(5000, -0.1),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("shift", [0, 1, 20, 36, 40, 46, 52, 53, 60])
def test_counts_are_those_of_numpy(name: str, shift: int) -> None:
    values = ARRAYS[name]
    codes, counts = count_values(values, shift)
    expected = np.unique(encode(values) >> shift, return_counts=True)
    np.testing.assert_array_equal(codes, expected[0])
    np.testing.assert_array_equal(counts, expected[1])
    assert codes.dtype == counts.dtype == np.int64


@settings(deadline=None)
@given(hnp.arrays(np.int64, st.integers(3, 40), unique=True), st.integers(2, 20))
def test_no_more_bits_are_left_out_than_needed(codes: Ints, limit: int) -> None:
    codes = np.sort(codes)
    if len(codes) > limit:
        bits = bits_to_leave_out(codes, limit)
        assert len(np.unique(codes >> bits)) <= limit
        assert bits == 1 or len(np.unique(codes >> (bits - 1))) > limit


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False), st.sampled_from([2, 8, 64]), st.booleans())
def test_any_layout_gives_the_same_state(
    values: list[float | None], random: Random, resolution: int, sketches: bool
) -> None:
    rows = chunk({"x": values}, ranges={"x": (-1e300, 1e9)})
    whole, _ = in_any_layout(lambda: Values("x", resolution, sketches=sketches), rows, random)
    kept = rows.number("x").compact
    assert int(whole.counts.sum()) == len(kept)
    assert len(whole.buckets) <= resolution
    assert whole.is_exact == (len(np.unique(kept)) <= resolution)
    if len(kept):
        assert (whole.min, whole.max) == (kept.min(), kept.max())
    if sketches:
        assert whole.n_distinct() == (len(np.unique(kept)), 0.0)  # so few that the sketch has them all
        ranked = sorted(Counter(kept.tolist()).items(), key=lambda pair: (-pair[1], pair[0]))
        assert whole.most_frequent(3) == (ranked[:3], 0)


@settings(deadline=None)
@given(columns)
def test_few_values_are_exact(values: list[float | None]) -> None:
    found = values_of(values)
    kept = there(values)
    exact = found.weighted()
    assert exact.is_exact
    np.testing.assert_array_equal(np.repeat(exact.values, exact.counts), np.sort(kept))
    assert found.n_distinct() == (len(np.unique(kept)), 0.0)
    top, error = found.most_frequent(2)
    assert top == sorted(Counter(kept.tolist()).items(), key=lambda pair: (-pair[1], pair[0]))[:2]
    assert error == 0


def check_ranks(found: Values, values: Floats, shares: Any) -> None:
    """Each quantile lies at a rank that is wrong by the rank error at most, or between two such."""
    tiny = 1e-307  # below that, values are taken for 0
    ranked = np.sort(np.where(np.abs(values) < tiny, 0.0, values))
    weighted, n = found.weighted(), len(values)
    assert (np.diff(weighted.values) > 0).all()
    assert weighted.n == n
    slack = weighted.rank_error * n + 1e-6
    for q in shares:
        quantile = weighted.quantile(q)
        quantile = 0.0 if abs(quantile) < tiny else quantile
        below, at_most = np.searchsorted(ranked, quantile, "left"), np.searchsorted(ranked, quantile, "right")
        place = q * (n - 1)
        assert below - 1 <= place + slack
        assert at_most >= place - slack


@settings(deadline=None)
@given(many, st.sampled_from([4, 8, 64]), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_quantile_is_right_for_a_rank_within_the_error(
    values: list[float], resolution: int, shares: list[float]
) -> None:
    found = values_of(values, resolution)
    kept = there(list(values))
    check_ranks(found, kept, [0.0, 0.5, 1.0, *shares])
    weighted = found.weighted()
    assert found.is_exact == weighted.is_exact
    assert weighted.quantile(0.0) >= found.min
    assert weighted.quantile(1.0) <= found.max
    if found.is_exact and np.abs(kept).max() < 1e300:
        assert [weighted.quantile(q) for q in shares] == np.quantile(kept, shares).tolist()


SAMPLES = {
    "normal": RNG.normal(size=200_000),
    "offset": RNG.normal(size=100_000) + 1e9,
    "skewed": RNG.lognormal(0, 3, 100_000),
    "all magnitudes": np.exp(RNG.uniform(-600, 600, 100_000)) * RNG.choice([-1, 1], 100_000),
    "many zeros": np.where(RNG.random(200_000) < 0.5, 0.0, RNG.normal(size=200_000)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_quantiles_of_many_values_are_close(name: str) -> None:
    values = SAMPLES[name]
    whole = values_of(values, sketches=True)
    parts = [learned(Values("x", sketches=True), part) for part in pieces(chunk({"x": values}), Random(1))]
    together = merged(parts, Random(1))
    np.testing.assert_array_equal(together.buckets, whole.buckets)
    np.testing.assert_array_equal(together.counts, whole.counts)
    assert not whole.is_exact
    assert 0 < whole.weighted().rank_error < 0.001
    check_ranks(whole, values, np.linspace(0, 1, 21))
    assert (whole.weighted().quantile(0.0), whole.weighted().quantile(1.0)) == (values.min(), values.max())
    n_distinct = len(np.unique(values))
    for found in (whole, together):
        number, error = found.n_distinct()
        assert abs(number / n_distinct - 1) < 5 * error
        top, low = found.most_frequent(1)
        if name == "many zeros":
            ((value, n),) = top
            assert value == 0
            assert (values == 0).sum() - low <= n <= (values == 0).sum()


def test_a_range_is_known_by_its_middle() -> None:
    values = 1 + np.arange(4096) / 4096
    found = values_of(values, 64).weighted()
    assert len(found.values) == 64
    middles = values.reshape(64, 64).mean(axis=1)
    np.testing.assert_allclose(found.values[1:-1], middles[1:-1], atol=1 / 4096)
    assert (found.values[0], found.values[-1]) == (values[0], values[-1])


def test_the_most_frequent_values_of_many_are_found_when_they_come_late() -> None:
    values = np.r_[RNG.normal(size=RESOLUTION + 1), np.repeat([7.0, 8.5], [5000, 4000])]
    found = values_of(values[: RESOLUTION + 1], sketches=True)
    found.update(chunk({"x": values[RESOLUTION + 1 :]}))
    top, error = found.most_frequent(2)
    assert [value for value, _ in top] == [7.0, 8.5]
    assert 5000 - error <= top[0][1] <= 5000


def test_without_sketches_what_ranges_do_not_tell_is_unknown() -> None:
    found = values_of([*np.arange(20.0), 3.0, 3.0], 8)
    assert not found.is_exact
    assert np.isnan(found.n_distinct()).all()
    top, error = found.most_frequent(3)
    assert top == []
    assert error >= 3


def test_no_values() -> None:
    for found in (values_of([]), values_of([None, float("nan")]), Values("x", 2)):
        assert found.n_distinct() == (0, 0.0)
        assert found.most_frequent(3) == ([], 0)
        assert np.isnan(found.weighted().quantile(0.5))


FAR = 2**53
IDS = np.array([FAR + i for i in range(40)] + [-FAR - 1, 2**63 - 1, -(2**63), 0, 0, 0, 7, FAR - 1], dtype=np.int64)


def whole(values: Any, missing: Any = ()) -> Chunk:
    mask = np.isin(np.arange(len(values)), missing)
    return chunk({"x": pa.array(values, pa.int64(), mask=mask)})


@pytest.mark.parametrize("resolution", [8, RESOLUTION])
@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers_that_doubles_do_not_tell_apart_are_counted_by_themselves(resolution: int, seed: int) -> None:
    rows = whole(IDS, missing=[3, 45])
    found, together = in_any_layout(lambda: Values("x", resolution, sketches=True), rows, Random(seed))
    kept = np.delete(IDS, [3, 45])
    for state in (found, together):
        assert not state.is_exact
        assert state.n_distinct() == (len(set(kept.tolist())), 0.0)
        assert state.weighted().rank_error > 0
        top, error = state.most_frequent(3)
        assert top[0] == (0.0, 2)
        assert all(abs(value) < FAR for value, _ in top)
        assert error == 0


def test_whole_numbers_that_doubles_tell_apart_stay_exact() -> None:
    found = learned(Values("x", sketches=True), whole(IDS, missing=range(43)))
    assert found.is_exact
    assert (found.n_distinct(), found.weighted().rank_error) == ((3.0, 0.0), 0.0)
    doubles = values_of(IDS.astype(float), sketches=True)  # a column of doubles has these values and no others
    assert doubles.is_exact
    assert np.isnan(learned(Values("x"), whole(IDS)).n_distinct()).all()
