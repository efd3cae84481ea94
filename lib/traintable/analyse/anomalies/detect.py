"""The profile's section of anomalies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from traintable.analyse.anomalies.model import AnomalyModel, fit_anomaly_model
from traintable.analyse.anomalies.period_counts import period_counter
from traintable.analyse.anomalies.period_grid import period_grid
from traintable.analyse.anomalies.period_scores import score_periods
from traintable.analyse.anomalies.tally import BINS, HighRow, Scorers, Tally, tally_rows
from traintable.analyse.document import Anomalies, MahalanobisDistances, UnusualRow
from traintable.analyse.mahalanobis import Ellipsoid, ellipsoid
from traintable.arrays import Floats

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

RARE = 0.001  # the share of rows beyond the limit of distances, were they normal
DISTANCE_BINS = 50


def detect_anomalies(context: AnalysisContext) -> Anomalies | None:
    """Find rows and periods that do not look like the others; None where there is nothing to compare.

    An isolation forest is fitted to the sample's rows of train, and all rows are scored by it; squared Mahalanobis
    distances are counted, and the features in each period are compared with the periods before it (see
    `score_periods`). Costs one pass over all rows, after that of the sample. The same rows in any layout give the same.
    """
    if not context.features or not context.statistics.n_rows:
        return None
    model = fit_anomaly_model(context)
    shape = ellipsoid(context.statistics.gram, _numbers_with_covariance(context))
    grid = period_grid(context)
    counter = period_counter(context, grid) if grid else None
    if model is None and shape is None and counter is None:
        return None
    edges = _edges(shape) if shape else np.zeros(1)
    tally = tally_rows(context, Scorers(model, shape, edges, counter))
    anomalies = _forest_section(context, model, tally) if model else _no_forest()
    anomalies["mahalanobis"] = _distance_section(shape, edges, tally) if shape else None
    anomalies["period"] = grid.kind if grid else None
    anomalies["by_time"] = score_periods(counter, tally.by_period) if counter else []
    return anomalies


def _numbers_with_covariance(context: AnalysisContext) -> list[str]:
    return [name for name in context.statistics.gram.columns if name in context.numbers]


def _edges(shape: Ellipsoid) -> Floats:
    """Edges of squared distances, up to the limit that a share `RARE` of normal rows would be beyond."""
    from scipy.stats import chi2  # type: ignore[import-untyped]

    return np.linspace(0.0, float(chi2.isf(RARE, shape.rank)), DISTANCE_BINS + 1)


def _no_forest() -> Anomalies:
    return {
        "method": None,
        "sample_rows": 0,
        "features": [],
        "n": 0,
        "threshold": None,
        "scores": None,
        "rows": [],
        "mahalanobis": None,
        "period": None,
        "by_time": [],
    }


def _forest_section(context: AnalysisContext, model: AnomalyModel, tally: Tally) -> Anomalies:
    return {
        **_no_forest(),
        "method": "isolation forest",
        "trees": len(model.forest.trees),
        "sample_rows": int(context.sample.is_train.sum()),
        "features": list(model.encoder.columns),
        "n": int(tally.scores[BINS]),
        "threshold": model.threshold,
        "scores": {"edges": [i / BINS for i in range(BINS + 1)], "counts": tally.scores[:BINS].tolist()},
        "rows": [_unusual_row(context.key, row) for row in tally.rows],
    }


def _unusual_row(key: tuple[str, ...], row: HighRow) -> UnusualRow:
    content = json.loads(row.row)
    return {
        "key": dict(zip(key, content["key"], strict=True)),
        "score": -row.minus_score,
        "because": content["because"],
        "n": row.n,
    }


def _distance_section(shape: Ellipsoid, edges: Floats, tally: Tally) -> MahalanobisDistances:
    return {
        "columns": list(shape.columns),
        "rank": shape.rank,
        "p_value": RARE,
        "limit": float(edges[-1]),
        "n": int(tally.distances[-1]),
        "expected": RARE * int(tally.distances.sum()),
        "distances": {"edges": edges.tolist(), "counts": tally.distances[:-1].tolist()},
    }
