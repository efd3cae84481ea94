"""Decide with Great Expectations whether rows may be published."""

from traintable.quality.audit import gate_columns, with_gate_columns, with_rule_columns
from traintable.quality.classes import require_classes
from traintable.quality.feature_drift import drift
from traintable.quality.gate import check
from traintable.quality.previous_version import PublishedVersion, compare_with_previous, require_allowable
from traintable.quality.rule_result import RuleResult
from traintable.quality.suite import require_known
from traintable.quality.summary import FeatureSummary
from traintable.quality.tally import Tally
from traintable.quality.verdict import Verdict

__all__ = [
    "FeatureSummary",
    "PublishedVersion",
    "RuleResult",
    "Tally",
    "Verdict",
    "audit",
    "check",
    "compare_with_previous",
    "drift",
    "gate_columns",
    "matrix",
    "page",
    "require_allowable",
    "require_classes",
    "require_known",
    "with_gate_columns",
    "with_rule_columns",
]
