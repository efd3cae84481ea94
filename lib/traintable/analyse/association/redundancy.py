"""Groups of columns that say nearly the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster import hierarchy  # type: ignore[import-untyped]

from traintable.arrays import Floats


@dataclass(frozen=True)
class Cluster:
    """Columns by index, ascending, the one that stands for them, and the least size of a correlation between two."""

    members: tuple[int, ...]
    representative: int
    least: float


def redundant_clusters(correlation: ArrayLike, threshold: float, priority: ArrayLike | None = None) -> list[Cluster]:
    """Group columns whose correlations with each other all have at least the size `threshold`.

    Hierarchical clustering with complete linkage of the distances 1 - |r|, cut at 1 - `threshold`: in a cluster each
    two columns are that close, which single or average linkage would not promise. A column that is close to two
    clusters goes where the closest comes first.

    Parameters
    ----------
    correlation : shape (columns, columns), symmetric; NaN counts as 0.
    threshold : a size of correlation in 0 to 1.
    priority : shape (columns,), such as the association with the label; the column with the largest one stands for its
        cluster, NaN last. By default it is the one with the largest mean size of correlation to the others. The lower
        index wins a tie.

    Returns
    -------
    list of Cluster
        Those of two columns and more, by their first member.

    Source: Sørensen, "A method of establishing groups of equal amplitude in plant sociology" (1948); SciPy's linkage.

    Examples
    --------
    >>> correlation = [[1.0, 0.95, 0.1], [0.95, 1.0, 0.2], [0.1, 0.2, 1.0]]
    >>> redundant_clusters(correlation, threshold=0.9)
    [Cluster(members=(0, 1), representative=0, least=0.95)]
    """
    size = np.abs(np.nan_to_num(np.asarray(correlation, dtype=np.float64)))
    n = len(size)
    if n < 2:
        return []
    upper = np.triu_indices(n, 1)
    tree = hierarchy.linkage(1 - size[upper], method="complete")
    labels = hierarchy.fcluster(tree, 1 - threshold, criterion="distance")
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rank = None if priority is None else np.nan_to_num(np.asarray(priority, dtype=np.float64), nan=-np.inf)
    clusters = [_cluster(group.tolist(), size, rank) for group in groups if len(group) > 1]
    return sorted(clusters, key=lambda cluster: cluster.members)


def _cluster(members: Iterable[int], size: Floats, rank: Floats | None) -> Cluster:
    index = np.array(sorted(members))
    inside = size[np.ix_(index, index)]
    others = inside[~np.eye(len(index), dtype=bool)].reshape(len(index), -1)
    best = int(np.argmax(others.mean(axis=1) if rank is None else rank[index]))
    return Cluster(tuple(index.tolist()), int(index[best]), float(others.min()))
