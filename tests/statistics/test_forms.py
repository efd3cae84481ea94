"""Forms and lengths equal those that a regular expression for each value gives."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, merged, words
from traintable.statistics import forms
from traintable.statistics.forms import LONGEST_FORM, Forms

ascii_words = st.text(st.sampled_from("ab XYZ09-_.\t"), max_size=6)


def plain_form(word: str) -> str:
    """A form by Python's own tables of characters."""
    sign_of = {"Lu": "A", "Lt": "A", "Ll": "a", "Lm": "a", "Lo": "a", "Nd": "9"}
    signs = (sign_of.get(unicodedata.category(c), c) for c in word)
    form = "".join(" " if re.match(r"[\t\n\v\f\r ]", c) else c for c in signs)
    return form if len(form) <= LONGEST_FORM else form[:LONGEST_FORM] + "…"


@settings(deadline=None)
@given(st.lists(st.one_of(words, ascii_words), max_size=25), st.randoms(use_true_random=False))
def test_forms_equal_those_of_each_value_in_any_layout(values: list[str | None], random: Random) -> None:
    assume(not any(unicodedata.category(c) == "Cn" for v in values if v for c in v))  # a newer Unicode may name them
    found, _ = in_any_layout(lambda: Forms("w"), chunk(texts={"w": values}), random)
    present = [v for v in values if v is not None]
    assert {form: n for form, (n, _) in found.forms.items()} == Counter(map(plain_form, present))
    for form, (_, example) in found.forms.items():
        assert example == min((v for v in present if plain_form(v) == form), key=lambda v: v.encode())
    lengths = np.repeat(found.lengths().values, found.lengths().counts)
    assert lengths.tolist() == sorted(map(len, present))


@pytest.mark.parametrize(
    ("word", "form"),
    [("AB-12", "AA-99"), ("é\u00c5ß", "aAa"), ("\u0663 x", "9 a"), ("", ""), ("a\tb", "a a"), ("日本", "aa")],
)
def test_a_form(word: str, form: str) -> None:
    assert learned(Forms("w"), chunk(texts={"w": [word]})).most_frequent(1) == [(form, 1, word)]


def test_a_long_form_is_cut() -> None:
    found = learned(Forms("w"), chunk(texts={"w": ["x" * 100]}))
    assert found.most_frequent(1)[0][0] == "a" * LONGEST_FORM + "…"
    assert found.lengths().values.tolist() == [100.0]


def test_too_many_forms_are_written_with_runs_in_any_layout() -> None:
    values = ["a" * i + "-" + "9" * j for i in range(8) for j in range(8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "MAX_FORMS", 10)
        found, _ = in_any_layout(lambda: Forms("w"), chunk(texts={"w": values}), Random(3))
    assert {form: n for form, (n, _) in found.forms.items()} == {"a-9": 49, "a-": 7, "-9": 7, "-": 1}


def test_what_is_left_out_is_counted() -> None:
    values = [c * (i % 7 + 1) for i, c in enumerate("!#$%&()*+,./:;<=>?@[]^_{|}~" * 3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "MAX_FORMS", 8)
        states = [learned(Forms("w"), chunk(texts={"w": values[i::4]})) for i in range(4)]
        found = merged(states, Random(0))
    assert len(found.forms) <= 8
    assert sum(n for n, _ in found.forms.values()) + found.n_other == len(values)
