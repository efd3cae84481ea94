"""How well values part classes, against scikit-learn and against what chance gives."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score, roc_auc_score

from traintable.split.leakage.separation import (
    auc,
    bin_counts,
    bin_numbers,
    classes_by_rank,
    information,
    lookup,
    separation,
    standard_error,
)


def table(values: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts by different values, ascending, and class."""
    place = np.unique(values, return_inverse=True)[1]
    out = np.zeros((place.max() + 1, n_classes), np.int64)
    np.add.at(out, (place, classes), 1)
    return out


def test_areas_are_those_of_scikit_learn_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, n_values = rng.integers(2, 300), rng.integers(1, 100)
        classes = np.append([0, 1], rng.integers(0, 2, n))
        values = rng.integers(0, n_values, n + 2) + rng.integers(0, 2) * classes
        found = table(values, classes, 2)
        assert auc(found[:, 0], found[:, 1]) == pytest.approx(roc_auc_score(classes, values), abs=1e-12)


def test_an_area_needs_both_classes() -> None:
    assert isnan(auc(np.array([1, 2]), np.array([0, 0])))
    assert isnan(separation(np.array([[3, 0, 0]]), np.array([0, 1, 2])))


def test_classes_that_cuts_part_have_an_area_of_one_in_the_order_of_their_values() -> None:
    found = table(np.array([5, 6, 1, 2, 9, 8]), np.array([0, 0, 2, 2, 1, 1]), 3)
    order = classes_by_rank(found)
    assert order.tolist() == [2, 0, 1]
    assert separation(found, order) == 1.0
    found[0, 1] += 1
    assert separation(found, order) < 1.0


def test_the_standard_error_is_the_spread_of_areas_over_samples() -> None:
    """Of exponential values, for which the formula is exact; their area is scale / (1 + scale)."""
    rng = np.random.default_rng(1)
    for scale, n_negative, n_positive in ((1.5, 60, 40), (4.0, 100, 30), (10.0, 30, 80)):
        areas = []
        for _ in range(4000):
            values = np.concatenate([rng.exponential(size=n_negative), rng.exponential(scale, size=n_positive)])
            ranks = values.argsort().argsort()[n_negative:] + 1
            areas.append((ranks.sum() - n_positive * (n_positive + 1) / 2) / (n_negative * n_positive))
        assert np.mean(areas) == pytest.approx(scale / (1 + scale), abs=0.003)
        assert np.std(areas) == pytest.approx(standard_error(scale / (1 + scale), n_negative, n_positive), rel=0.05)
    assert standard_error(0.9, 0, 5) == float("inf")


def test_information_is_that_of_scikit_learn_less_the_bias() -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        n, n_values, n_classes = rng.integers(50, 500), rng.integers(2, 20), rng.integers(2, 5)
        classes = np.append(np.arange(n_classes), rng.integers(0, n_classes, n))
        values = (classes + rng.integers(0, 3, len(classes))) % n_values
        found = table(values, classes, n_classes)
        bias = (len(found) - 1) * (n_classes - 1) / (2 * len(classes))
        entropy = mutual_info_score(classes, classes)
        expected = min(1.0, max(0.0, (mutual_info_score(values, classes) - bias) / entropy))
        assert information(found) == pytest.approx(expected, abs=1e-12)


def test_chance_tells_nothing_on_average_but_would_without_the_correction() -> None:
    rng = np.random.default_rng(3)
    shares, raw = [], []
    for _ in range(300):
        values, classes = rng.integers(0, 30, 200), rng.integers(0, 2, 200)
        shares.append(information(table(values, classes, 2)))
        raw.append(mutual_info_score(values, classes) / mutual_info_score(classes, classes))
    assert np.mean(shares) < 0.02 < 0.1 < np.mean(raw)


def test_a_value_of_its_own_in_each_row_does_not_seem_to_tell_the_label() -> None:
    classes = np.random.default_rng(4).integers(0, 2, 150)
    assert information(table(np.arange(150), classes, 2)) < 0.5
    assert information(table(classes, classes, 2)) > 0.99


@pytest.mark.parametrize("counts", [np.zeros((0, 2), int), np.zeros((3, 2), int), np.array([[4, 0], [3, 0]])])
def test_without_two_classes_there_is_nothing_to_tell(counts: np.ndarray) -> None:
    assert information(counts) == 0.0
    assert lookup(counts, counts).saved == 0.0


def test_answers_are_looked_up_in_train_where_train_has_the_value() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        value, answer = rng.integers(0, 40, 400), rng.integers(0, 3, 400)
        is_train = rng.random(400) < 0.3
        counts = [np.zeros((40, 3), np.int64) for _ in range(2)]
        np.add.at(counts[0], (value[is_train], answer[is_train]), 1)
        np.add.at(counts[1], (value[~is_train], answer[~is_train]), 1)
        frame = pd.DataFrame({"value": value, "answer": answer})
        modes = frame[is_train].groupby("value")["answer"].agg(lambda a: a.value_counts().sort_index().idxmax())
        held = frame[~is_train & frame["value"].isin(modes.index)]
        found = lookup(*counts)
        assert found.n == len(held)
        assert found.accuracy == pytest.approx((held["value"].map(modes) == held["answer"]).mean())
        assert found.constant == pytest.approx(held["answer"].value_counts(normalize=True).max())


def test_bins_have_about_equally_many_rows_and_keep_values_whole() -> None:
    rng = np.random.default_rng(6)
    found = table(rng.integers(0, 500, 20_000), rng.integers(0, 2, 20_000), 2)
    bin_of = bin_numbers(found, 16)
    counts = bin_counts(found, bin_of)
    assert (np.diff(bin_of) >= 0).all()
    assert counts.sum() == 20_000
    assert np.abs(counts.sum(axis=1) - 1250).max() < 60
