"""Permutation importance on rows held out, against scikit-learn's, and against columns that tell nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.inspection import permutation_importance as by_scikit_learn
from sklearn.metrics import average_precision_score, r2_score

from analysis_contexts import in_memory
from traintable.analyse import importance
from traintable.analyse.rows.labelled_sample import labelled_sample
from traintable.analyse.rows.metrics import average_precision, explained_variance, mean_average_precision
from traintable.analyse.rows.target_encoding import SMOOTHING, encode_by_target

NUMBERS, CATEGORIES = ("strong", "weak", "noise", "more noise", "holes"), ("word", "many", "odd")


def rows(kind: str, n: int = 6000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=n) for name in NUMBERS})
    frame["word"] = rng.choice(["a", "b", "c", "d"], n)
    frame["many"] = [f"v{i}" for i in rng.integers(0, 300, n)]
    frame["odd"] = rng.choice(["x", None], n)
    frame.loc[rng.random(n) < 0.3, "holes"] = np.nan
    signal = 2 * frame["strong"] + 0.7 * frame["weak"] + 2 * (frame["word"] == "b") + frame["holes"].isna()
    if kind == "number":
        frame["label"] = signal + rng.normal(size=n)
    elif kind == "two":
        frame["label"] = np.where(signal + rng.logistic(size=n) > 3, "yes", "no")
    elif kind == "four":
        frame["label"] = np.digitize(signal + rng.normal(size=n), [-2, 0.5, 3]).astype(str)
    else:
        frame["label"] = rng.choice(["yes", "no"], n, p=[0.1, 0.9])
    return frame


def context(kind: str, **more: Any) -> Any:
    roles = {"numbers": NUMBERS, "categories": CATEGORIES, "label": "label", "label_is_number": kind == "number"}
    return in_memory(rows(kind, **more), **roles)


@pytest.mark.parametrize(("kind", "metric"), [("number", "r2"), ("two", "average_precision")])
def test_importance_is_that_of_scikit_learn(kind: str, metric: str) -> None:
    under = context(kind)
    measured = importance.permutation_importance(under)
    sample = labelled_sample(under)
    assert measured is not None
    assert sample is not None
    fitted = importance._fit(under, sample)
    held = sample.values[~sample.rows.is_train]
    rare = 1 if kind == "number" or (held == 1).sum() <= (held == 0).sum() else 0
    given = fitted.held_out.astype(np.float32)
    assert metric == "r2" or rare == 1
    theirs = by_scikit_learn(fitted.tree, given, held, scoring=metric, n_repeats=30, random_state=1)
    by_name = {column["name"]: column for column in measured["columns"]}
    for place, name in enumerate(fitted.names[: fitted.n_features]):
        error = by_name[name]["high"] - by_name[name]["importance"] + 0.002
        assert by_name[name]["importance"] == pytest.approx(theirs.importances_mean[place], abs=error)
        assert by_name[name]["low"] <= by_name[name]["importance"] <= by_name[name]["high"]
    ranked = [fitted.names[i] for i in np.argsort(-theirs.importances_mean[: fitted.n_features])][:3]
    assert [column["name"] for column in measured["columns"]][:3] == ranked


@pytest.mark.parametrize("kind", ["number", "two", "four"])
def test_what_tells_the_label_beats_the_probes_and_noise_does_not(kind: str) -> None:
    measured = importance.permutation_importance(context(kind, n=15_000))
    assert measured is not None
    useful = {column["name"] for column in measured["columns"] if column["is_useful"]}
    assert useful == {"strong", "weak", "word", "holes"}
    assert measured["columns"][0]["name"] == "strong"
    assert measured["score"] > measured["baseline"] + 0.1
    assert (measured["rows"], measured["held_out_rows"], measured["probes"]["n"]) == (10_000, 5000, 10)


def test_nothing_is_useful_where_nothing_tells_the_label() -> None:
    wrong = 0
    for seed in range(5):
        measured = importance.permutation_importance(context("none", seed=seed))
        assert measured is not None
        wrong += sum(column["is_useful"] for column in measured["columns"])
    assert wrong == 0


def test_the_same_rows_give_the_same_and_another_seed_other_probes() -> None:
    frame = rows("two", 1000)
    roles = {"numbers": NUMBERS, "categories": CATEGORIES, "label": "label"}
    first, again = (importance.permutation_importance(in_memory(frame, **roles)) for _ in range(2))
    assert first == again
    context_of_seed = in_memory(frame, **roles)
    other = in_memory(frame, seed=5, **roles)
    other.__dict__["sample"] = context_of_seed.sample
    assert importance.permutation_importance(other) != first


@pytest.mark.parametrize("change", ["no label", "one class", "few rows", "all null", "no features", "constant number"])
def test_what_has_nothing_to_learn_has_no_importance(change: str) -> None:
    frame = rows("two", 100 if change == "few rows" else 500)
    if change == "one class":
        frame["label"] = "yes"
    elif change == "all null":
        frame["label"] = None
    elif change == "constant number":
        frame["label"] = 4.0
    label = None if change == "no label" else "label"
    numbers = () if change == "no features" else NUMBERS
    under = in_memory(frame, numbers=numbers, label=label, label_is_number=change == "constant number")
    assert importance.permutation_importance(under) is None


def test_rows_without_a_label_and_rare_classes_are_left_out() -> None:
    frame = rows("two", 1000)
    frame.loc[:99, "label"] = None
    frame.loc[100:102, "label"] = "rare"
    sample = labelled_sample(in_memory(frame, numbers=NUMBERS, label="label"))
    assert sample is not None
    assert sample.classes == ("no", "yes")
    assert len(sample.rows) == len(sample.values) == 897
    assert sample.rows.number("strong").tolist() == frame["strong"][103:].tolist()
    assert [sample.classes[code] for code in sample.codes] == frame["label"][103:].tolist()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_average_precision_is_that_of_scikit_learn(given: list[tuple[bool, float]]) -> None:
    hits, scores = (np.array(part) for part in zip(*given, strict=True))
    expected = average_precision_score(hits, scores) if hits.any() else 0.0
    assert average_precision(hits, scores) == pytest.approx(expected, rel=1e-12)


def test_scores_of_classes_and_numbers() -> None:
    rng = np.random.default_rng(0)
    codes, shares = rng.integers(0, 3, 500), rng.random((500, 3))
    expected = np.mean([average_precision_score(codes == k, shares[:, k]) for k in range(3)])
    assert mean_average_precision(codes, shares, 0) == pytest.approx(expected)
    assert mean_average_precision(np.where(codes == 2, 0, codes), shares, 0) == pytest.approx(
        np.mean([average_precision_score(np.where(codes == 2, 0, codes) == k, shares[:, k]) for k in range(2)])
    )
    two = (rng.random(500) < 0.9).astype(int)
    assert mean_average_precision(two, shares[:, :2], 0) == pytest.approx(
        average_precision_score(two == 0, shares[:, 0])
    )
    values, predicted = rng.normal(size=500), rng.normal(size=500)
    assert explained_variance(values, predicted, values.mean()) == pytest.approx(r2_score(values, predicted))
    assert explained_variance(np.ones(5), predicted[:5], 1.0) == 0.0


def test_words_become_their_smoothed_means_over_train() -> None:
    rng = np.random.default_rng(1)
    words = rng.choice(["a", "b", "rare", None], 600, p=[0.5, 0.38, 0.005, 0.115])
    target, is_train = rng.random((600, 1)), rng.random(600) < 0.7
    folds = rng.integers(0, 5, 600)
    encoded = encode_by_target(pa.array(words, pa.string()), target, is_train, folds)
    frame = pd.DataFrame({"word": words, "y": target[:, 0]})[is_train].fillna({"word": "null"})
    overall = frame["y"].mean()
    for word in ("a", "b", "null"):
        own = frame["y"][frame["word"] == word]
        expected = (own.sum() + SMOOTHING * overall) / (len(own) + SMOOTHING) - overall
        is_word = np.array([w is None if word == "null" else w == word for w in words])
        np.testing.assert_allclose(encoded[is_word & ~is_train], expected, atol=1e-12)
        others = target[is_word & is_train & (folds != 2), 0]
        expected = (others - overall).sum() / (len(others) + SMOOTHING)
        np.testing.assert_allclose(encoded[is_word & is_train & (folds == 2)], expected, atol=1e-12)


def test_words_of_several_classes_are_ordered_so_that_a_cut_tells_most() -> None:
    rng = np.random.default_rng(2)
    shares = {"a": [0.8, 0.1, 0.1], "b": [0.7, 0.2, 0.1], "c": [0.1, 0.1, 0.8], "d": [0.1, 0.2, 0.7]}
    words = rng.choice(list(shares), 4000)
    classes = np.array([rng.choice(3, p=shares[word]) for word in words])
    is_train = np.arange(4000) < 3900
    encoded = encode_by_target(pa.array(words), np.eye(3)[classes], is_train, np.arange(4000) % 5)[3900:]
    words = words[3900:]
    by_word = {word: encoded[words == word][0] for word in shares}
    assert sorted(by_word, key=lambda word: by_word[word]) in (["a", "b", "d", "c"], ["c", "d", "b", "a"])
