"""All statistics together: in any layout, by class or not, they are those of each state alone and those of pandas."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import canonical, chunk, in_any_layout, learned, numbers, words
from traintable.errors import ConfigError
from traintable.statistics import Statistics, TargetGroups, Wanted
from traintable.statistics import states as learning
from traintable.statistics.chunk import Chunk

BY_CLASS = Wanted(
    summary=("x",),
    moments=("z",),
    covariance=("x",),
    values=("x",),
    frequencies=("w",),
    contingency=(("w", "label"),),
    groups=(("w", "label", "w"), ("label",)),
    targets=(TargetGroups("w", "x"),),
    missingness=("x", "w"),
)
WANTED = Wanted(
    summary=("x", "z"),
    moments=("x", "z"),
    covariance=("z",),
    values=("x", "z"),
    sketches=True,
    frequencies=("w", "label"),
    contingency=(("w", "label"),),
    groups=(("w", "label", "w"), ("label",)),
    targets=(TargetGroups("w", "z", "label"), TargetGroups("label", "x")),
    missingness=("x", "m", "w"),
    ranges=(("x", -1e3, 1e3),),
    classes=(("label", BY_CLASS), ("w", Wanted())),
)

tables = st.lists(
    st.tuples(numbers, numbers, words, st.sampled_from(["0", "1", "", None]), st.sampled_from([1.0, None])), max_size=15
)


def rows_of(table: list[Any]) -> Chunk:
    x, z, w, label, m = [[row[i] for row in table] for i in range(5)]
    return chunk({"x": x, "z": z}, {"w": w, "label": label}, {"m": m, "w": w}, WANTED.range_of)


def again(statistics: Statistics) -> Statistics:
    return Statistics.from_json(statistics.wanted, statistics.to_json())


@settings(deadline=None, max_examples=40)
@given(tables, st.randoms(use_true_random=False))
def test_any_layout_gives_the_same_statistics(table: list[Any], random: Random) -> None:
    whole, together = in_any_layout(lambda: Statistics(WANTED), rows_of(table), random, again)
    assert together.n_rows == whole.n_rows == len(table)
    labels = {row[3] for row in table if row[3] is not None}
    assert whole.classes["label"].keys() == labels
    for label in labels:
        alone = learned(Statistics(BY_CLASS), rows_of([row for row in table if row[3] == label]))
        assert canonical(alone.to_dict()) == canonical(together.classes["label"][label].to_dict())
    for word, part in together.classes["w"].items():
        assert part.n_rows == [row[2] for row in table].count(word)


def test_statistics_by_class_are_those_of_a_pandas_groupby() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=500), "z": rng.exponential(size=500) + 1e6, "m": 1.0})
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame["w"] = rng.choice(["a", "b", None], 500)
    frame["label"] = rng.choice(["0", "1"], 500)
    table = [[None if pd.isna(v) else v for v in row] for row in frame[["x", "z", "w", "label", "m"]].to_numpy()]
    found = learned(Statistics(WANTED), rows_of(table)).classes["label"]
    for label, rows in frame.groupby("label"):
        part = found[label]
        assert part.n_rows == len(rows)
        assert part.frequencies["w"].counts == rows["w"].value_counts().to_dict()
        for name in ("x", "z"):
            expected = rows[name].mean(), rows[name].var()
            np.testing.assert_allclose(part.mean_and_variance(name), expected, rtol=1e-9)
        assert part.values["x"].weighted().quantile(0.3) == rows["x"].quantile(0.3)
        patterns = rows[["x", "w"]].isna().value_counts()
        names = {tuple(np.array(["x", "w"])[list(gone)]): n for gone, n in patterns.items()}
        assert dict(part.missingness.most_frequent(9)) == names
        totals = {word: t for word, _, t in part.targets[TargetGroups("w", "x")].totals()}
        means = {word: t.total * 2.0**t.exponent / t.n for word, t in totals.items()}
        expected_means = rows.groupby("w", dropna=False)["x"].mean()
        assert means == pytest.approx({None if pd.isna(k) else k: v for k, v in expected_means.items()}, rel=1e-9)


def test_moments_are_found_wherever_they_were_wanted() -> None:
    rows = chunk({"x": [1.0, 2.0, None, 6.0], "z": [0.5, None, None, 1.5]})
    found = learned(Statistics(Wanted(moments=("x", "z"), covariance=("z",))), rows)
    assert found.sums.columns == ("x",)  # the other is in the covariance matrix
    assert found.mean_and_variance("x") == (3.0, 7.0)
    assert found.mean_and_variance("z") == (1.0, 0.5)
    assert found.imputed_mean_and_variance("x", 0.0) == (2.25, np.var([1, 2, 0, 6], ddof=1))
    assert found.imputed_mean_and_variance("z", 1.0) == (1.0, np.var([0.5, 1, 1, 1.5], ddof=1))


def test_too_many_classes_are_refused_in_one_batch_and_when_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MAX_CLASSES", 2)
    wanted = Wanted(classes=(("c", Wanted(summary=("x",))),))

    def of(*words: str | None) -> Statistics:
        found: Statistics = learned(Statistics(wanted), chunk({"x": [1.0] * len(words)}, {"c": words}))
        return found

    state = of("a", "b", None, "a")
    with pytest.raises(ConfigError, match=r"column 'c': expected at most 2 classes"):
        of("a", "b", "c")
    with pytest.raises(ConfigError, match="column 'c'"):
        state.merge(of("c"))
    state.merge(of("b"))
    assert {word: part.n_rows for word, part in state.classes["c"].items()} == {"a": 2, "b": 2}


def test_nothing_learned_survives_json() -> None:
    assert again(Statistics(WANTED)).to_dict() == Statistics(WANTED).to_dict()
    assert again(Statistics(Wanted())).n_rows == 0
