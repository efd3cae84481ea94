"""Rows, and periods of time, that do not look like the others."""

from traintable.analyse.anomalies.detect import detect_anomalies
from traintable.analyse.anomalies.fit import isolation_forest
from traintable.analyse.anomalies.model import AnomalyModel, fit_anomaly_model
from traintable.analyse.anomalies.score import score_anomalies

__all__ = ["AnomalyModel", "detect_anomalies", "fit_anomaly_model", "isolation_forest", "score_anomalies"]
