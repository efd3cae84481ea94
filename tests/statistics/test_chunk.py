"""A chunk reads numbers and categories as they are, and says why a row has no value."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import INF, NAN, chunk, numbers, words
from traintable.statistics.chunk import NumberColumn, TextColumn

ranges = st.none() | st.tuples(st.sampled_from([-INF, -1e300, -1.0, 0.0]), st.sampled_from([0.0, 1.0, 1e9, INF]))


def is_value(value: float | None, valid: tuple[float, float] | None) -> bool:
    return value is not None and bool(np.isfinite(value)) and (valid is None or valid[0] <= value <= valid[1])


def presence(number: NumberColumn, n_rows: int) -> list[bool]:
    return [True] * n_rows if number.present is None else number.present.tolist()


def word_of(text: TextColumn) -> list[str | None]:
    return [None if code < 0 else text.words[code] for code in text.codes]


@settings(deadline=None)
@given(st.lists(numbers, max_size=20), ranges)
def test_numbers_are_there_or_counted_as_missing(values: list[float | None], valid: Any) -> None:
    rows = chunk({"x": values}, ranges={"x": valid} if valid else None)
    number = rows.number("x")
    assert presence(number, len(values)) == [is_value(v, valid) for v in values]
    assert number.values.tolist() == [v if v is not None and is_value(v, valid) else 0.0 for v in values]
    assert number.compact.tolist() == [v for v in values if is_value(v, valid)]
    assert not np.signbit(number.values[number.values == 0]).any()  # one zero, so that hashes and codes agree
    assert rows.is_null("x").tolist() == [not is_value(v, valid) for v in values]
    assert number.n_null == sum(v is None for v in values)
    there = [v for v in values if v is not None]
    assert (number.n_nan, number.n_infinite) == (int(np.isnan(there).sum()), int(np.isinf(there).sum()))
    assert number.n_outside == sum(bool(np.isfinite(v)) and not is_value(v, valid) for v in there)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([2**53 + 1, -(2**63), 2**63 - 1, None]), [2.0**53, -(2.0**63), 2.0**63, 0.0]),  # as Spark casts
        (pa.array([True, False, None]), [1.0, 0.0, 0.0]),
        (pa.array([-128, 127, None], pa.int8()), [-128.0, 127.0, 0.0]),
        (pa.array([0.1, 3e38, NAN], pa.float32()), [float(np.float32(0.1)), float(np.float32(3e38)), 0.0]),
        (pa.array([Decimal("1.25"), None]), [1.25, 0.0]),
        (pa.array(["1.5", "-7", None, "nan", "-inf"]), [1.5, -7.0, 0.0, 0.0, 0.0]),  # of a partition
        (pa.array([-1, None, 2], pa.int32()).cast(pa.date32()), [-86400.0, 0.0, 172800.0]),
        (pa.array([-1, None, 2**60]).cast(pa.timestamp("us", "UTC")), [-1e-6, 0.0, 2**60 / 1e6]),
        (pa.array([1_234_567_891]).cast(pa.timestamp("ns")), [1.234567]),
        (pa.nulls(2, pa.float64()), [0.0, 0.0]),
        (pa.array([], pa.int64()), []),
        (pa.array([9.0, 1.0, None, 2.0]).slice(1), [1.0, 0.0, 2.0]),
    ],
)
def test_numbers_of_other_types(array: pa.Array, expected: list[float]) -> None:
    assert chunk({"x": array}).number("x").values.tolist() == expected


def test_what_lies_below_a_null_does_not_count() -> None:
    below = pa.array(np.array([NAN, INF, 1e9, 1.0]), mask=np.array([True, True, True, False]))
    number = chunk({"x": below}, ranges={"x": (0.0, 5.0)}).number("x")
    assert number.values.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert (number.n_null, number.n_nan, number.n_infinite, number.n_outside) == (3, 0, 0, 0)


@settings(deadline=None)
@given(st.lists(words, max_size=20))
def test_words_and_counts_are_those_of_the_rows(values: list[str | None]) -> None:
    text = chunk(texts={"w": values}).text("w")
    assert word_of(text) == values
    assert text.n_null == values.count(None)
    counts = Counter(v for v in values if v is not None)
    assert {w: int(n) for w, n in zip(text.words, text.counts, strict=True) if n} == counts


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -(2**63)]), ["1", None, "-9223372036854775808"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["a", None, ""], pa.large_string()), ["a", None, ""]),
        (
            pa.DictionaryArray.from_arrays(pa.array([1, None, 1], pa.int32()), ["unused", "b", "unused too"]),
            ["b", None, "b"],
        ),
        (pa.array([], pa.string()), []),
    ],
)
def test_words_of_other_types(array: pa.Array, expected: list[str | None]) -> None:
    text = chunk(texts={"w": array}).text("w")
    assert word_of(text) == expected
    assert text.counts.tolist() == [expected.count(word) for word in text.words]


def test_a_column_of_which_only_missing_values_are_wanted() -> None:
    columns = {
        "int": pa.array([1, None, 3]),
        "float": pa.array([NAN, None, 1.0], pa.float32()),
        "double": pa.array([INF, -INF, 1.0]),
        "list": pa.array([[1], None, []]),
        "text": pa.array(["", None, "a"]).dictionary_encode(),
        "flag": pa.array([True, None, True]),
    }
    rows = chunk(others=columns)
    missing = {name: rows.is_null(name).tolist() for name in columns}
    assert missing.pop("double") == [True, True, False]
    assert missing.pop("float") == [True, True, False]
    assert list(missing.values()) == [[False, True, False]] * 4


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, words, st.booleans()), max_size=12))
def test_some_rows_are_a_chunk_too(rows: list[tuple[float | None, str | None, bool]]) -> None:
    values, texts, keep = [[row[i] for row in rows] for i in range(3)]
    whole = chunk({"x": values}, {"w": pa.array(texts, pa.string()).dictionary_encode()}, ranges={"x": (-1e9, 1e9)})
    some = whole.where(np.array(keep, dtype=bool))
    assert some.n_rows == sum(keep)
    assert word_of(some.text("w")) == [w for w, kept in zip(texts, keep, strict=True) if kept]
    expected = chunk({"x": [v for v, kept in zip(values, keep, strict=True) if kept]}, ranges={"x": (-1e9, 1e9)})
    assert some.number("x").values.tolist() == expected.number("x").values.tolist()
    assert some.number("x").n_outside == expected.number("x").n_outside
