"""Mean labels are told from honest features, whatever they were smoothed by, over hundreds of random tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from sklearn.preprocessing import TargetEncoder

from traintable.columns import SPLITS
from traintable.split.leakage.evidence import Grid
from traintable.split.leakage.finding import LeakFinding
from traintable.split.leakage.target_statistics import closest_finding

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def rows(rng: np.random.Generator, n: int = 4000, n_words: int = 40, n_classes: int = 2) -> Rows:
    """A category, whose words are unequally frequent, a label that depends on it, and a split."""
    share = rng.dirichlet(np.full(n_words, 2.0))
    word = rng.choice(n_words, n, p=share)
    chance = rng.dirichlet(np.full(n_classes, 1.5), n_words)
    label = (rng.random(n)[:, None] > np.cumsum(chance[word], axis=1)).sum(axis=1).clip(0, n_classes - 1)
    return word, label, rng.choice(SPLITS, n, p=(0.6, 0.2, 0.2))


def grid(feature: np.ndarray, label: np.ndarray, split: np.ndarray, n_classes: int = 2) -> Grid:
    values, place = np.unique(feature, return_inverse=True)
    counts = {part: np.zeros((len(values), n_classes), np.int64) for part in SPLITS}
    for part in SPLITS:
        np.add.at(counts[part], (place[split == part], label[split == part]), 1)
    return Grid(counts, {part: np.zeros(n_classes, np.int64) for part in SPLITS}, values)


def judged(feature: np.ndarray, of: Rows, classes: Sequence[str] = ("0", "1")) -> LeakFinding | None:
    return closest_finding("f", grid(feature, of[1], of[2], len(classes)), list(classes))


def encoded(of: Rows, parts: Sequence[str], smoothing: float | str, target: np.ndarray | None = None) -> np.ndarray:
    """scikit-learn's target encoding, learned of the rows of `parts`, without its folds."""
    word, known = of[0].reshape(-1, 1), np.isin(of[2], parts)
    target = of[1] if target is None else target
    encoder = TargetEncoder(smooth=smoothing, target_type="continuous").fit(word[known], target[known])
    return encoder.transform(word)[:, 0]


LEARNED_FROM = [SPLITS, ("train", "test"), ("train", "validation"), ("validation", "test"), ("test",)]


@pytest.mark.parametrize("parts", LEARNED_FROM)
@pytest.mark.parametrize("smoothing", [0.0, 1.0, 7.0, 20.0, "auto"])
def test_statistics_of_rows_outside_train_are_found(parts: Sequence[str], smoothing: float | str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        of = rows(rng)
        feature = encoded(of, parts, smoothing)
        for form in (feature, 10 - 3 * feature, feature.astype(np.float32).astype(float)):
            found = judged(form, of)
            assert found is not None
            assert found.severity == "severe"
            assert found.numbers["splits"] == "+".join(parts)


@pytest.mark.parametrize("smoothing", [0.0, 7.0, "auto"])
def test_statistics_of_train_in_which_rows_see_themselves_are_a_warning(smoothing: float | str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        of = rows(rng)
        found = judged(encoded(of, ("train",), smoothing), of)
        assert found is not None
        assert (found.severity, found.numbers["splits"]) == ("warning", "train")


def test_each_class_of_several_and_the_mean_of_numbers_are_looked_at() -> None:
    rng = np.random.default_rng(3)
    of = rows(rng, n_classes=3)
    for target in (of[1] == 0, of[1] == 1, of[1]):
        found = judged(encoded(of, SPLITS, 0.0, target.astype(float)), of, ["0", "1", "2"])
        assert found is not None
        assert found.severity == "severe"
    found = judged(encoded(of, SPLITS, 0.0, (of[1] == 1).astype(float)), of, ["no", "maybe", "yes"])
    assert found is not None


def _probability(of: Rows, rng: np.random.Generator) -> np.ndarray:
    """The probability that labels are then drawn with: a perfect forecast, rounded."""
    chance = np.round(rng.beta(2, 3, len(of[1])), 2)
    of[1][:] = rng.random(len(chance)) < chance
    return chance


def _of_other_rows(of: Rows, rng: np.random.Generator) -> np.ndarray:
    """The mean label of other rows that have the same categories."""
    n = len(of[0])
    chance = rng.beta(2, 3, of[0].max() + 1)
    of[1][:] = rng.random(n) < chance[of[0]]
    past = rng.random((5 * n,)) < np.tile(chance[of[0]], 5)
    word = np.tile(of[0], 5)
    return (np.bincount(word, past) / np.maximum(1, np.bincount(word)))[of[0]]


def _out_of_fold(of: Rows, rng: np.random.Generator) -> np.ndarray:
    word, label, split = of
    fold = np.where(split == "train", rng.integers(0, 5, len(word)), -1)
    feature = np.zeros(len(word))
    for i in range(-1, 5):
        known = (fold >= 0) & (fold != i)
        n = np.bincount(word[known], minlength=word.max() + 1) + 1e-9
        feature[fold == i] = (np.bincount(word[known], label[known], word.max() + 1) / n)[word][fold == i]
    return feature


def _of_the_category(of: Rows, rng: np.random.Generator) -> np.ndarray:
    """Something that the category has, as a city has its height."""
    return rng.random(60)[of[0]]


def _share(of: Rows, rng: np.random.Generator) -> np.ndarray:
    """How frequent the category is."""
    return np.bincount(of[0])[of[0]] / len(of[0])


@pytest.mark.parametrize("honest", [_probability, _of_other_rows, _out_of_fold, _of_the_category, _share])
def test_honest_features_are_never_taken_for_statistics(
    honest: Callable[[Rows, np.random.Generator], np.ndarray],
) -> None:
    rng = np.random.default_rng(4)
    for _ in range(150):
        of = rows(rng, n=int(rng.integers(300, 5000)), n_words=int(rng.integers(4, 60)))
        found = judged(honest(of, rng), of)
        assert found is None, str(found)


def test_the_label_and_a_constant_are_no_statistic() -> None:
    of = rows(np.random.default_rng(5))
    assert judged(of[1].astype(float), of) is None
    assert judged(np.ones(len(of[1])), of) is None
    assert judged(np.zeros(0), (np.zeros(0, int), np.zeros(0, int), np.zeros(0, str))) is None
