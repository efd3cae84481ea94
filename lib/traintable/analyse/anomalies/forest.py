"""An isolation forest as arrays, which NumPy alone follows: scikit-learn is needed to fit it and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traintable.analyse.rows.encoding import Matrix
from traintable.arrays import Floats, Ints

_BLOCK = 4096  # rows that are followed down all trees while they are in the processor's cache


@dataclass(frozen=True)
class Tree:
    """One tree; a leaf is its own child.

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
class Forest:
    """Trees, and the path length by which theirs is measured: the mean of an unsuccessful search in a binary tree."""

    trees: tuple[Tree, ...]
    usual: float

    def lengths(self, matrix: Matrix) -> Floats:
        """The mean path length of each row over the trees."""
        found = [self._lengths(matrix[i : i + _BLOCK]) for i in range(0, len(matrix), _BLOCK)]
        return np.concatenate(found) / len(self.trees) if found else np.zeros(0)

    def scores(self, lengths: Floats) -> Floats:
        """The anomaly score that mean path lengths give: 2 to the power of minus length / `usual`.

        Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008); that of `lengths` is minus what
        sklearn.ensemble.IsolationForest.score_samples gives. It is above 0 and below 1: near 1 is easily told from all
        others, 0.5 and below is ordinary.
        """
        exponents = -lengths / self.usual
        return np.array([2.0**exponent for exponent in exponents.tolist()])  # NumPy's last bit depends on the batch

    def _lengths(self, block: Matrix) -> Floats:
        flat, starts = np.ascontiguousarray(block).ravel(), np.arange(len(block), dtype=np.intp) * block.shape[1]
        total = np.zeros(len(block))
        for tree in self.trees:
            total += tree.length.take(tree.leaves(flat, starts))
        return total

    def contributions(self, matrix: Matrix, owner: Ints, n_columns: int) -> Floats:
        """By how many steps each column shortens the mean path of a row, shape (rows, columns).

        Each step changes the path length to be expected, and that change is the doing of the feature that is cut
        there, as Saabas ("Interpreting random forests", 2014) attributes a tree's prediction. The sum over columns is
        the mean path length of the rows that the forest was fitted to, less the row's own.
        """
        found = np.zeros((len(matrix), n_columns))
        rows = np.arange(len(matrix))
        for tree in self.trees:
            node: NDArray[np.intp] = np.zeros(len(matrix), np.intp)
            for _ in range(tree.depth):
                feature = tree.feature.take(node)
                reached = tree.child.take(2 * node + (matrix[rows, feature] > tree.threshold.take(node)))
                found[rows, owner[feature]] += tree.length.take(node) - tree.length.take(reached)
                node = reached
        return found / len(self.trees)


def fitted(matrix: Matrix, *, n_trees: int, random_state: int) -> Forest:
    """A forest fitted to rows by sklearn.ensemble.IsolationForest, each tree to at most 256 of them."""
    from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]

    model = IsolationForest(n_estimators=n_trees, random_state=random_state, n_jobs=1).fit(matrix)
    return exported(model)


def exported(model: Any) -> Forest:
    """A fitted sklearn.ensemble.IsolationForest, whose trees use all features, as arrays."""
    trees = tuple(_tree(estimator.tree_) for estimator in model.estimators_)
    return Forest(trees, float(usual_length(np.array([model.max_samples_]))[0]) or 1.0)


def usual_length(n: Ints) -> Floats:
    """The mean path length of an unsuccessful search in a binary search tree of `n` rows (equation 1 of the paper)."""
    many = np.maximum(n, 3).astype(np.float64)
    found = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, found))


def _tree(tree: Any) -> Tree:
    left, right, n = tree.children_left, tree.children_right, tree.n_node_samples
    is_leaf, nodes = left == -1, np.arange(tree.node_count)
    steps = np.zeros(tree.node_count)
    for node in np.flatnonzero(~is_leaf):  # parents come before their children
        steps[left[node]] = steps[right[node]] = steps[node] + 1
    length = np.where(is_leaf, steps + usual_length(n), 0.0)
    for node in np.flatnonzero(~is_leaf)[::-1]:
        below = [left[node], right[node]]
        length[node] = np.dot(length[below], n[below]) / n[below].sum()
    child = np.stack([np.where(is_leaf, nodes, left), np.where(is_leaf, nodes, right)], axis=1)
    return Tree(
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
