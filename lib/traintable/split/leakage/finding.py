"""What a guard reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from traintable.delta.manifest import LeakageFinding

Severity = Literal["severe", "warning"]
Measure = float | int | str


@dataclass(frozen=True)
class LeakFinding:
    """One leak, or what looks like one.

    Attributes
    ----------
    check : the guard that found it, as `leakage.allow` names it.
    columns : what it is about; empty where it is about rows as a whole.
    numbers : what was measured.
    """

    check: str
    severity: Severity
    columns: tuple[str, ...]
    message: str
    remedy: str
    numbers: Mapping[str, Measure] = field(default_factory=dict)

    def to_dict(self) -> LeakageFinding:
        """The finding as plain values, for the manifest."""
        return {
            "check": self.check,
            "severity": self.severity,
            "columns": list(self.columns),
            "numbers": {name: _round(value) for name, value in self.numbers.items()},
            "message": self.message,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        """One line: severity, check, columns, message, numbers, and what to do."""
        about = f" of {', '.join(map(repr, self.columns))}" if self.columns else ""
        numbers = ", ".join(f"{name} {_round(value)}" for name, value in self.numbers.items())
        line = (
            f"{self.severity}: {self.check}{about}: {self.message}{f' ({numbers})' if numbers else ''}. {self.remedy}"
        )
        return " ".join(line.split())


def _round(value: Measure) -> Measure:
    return float(f"{value:.4g}") if isinstance(value, float) else value
