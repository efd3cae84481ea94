"""Guards against leaks: what train knows of the held-out rows, and what features know of the answer."""

from traintable.config.leakage import Limits
from traintable.split.leakage.examine import examine
from traintable.split.leakage.finding import LeakFinding
from traintable.split.leakage.unavailable import refuse_unavailable, unavailable_features
from traintable.split.leakage.verdict import manifest_findings, refuse_severe

__all__ = [
    "LeakFinding",
    "Limits",
    "examine",
    "manifest_findings",
    "refuse_severe",
    "refuse_unavailable",
    "unavailable_features",
]
