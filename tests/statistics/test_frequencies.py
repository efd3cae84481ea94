"""Counts of categories equal those of collections.Counter, merge in any order, and refuse what is no category."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.errors import ConfigError
from traintable.statistics import Frequencies, frequencies

texts = st.one_of(st.none(), st.sampled_from(["", " ", "a", "A", "é", "e\u0301", "null", "None"]), st.text(max_size=3))


def counted(values: list[str | None]) -> Frequencies:
    state = Frequencies("c")
    state.update(pa.array(values, pa.string()))
    return state


@settings(deadline=None)
@given(st.lists(texts, max_size=30), st.integers(0, 30))
def test_counts_equal_those_of_a_counter_however_they_are_cut(values: list[str | None], cut: int) -> None:
    parts = [counted(values[cut:]), counted(values[:cut])]
    parts[0].merge(parts[1])
    again = Frequencies.from_dict(json.loads(json.dumps(parts[0].to_dict())))
    assert again.counts == Counter(values) == counted(values).counts


@settings(deadline=None)
@given(st.lists(texts, max_size=30), st.integers(1, 5), st.integers(1, 3))
def test_vocabulary_is_the_most_frequent_values_without_null(values: list[str | None], top_k: int, least: int) -> None:
    words = counted(values).vocabulary(top_k=top_k, min_frequency=least)
    counts = Counter(v for v in values if v is not None)
    assert words == sorted((v for v in counts if counts[v] >= least), key=lambda v: (-counts[v], v))[:top_k]


def test_too_many_values_are_refused_in_one_batch_and_when_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequencies, "MAX_DISTINCT", 3)
    state, at_once = counted(["a", "b", "c", "a"]), counted(["a", "b", "c", "d"])
    assert state.vocabulary(top_k=3) == ["a", "b", "c"]
    state.merge(counted(["d"]))
    for found in (at_once, state, Frequencies.from_dict(json.loads(json.dumps(state.to_dict())))):
        found.merge(counted(["a"]))
        assert not found.counts  # the state stays small
        with pytest.raises(ConfigError, match=r"column 'c'.*leave it out"):
            found.vocabulary(top_k=3)
