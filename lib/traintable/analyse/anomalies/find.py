"""The profile's section of anomalies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.anomalies.cells import cells
from traintable.analyse.anomalies.grid import grid
from traintable.analyse.anomalies.model import AnomalyModel, fit_anomalies
from traintable.analyse.anomalies.periods import strange_periods
from traintable.analyse.anomalies.scoring import BINS, Answer, Question, ask
from traintable.analyse.mahalanobis import Ellipsoid, ellipsoid
from traintable.arrays import Floats

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

RARE = 0.001  # the share of rows beyond the limit of distances, were they normal
DISTANCE_BINS = 50


def find(context: Context) -> dict[str, Any] | None:
    """Rows and periods that do not look like the others; None where there is nothing to compare.

    An isolation forest is fitted to the sample's rows of train, and all rows are scored by it; squared Mahalanobis
    distances are counted, and what the features are like in each period is compared with the periods before. One pass
    over all rows, after that of the sample. The same rows in any layout give the same.

    Returns
    -------
    dict
        method, trees, sample_rows, features, threshold, n : the forest; rows it was fitted to, from which score a row
            is an anomaly, and how many are.
        scores : {"edges", "counts"}, of all rows, exact.
        rows : the 20 highest scores, whether from the threshold on or not: {"key", "score", "because": [[column, steps
            by which it shortens the path], ...], "n": equal rows}. Of a row only its key is shown.
        mahalanobis : {"columns", "rank", "p_value", "limit", "n", "expected", "distances"}: how many rows are beyond
            the limit that a share `p_value` of normal rows would be beyond; None where no number varies.
        period : by which the rows are divided in time, or None.
        by_time : see `strange_periods`.
    """
    if not context.features or not context.statistics.n_rows:
        return None
    model = fit_anomalies(context)
    shape = ellipsoid(context.statistics.gram, _together(context))
    periods = grid(context)
    counted = cells(context, periods) if periods else None
    edges = _edges(shape) if shape else np.zeros(1)
    if model is None and shape is None and counted is None:
        return None
    answer = ask(context, Question(model, shape, edges, counted))
    return {
        **_of_forest(context, model, answer),
        "mahalanobis": _of_distances(shape, edges, answer) if shape else None,
        "period": periods.kind if periods else None,
        "by_time": strange_periods(counted, answer.cells) if counted else [],
    }


def _together(context: Context) -> list[str]:
    return [name for name in context.statistics.gram.columns if name in context.numbers]


def _edges(shape: Ellipsoid) -> Floats:
    from scipy.stats import chi2  # type: ignore[import-untyped]

    return np.linspace(0.0, float(chi2.isf(RARE, shape.rank)), DISTANCE_BINS + 1)


def _of_forest(context: Context, model: AnomalyModel | None, answer: Answer) -> dict[str, Any]:
    if model is None:
        return {"method": None, "sample_rows": 0, "features": [], "n": 0, "threshold": None, "scores": None, "rows": []}
    return {
        "method": "isolation forest",
        "trees": len(model.forest.trees),
        "sample_rows": int(context.rows.is_train.sum()),
        "features": list(model.encoding.columns),
        "n": int(answer.scores[BINS]),
        "threshold": model.threshold,
        "scores": {"edges": [i / BINS for i in range(BINS + 1)], "counts": answer.scores[:BINS].tolist()},
        "rows": [
            {
                "key": dict(zip(context.key, json.loads(row)["key"], strict=True)),
                "score": -score,
                "because": json.loads(row)["because"],
                "n": n,
            }
            for score, _, row, n in answer.rows
        ],
    }


def _of_distances(shape: Ellipsoid, edges: Floats, answer: Answer) -> dict[str, Any]:
    return {
        "columns": list(shape.columns),
        "rank": shape.rank,
        "p_value": RARE,
        "limit": float(edges[-1]),
        "n": int(answer.distances[-1]),
        "expected": RARE * int(answer.distances.sum()),
        "distances": {"edges": edges.tolist(), "counts": answer.distances[:-1].tolist()},
    }
