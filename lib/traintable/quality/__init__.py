"""Decide with Great Expectations whether rows may be published."""

from traintable.quality.audit import audit, looked_at, prepared
from traintable.quality.classes import require_classes
from traintable.quality.feature_drift import drift
from traintable.quality.gate import check
from traintable.quality.suite import require_known
from traintable.quality.summary import Summary
from traintable.quality.tally import Tally
from traintable.quality.verdict import Verdict

__all__ = [
    "Summary",
    "Tally",
    "Verdict",
    "audit",
    "check",
    "drift",
    "looked_at",
    "prepared",
    "require_classes",
    "require_known",
]
