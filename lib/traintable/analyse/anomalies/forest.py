"""An isolation forest as arrays: scikit-learn is needed to fit it, but NumPy alone is enough to score rows by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traintable.analyse.rows.feature_encoding import Matrix
from traintable.arrays import Floats, Ints

_BLOCK = 4096  # rows that are followed down all trees while they are in the processor's cache


@dataclass(frozen=True)
class IsolationTree:
    """A tree of the forest; a leaf is its own child.

    Attributes
    ----------
    feature, threshold : shape (nodes,); a row goes left where its feature is not above the threshold.
    child : shape (2 nodes,); the left and right child of each node.
    length : shape (nodes,); of a leaf the path length of rows in it, that of an unbuilt subtree included; of any other
        node the mean of those below, over the rows that the tree was fitted to.
    depth : most steps from the root to a leaf.
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float32]
    child: NDArray[np.intp]
    length: Floats
    depth: int

    def leaves(self, flat: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.intp]:
        """The leaf of each row; rows as one flat array, and where each starts in it."""
        node: NDArray[np.intp] = np.zeros(len(starts), np.intp)
        for _ in range(self.depth):
            value = flat.take(starts + self.feature.take(node))
            node = self.child.take(2 * node + (value > self.threshold.take(node)))
        return node


@dataclass(frozen=True)
class IsolationForest:
    """Trees, and the path length that theirs are compared with: that of an unsuccessful search in a binary tree."""

    trees: tuple[IsolationTree, ...]
    average_length: float

    def lengths(self, matrix: Matrix) -> Floats:
        """The mean path length of each row over the trees."""
        totals = [self._total_lengths(matrix[i : i + _BLOCK]) for i in range(0, len(matrix), _BLOCK)]
        return np.concatenate(totals) / len(self.trees) if totals else np.zeros(0)

    def scores(self, lengths: Floats) -> Floats:
        """The anomaly score that mean path lengths give: 2 to the power of minus length / `average_length`.

        Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008); that of `lengths` is minus what
        sklearn.ensemble.IsolationForest.score_samples gives. It is above 0 and below 1: near 1 is easily isolated from
        all others, 0.5 and below is ordinary.
        """
        exponents = -lengths / self.average_length
        return np.array([2.0**exponent for exponent in exponents.tolist()])  # NumPy's last bit depends on the batch

    def _total_lengths(self, block: Matrix) -> Floats:
        """The sum of each row's path lengths over the trees."""
        flat, starts = np.ascontiguousarray(block).ravel(), np.arange(len(block), dtype=np.intp) * block.shape[1]
        total = np.zeros(len(block))
        for tree in self.trees:
            total += tree.length.take(tree.leaves(flat, starts))
        return total

    def contributions(self, matrix: Matrix, column_of_feature: Ints, n_columns: int) -> Floats:
        """By how many steps each column shortens the mean path of a row, shape (rows, columns).

        Each step changes the path length to be expected, and that change is credited to the feature that is cut
        there, as Saabas ("Interpreting random forests", 2014) attributes a tree's prediction. The sum over columns is
        the mean path length of the rows that the forest was fitted to, less the row's own.
        """
        shortened = np.zeros((len(matrix), n_columns))
        rows = np.arange(len(matrix))
        for tree in self.trees:
            node: NDArray[np.intp] = np.zeros(len(matrix), np.intp)
            for _ in range(tree.depth):
                feature = tree.feature.take(node)
                child = tree.child.take(2 * node + (matrix[rows, feature] > tree.threshold.take(node)))
                shortened[rows, column_of_feature[feature]] += tree.length.take(node) - tree.length.take(child)
                node = child
        return shortened / len(self.trees)


def fit_forest(matrix: Matrix, *, n_trees: int, random_state: int) -> IsolationForest:
    """A forest fitted to rows by sklearn.ensemble.IsolationForest, each tree to at most 256 of them."""
    from sklearn.ensemble import IsolationForest as ScikitLearnForest  # type: ignore[import-untyped]

    model = ScikitLearnForest(n_estimators=n_trees, random_state=random_state, n_jobs=1).fit(matrix)
    return forest_of(model)


def forest_of(model: Any) -> IsolationForest:
    """The arrays of a fitted sklearn.ensemble.IsolationForest whose trees use all features."""
    trees = tuple(_tree(estimator.tree_) for estimator in model.estimators_)
    return IsolationForest(trees, float(average_path_length(np.array([model.max_samples_]))[0]) or 1.0)


def average_path_length(n: Ints) -> Floats:
    """The mean path length of an unsuccessful search in a binary search tree of `n` rows (equation 1 of the paper)."""
    many = np.maximum(n, 3).astype(np.float64)
    length = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, length))


def _tree(tree: Any) -> IsolationTree:
    """The arrays of a sklearn.tree._tree.Tree, in which parents come before their children.

    A leaf at depth d that n rows reached has the path length d + `average_path_length`(n), as if the subtree that was
    not built had been; any other node has the mean of its two children, weighted by their rows.
    """
    left, right, n = tree.children_left, tree.children_right, tree.n_node_samples
    is_leaf, nodes = left == -1, np.arange(tree.node_count)
    steps = np.zeros(tree.node_count)
    for node in np.flatnonzero(~is_leaf):
        steps[left[node]] = steps[right[node]] = steps[node] + 1
    length = np.where(is_leaf, steps + average_path_length(n), 0.0)
    for node in np.flatnonzero(~is_leaf)[::-1]:
        children = [left[node], right[node]]
        length[node] = np.dot(length[children], n[children]) / n[children].sum()
    child = np.stack([np.where(is_leaf, nodes, left), np.where(is_leaf, nodes, right)], axis=1)
    return IsolationTree(
        np.where(is_leaf, 0, tree.feature).astype(np.intp),
        np.where(is_leaf, np.float32(np.inf), _not_above(tree.threshold)).astype(np.float32),
        child.ravel().astype(np.intp),
        length,
        int(steps.max()),
    )


def _not_above(thresholds: Floats) -> NDArray[np.float32]:
    """The largest float32 not above each threshold: comparing a float32 with either gives the same."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
