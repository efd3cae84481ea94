"""Guards against leaks: what train knows of the held-out rows, and what features know of the answer."""

from traintable.config.leakage import Limits
from traintable.split.leakage.examine import examine
from traintable.split.leakage.finding import Finding
from traintable.split.leakage.unavailable import refuse_unavailable, unavailable
from traintable.split.leakage.verdict import described, refuse_severe

__all__ = ["Finding", "Limits", "described", "examine", "refuse_severe", "refuse_unavailable", "unavailable"]
