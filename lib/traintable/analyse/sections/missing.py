"""Which values are missing together."""

from __future__ import annotations

from typing import Any

import numpy as np

from traintable.arrays import Floats
from traintable.statistics import Statistics
from traintable.statistics.missingness import Missingness

PATTERNS = 30
PAIRS = 50
LEAST_PHI = 0.1
MAX_COLUMNS = 400


def describe(learned: Statistics) -> dict[str, Any]:
    """The most frequent patterns, and the pairs of columns whose missing values go together most (phi coefficient).

    A value that is null, not a number, or infinite is missing.
    """
    known = learned.missingness
    patterns = [(names, n) for names, n in known.most_frequent(PATTERNS + 1) if names][:PATTERNS]
    n_complete = known.patterns.get(bytes((len(known.columns) + 7) // 8), 0)
    return {
        "patterns": [{"columns": list(names), "rows": n} for names, n in patterns],
        "complete_rows": n_complete,
        "other_patterns": learned.n_rows - n_complete - sum(n for _, n in patterns),
        "error": known.n_other,
        "missing": {c: int(n) for c, n in zip(known.columns, known.n_missing, strict=True) if n},
        "scan": 0,
        "together": _together(known, learned.n_rows),
    }


def _together(known: Missingness, n_rows: int) -> list[list[Any]]:
    """Pairs of columns with phi of "is missing", the largest in size first; from the patterns that are kept."""
    n_missing = known.n_missing
    varying = np.flatnonzero((n_missing > 0) & (n_missing < n_rows))
    used = np.sort(varying[np.argsort(-n_missing[varying], kind="stable")][:MAX_COLUMNS])
    if len(used) < 2:
        return []
    phi = _phi(known, used)
    i, j = np.triu_indices(len(used), 1)
    sizes = np.abs(phi[i, j])
    order = [k for k in np.argsort(-sizes, kind="stable")[:PAIRS].tolist() if sizes[k] >= LEAST_PHI]
    names = [known.columns[k] for k in used]
    return [[names[i[k]], names[j[k]], round(float(phi[i[k], j[k]]), 6)] for k in order]


def _phi(known: Missingness, used: Any) -> Floats:
    """Pearson correlation of the indicators, shape (columns used, columns used); 0 where one does not vary."""
    bits = np.array([np.unpackbits(np.frombuffer(pattern, np.uint8))[used] for pattern in known.patterns], np.float64)
    weights = np.fromiter(known.patterns.values(), np.float64, len(known.patterns))
    n = weights.sum()
    both, alone = (bits * weights[:, None]).T @ bits / n, bits.T @ weights / n
    covariance = both - np.outer(alone, alone)
    spread = np.sqrt(alone * (1 - alone))
    scale = np.outer(spread, spread)
    return np.asarray(np.where(scale > 0, covariance / np.where(scale > 0, scale, 1), 0.0))
