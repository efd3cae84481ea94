"""An isolation forest as arrays gives what scikit-learn's gives, and says which column did it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest as ScikitLearnForest

from traintable.analyse.anomalies.bounding_box import BoundingBox, shorten_paths
from traintable.analyse.anomalies.forest import IsolationForest, average_path_length, forest_of


def rows(kind: str, n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    if kind == "normal":
        values = rng.normal(size=(n, 4))
    elif kind == "one column":
        values = rng.exponential(size=(n, 1))
    elif kind == "few values":
        values = rng.integers(0, 3, (n, 3)).astype(float)
    elif kind == "a constant":
        values = np.stack([np.full(n, 7.0), rng.normal(size=n)], axis=1)
    else:
        values = rng.standard_cauchy((n, 12)) * 1e6
    return values.astype(np.float32)


def both(matrix: Any, n_trees: int = 30) -> tuple[IsolationForest, Any]:
    model = ScikitLearnForest(n_estimators=n_trees, random_state=0).fit(matrix)
    return forest_of(model), model


@pytest.mark.parametrize("kind", ["normal", "one column", "few values", "a constant", "wild"])
@pytest.mark.parametrize("n", [3, 200, 5000])
def test_scores_are_those_of_scikit_learn(kind: str, n: int) -> None:
    matrix, others = rows(kind, n, 1), rows(kind, 9000, 2)
    forest, model = both(matrix)
    for given in (matrix, others, others[:1], others[:0]):
        expected = -model.score_samples(given) if len(given) else np.zeros(0)
        np.testing.assert_allclose(forest.scores(forest.lengths(given)), expected, rtol=1e-9, atol=0)


def test_a_row_at_a_threshold_goes_where_scikit_learn_sends_it() -> None:
    forest, model = both(rows("normal", 3000, 3))
    thresholds = np.concatenate([e.tree_.threshold[e.tree_.feature >= 0] for e in model.estimators_]).astype(np.float32)
    around = np.concatenate([thresholds, *(np.nextafter(thresholds, np.float32(end)) for end in (-9, 9))])
    given = np.repeat(around[:, None], 4, axis=1)
    np.testing.assert_allclose(forest.scores(forest.lengths(given)), -model.score_samples(given), rtol=1e-9)


def test_a_rows_score_does_not_depend_on_the_others_of_its_batch() -> None:
    matrix = rows("normal", 9001, 4)
    forest, _ = both(matrix)
    whole = forest.scores(forest.lengths(matrix))
    for start, end in ((0, 1), (17, 4117), (4096, 4099), (8999, 9001)):
        assert forest.scores(forest.lengths(matrix[start:end])).tolist() == whole[start:end].tolist()


@pytest.mark.parametrize("kind", ["normal", "few values", "wild"])
def test_contributions_add_up_to_the_shortening_of_the_path(kind: str) -> None:
    matrix = rows(kind, 2000, 5)
    forest, _ = both(matrix)
    owner = np.arange(matrix.shape[1]) // 2
    contributions = forest.contributions(matrix, owner, int(owner[-1]) + 1)
    own = -np.log2(forest.scores(forest.lengths(matrix))) * forest.average_length
    usual = np.mean([tree.length[0] for tree in forest.trees])
    np.testing.assert_allclose(contributions.sum(axis=1), usual - own, atol=1e-9)


def test_the_root_has_the_mean_length_of_the_rows_that_a_tree_was_fitted_to() -> None:
    forest, model = both(rows("normal", 3000, 6), n_trees=3)
    for tree, estimator in zip(forest.trees, model.estimators_, strict=True):
        fitted = estimator.tree_
        is_leaf = fitted.children_left == -1
        weights = fitted.n_node_samples[is_leaf]
        assert tree.length[0] == pytest.approx(np.dot(tree.length[is_leaf], weights) / 256)


def test_the_column_in_which_a_row_is_strange_contributes_most() -> None:
    matrix = rows("normal", 5000, 7)
    matrix[:40] = 0
    matrix[np.arange(40), np.arange(40) % 4] = 12
    forest, _ = both(matrix, 100)
    contributions = forest.contributions(matrix[:40], np.arange(4), 4)
    assert contributions.argmax(axis=1).tolist() == [i % 4 for i in range(40)]


def test_a_chance_at_each_step_shortens_a_path_as_a_simulation_says() -> None:
    rng = np.random.default_rng(8)
    lengths, chances = np.array([3.0, 7.0, 12.0, 5.0, 5.0]), np.array([0.1, 0.3, 0.02, 0.0, 1.0])
    expected_lengths = shorten_paths(lengths, chances)
    for length, chance, own in zip(lengths[:3], chances[:3], expected_lengths[:3], strict=True):
        assert own == pytest.approx(np.minimum(rng.geometric(chance, 200_000), length).mean(), rel=0.01)
    assert expected_lengths[3] == 5.0
    assert expected_lengths[4] == pytest.approx(1.0)


def test_only_what_lies_outside_the_box_has_a_chance() -> None:
    box = BoundingBox(np.array([-1.0, 0.0, 2.0]), np.array([1.0, 0.0, 4.0]))
    rows = np.array([[0, 0, 3], [3, 0, 2], [-2, 5, 4], [1, 0, 0]], np.float32)
    expected = np.array([[0, 0, 0], [2 / 4, 0, 0], [1 / 3, 1, 0], [0, 0, 2 / 4]]) / 3
    np.testing.assert_allclose(box.chances(rows), expected)


def test_the_usual_length_is_that_of_the_paper() -> None:
    harmonic = [sum(1 / k for k in range(1, n)) for n in (10, 256)]  # the paper's logarithm stands for it
    expected = [2 * h - 2 * (n - 1) / n for h, n in zip(harmonic, (10, 256), strict=True)]
    assert average_path_length(np.array([0, 1, 2])).tolist() == [0.0, 0.0, 1.0]
    np.testing.assert_allclose(average_path_length(np.array([10, 256])), expected, atol=0.12)
