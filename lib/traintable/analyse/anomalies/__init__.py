"""Rows, and periods of time, that do not look like the others."""

from traintable.analyse.anomalies.find import find
from traintable.analyse.anomalies.learn import isolation_forest
from traintable.analyse.anomalies.model import AnomalyModel, fit_anomalies
from traintable.analyse.anomalies.rows import score_anomalies

__all__ = ["AnomalyModel", "find", "fit_anomalies", "isolation_forest", "score_anomalies"]
