"""Which values are missing together."""

from __future__ import annotations

import numpy as np

from traintable.analyse.document import Missingness
from traintable.arrays import Floats, Ints
from traintable.statistics import Statistics
from traintable.statistics.missingness import Missingness as MissingnessState

PATTERNS = 30
PAIRS = 50
LEAST_PHI = 0.1
MAX_COLUMNS = 400


def describe_missingness(learned: Statistics) -> Missingness:
    """The most frequent patterns, and the pairs of columns whose missing values go together most (phi coefficient).

    A value that is null, NaN, or infinite is missing.
    """
    state = learned.missingness
    patterns = [(names, n) for names, n in state.most_frequent(PATTERNS + 1) if names][:PATTERNS]
    n_complete = state.patterns.get(bytes((len(state.columns) + 7) // 8), 0)
    return {
        "patterns": [{"columns": list(names), "rows": n} for names, n in patterns],
        "complete_rows": n_complete,
        "other_patterns": learned.n_rows - n_complete - sum(n for _, n in patterns),
        "error": state.n_other,
        "missing": {c: int(n) for c, n in zip(state.columns, state.n_missing, strict=True) if n},
        "scan": 0,
        "together": _missing_together(state, learned.n_rows),
    }


def _missing_together(state: MissingnessState, n_rows: int) -> list[tuple[str, str, float]]:
    """Pairs of columns with phi of "is missing", the largest in size first; from the patterns that are kept."""
    n_missing = state.n_missing
    varying = np.flatnonzero((n_missing > 0) & (n_missing < n_rows))
    used = np.sort(varying[np.argsort(-n_missing[varying], kind="stable")][:MAX_COLUMNS])
    if len(used) < 2:
        return []
    phi = _phi(state, used)
    i, j = np.triu_indices(len(used), 1)
    sizes = np.abs(phi[i, j])
    order = [k for k in np.argsort(-sizes, kind="stable")[:PAIRS].tolist() if sizes[k] >= LEAST_PHI]
    names = [state.columns[k] for k in used]
    return [(names[i[k]], names[j[k]], round(float(phi[i[k], j[k]]), 6)) for k in order]


def _phi(state: MissingnessState, used: Ints) -> Floats:
    """Pearson correlation of the indicators, shape (columns used, columns used); 0 where one does not vary."""
    bits = np.array([np.unpackbits(np.frombuffer(pattern, np.uint8))[used] for pattern in state.patterns], np.float64)
    weights = np.fromiter(state.patterns.values(), np.float64, len(state.patterns))
    n = weights.sum()
    both, single = (bits * weights[:, None]).T @ bits / n, bits.T @ weights / n
    covariance = both - np.outer(single, single)
    spread = np.sqrt(single * (1 - single))
    scale = np.outer(spread, spread)
    return np.asarray(np.where(scale > 0, covariance / np.where(scale > 0, scale, 1), 0.0))
