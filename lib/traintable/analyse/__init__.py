"""What is known of a table before a model is trained on it, and what follows from that.

`profile` describes a table in two scans, and `compare` compares two tables in one scan of each. Tests and associations
are computed from statistics that were learned already: no rows, no pass over data.

| module | does |
| --- | --- |
| `profile` | the way through: scans, sections, headlines |
| `document` | the types of the profile's document, and its JSON Schema |
| `scans` | what is learned of all rows |
| `sections` | the parts of the profile, made of that |
| `association`, `hypothesis` | measures and tests of columns, from counts and moments |
| `rows` | a sample of rows, for what needs rows |
| `anomalies`, `importance`, `hints`, `mahalanobis` | what is learned from that sample |
| `drift` | the comparison with another table, or an earlier version |
| `decisions` | the plan that follows from a profile |
| `report` | the profile and the plan as a page |
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
