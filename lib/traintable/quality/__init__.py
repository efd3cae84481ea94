"""Decide with Great Expectations whether rows may be published."""

from traintable.quality.gate import Verdict, audit, check
from traintable.quality.suite import build_suite, require_classes, require_known

__all__ = ["Verdict", "audit", "build_suite", "check", "require_classes", "require_known"]
