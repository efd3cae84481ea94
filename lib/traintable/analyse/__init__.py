"""What is known of a table before a model is trained on it, and what follows from that.

`profile` describes it in two scans, and `compare` holds it against another in one of each. Tests and associations are
computed from statistics that were learned already: no rows, no pass over data.
"""

from traintable.analyse.anomalies import AnomalyModel, isolation_forest, score_anomalies
from traintable.analyse.document import ProfileDocument, profile_schema
from traintable.analyse.drift.compare import compare
from traintable.analyse.hypothesis.moments import Moments
from traintable.analyse.hypothesis.multiple_testing import adjust_p_values
from traintable.analyse.hypothesis.result import Effect, TestResult
from traintable.analyse.mahalanobis import mahalanobis
from traintable.analyse.profile import Profile, profile

__all__ = [
    "AnomalyModel",
    "Effect",
    "Moments",
    "Profile",
    "ProfileDocument",
    "TestResult",
    "adjust_p_values",
    "association",
    "compare",
    "decisions",
    "document",
    "drift",
    "hypothesis",
    "isolation_forest",
    "mahalanobis",
    "profile",
    "profile_schema",
    "report",
    "score_anomalies",
]
