"""What the gate says: which rules hold, and whether the rows may be published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from traintable.delta.manifest import GateSummary
from traintable.errors import GateRefused
from traintable.quality.rule_result import RuleResult

_REMEDY = "Nothing was published. Correct the data, or the rule in `gate` if that is wrong."
_MOST = 20  # rules that a summary names; the whole result is in a file of its own


@dataclass(frozen=True)
class Verdict:
    """The result of each rule."""

    rules: tuple[RuleResult, ...]

    def __add__(self, more: Iterable[RuleResult]) -> Verdict:
        return Verdict((*self.rules, *more))

    @property
    def refusals(self) -> list[RuleResult]:
        """Rules of level fail that do not hold."""
        return [rule for rule in self.rules if not rule.success and rule.level == "fail"]

    @property
    def warnings(self) -> list[RuleResult]:
        """Rules of other levels that do not hold."""
        return [rule for rule in self.rules if not rule.success and rule.level != "fail"]

    @property
    def n_held(self) -> int:
        """How many rules hold."""
        return sum(rule.success for rule in self.rules)

    def raise_if_refused(self, table: str, *, page: str | None = None) -> None:
        """Raise GateRefused that names the first rule that does not hold, how many others there are, and their page."""
        if not self.refusals:
            return
        first, n_others = self.refusals[0], len(self.refusals) - 1
        more = "1 more rule does not hold" if n_others == 1 else f"{n_others} more rules do not hold"
        raise GateRefused(
            where=f"gate of {table}",
            expected=f"{first.rule} of {first.column}",
            found=first.found + (f" ({more})" if n_others else ""),
            remedy=(first.remedy or _REMEDY) + (f" All rules: {page}" if page else ""),
        )

    def summary(self) -> GateSummary:
        """For the manifest."""
        return {
            "rules": len(self.rules),
            "held": self.n_held,
            "warnings": [rule.summary() for rule in self.warnings[:_MOST]],
            "refusals": [rule.summary() for rule in self.refusals[:_MOST]],
        }
