"""Clusters hold what is close to everything in them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering

from traintable.analyse.association import Cluster, redundant_clusters


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 1000), st.sampled_from([0.3, 0.6, 0.9]))
def test_they_are_those_of_scikit_learn(n: int, seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    r = np.corrcoef(rng.normal(size=(n, 30)) + 1.5 * rng.normal(size=(3, 30))[rng.integers(0, 3, n)])
    clusters = redundant_clusters(r, threshold)
    oracle = AgglomerativeClustering(None, metric="precomputed", linkage="complete", distance_threshold=1 - threshold)
    labels = oracle.fit_predict(1 - np.abs(r))
    expected = sorted(tuple(np.flatnonzero(labels == k).tolist()) for k in set(labels.tolist()))
    assert [c.members for c in clusters] == [members for members in expected if len(members) > 1]
    for cluster in clusters:
        sizes = [abs(r[i, j]) for i, j in combinations(cluster.members, 2)]
        assert cluster.least == pytest.approx(min(sizes), rel=1e-12)
        assert cluster.least >= threshold - 1e-12
        of = {i: np.mean([abs(r[i, j]) for j in cluster.members if j != i]) for i in cluster.members}
        assert of[cluster.representative] >= max(of.values()) - 1e-12


def test_a_chain_is_no_cluster() -> None:
    """Single linkage would put all three together, though the ends are far apart."""
    r = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, -0.85], [0.5, -0.85, 1.0]])
    assert redundant_clusters(r, 0.8) == [Cluster((0, 1), 0, 0.9)]
    assert redundant_clusters(r, 0.5) == [Cluster((0, 1, 2), 1, 0.5)]
    assert redundant_clusters(r, 0.5, priority=[1.0, np.nan, 3.0]) == [Cluster((0, 1, 2), 2, 0.5)]


def test_constants_and_single_columns_are_redundant_to_nothing() -> None:
    r = np.full((3, 3), np.nan)
    assert redundant_clusters(r, 0.5) == []
    assert redundant_clusters([[1.0]], 0.5) == []
    assert redundant_clusters(np.zeros((0, 0)), 0.5) == []
    assert redundant_clusters(np.ones((2, 2)), 1.0) == [Cluster((0, 1), 0, 1.0)]
