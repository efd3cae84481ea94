"""Counts of categories equal those of collections.Counter; beyond a limit they are estimated, and no vocabulary."""

from __future__ import annotations

from collections import Counter
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, merged, pieces, reread, words
from traintable.errors import ConfigError
from traintable.statistics import frequencies
from traintable.statistics.frequencies import Frequencies

columns = st.lists(words, max_size=30)


def counted(values: list[str | None]) -> Frequencies:
    found: Frequencies = learned(Frequencies("c"), chunk(texts={"c": values}))
    return found


def there(values: list[str | None]) -> Counter[str]:
    return Counter(v for v in values if v is not None)


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_counts_equal_those_of_a_counter_in_any_layout(values: list[str | None], random: Random) -> None:
    _, found = in_any_layout(lambda: Frequencies("c"), chunk(texts={"c": values}), random)
    assert found.counts == there(values)
    assert found.n_null == values.count(None)
    assert found.n_distinct() == (len(there(values)), 0.0)
    assert found.most_frequent(3) == (sorted(there(values).items(), key=lambda pair: (-pair[1], pair[0]))[:3], 0)


@settings(deadline=None)
@given(columns, st.integers(1, 5), st.integers(1, 3))
def test_vocabulary_is_the_most_frequent_values_without_null(values: list[str | None], top_k: int, least: int) -> None:
    found = counted(values).vocabulary(top_k=top_k, min_frequency=least)
    counts = there(values)
    order = sorted((v for v in counts if counts[v] >= least), key=lambda v: v.encode(), reverse=True)  # of tf.Transform
    assert found == sorted(order, key=lambda v: -counts[v])[:top_k]


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_any_layout_gives_the_same_estimates(values: list[str | None], random: Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequencies, "MAX_DISTINCT", 3)
        _, found = in_any_layout(lambda: Frequencies("c"), chunk(texts={"c": values}), random)
    assert found.too_many == (len(there(values)) > 3)
    assert found.n_null == values.count(None)
    assert found.n_distinct() == (len(there(values)), 0.0)  # so few that the sketches have them all
    assert found.most_frequent(3) == (sorted(there(values).items(), key=lambda pair: (-pair[1], pair[0]))[:3], 0)


def test_too_many_values_are_refused_in_one_batch_and_when_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequencies, "MAX_DISTINCT", 3)
    state, at_once = counted(["a", "b", "c", "a"]), counted(["a", "b", "c", "d"])
    assert state.vocabulary(top_k=3) == ["a", "c", "b"]
    state.merge(counted(["d"]))
    for found in (at_once, state, reread(state)):
        found.merge(counted(["a"]))
        assert not found.counts  # the state stays small
        with pytest.raises(ConfigError, match=r"column 'c'.*leave it out"):
            found.vocabulary(top_k=3)


def test_a_key_is_estimated_within_5_standard_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequencies, "MAX_DISTINCT", 10_000)
    values = [f"key {i}" if i % 3 else "often" for i in range(60_000)]
    parts = [learned(Frequencies("c"), part) for part in pieces(chunk(texts={"c": values}), Random(3))]
    for found in (counted(list(values)), merged([counted([]), *parts], Random(0))):
        number, error = found.n_distinct()
        assert found.too_many
        assert abs(number / 40_001 - 1) < 5 * error < 0.1
        ((word, n),), low = found.most_frequent(1)
        assert word == "often"
        assert 20_000 - low <= n <= 20_000
        assert low < 200


@settings(deadline=None)
@given(columns, st.sampled_from(["a", "", "another"]), st.booleans())
def test_nulls_replaced_by_a_word_are_counted_as_it(values: list[str | None], word: str, is_key: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequencies, "MAX_DISTINCT", 1 if is_key else 100)
        before, expected = counted(values), counted([word if v is None else v for v in values])
        found = before.with_null_as(word)
    assert found.n_null == 0
    assert found.n_distinct() == expected.n_distinct()
    assert found.most_frequent(9) == expected.most_frequent(9)
    assert before.to_dict() == counted(values).to_dict() or is_key  # which is left as it was


def test_counts_that_were_made_elsewhere_make_a_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequencies, "MAX_DISTINCT", 2)
    found = counted(["a", "b", "c", "c", None]).with_counts({"c": 2, "b": 1})
    assert found.vocabulary(top_k=9) == ["c", "b"]
    assert found.n_null == 1


def test_words_of_a_dictionary_that_do_not_occur_are_not_counted() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([2, None, 2], pa.int32()), ["never", "nor this", "x"])
    found = learned(Frequencies("c"), chunk(texts={"c": array}))
    assert (found.n_null, found.counts) == (1, {"x": 2})
