"""Arrays of whole numbers survive the way through text, whatever their size and order."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from traintable.arrays import Ints
from traintable.statistics.packing import from_hexadecimal, pack, to_hexadecimal, unpack

LOWEST, HIGHEST = -(2**63), 2**63 - 1

whole = st.one_of(st.integers(LOWEST, HIGHEST), st.integers(-3, 3), st.sampled_from([LOWEST, HIGHEST]))


@settings(deadline=None)
@given(hnp.arrays(np.int64, st.integers(0, 20), elements=whole))
def test_unpacked_gives_what_was_packed(values: Ints) -> None:
    text = json.loads(json.dumps(pack(values)))
    again = unpack(text)
    assert again.dtype == np.int64
    np.testing.assert_array_equal(again, values)
    np.testing.assert_array_equal(unpack(pack(np.sort(values)[::-1])), np.sort(values)[::-1])


@pytest.mark.parametrize("values", [[], [0], [LOWEST, HIGHEST, LOWEST, 0, HIGHEST]])
def test_extremes_wrap_around_and_back(values: list[int]) -> None:
    assert unpack(pack(np.array(values, np.int64))).tolist() == values


def test_ascending_codes_are_short() -> None:
    codes = np.arange(2**52, 2**52 + 2**16 * 7, 7)
    assert len(pack(codes)) < len(codes) / 10


@given(st.lists(st.integers()))
def test_whole_numbers_of_any_size_survive(values: list[int]) -> None:
    assert from_hexadecimal(to_hexadecimal(values)) == values
