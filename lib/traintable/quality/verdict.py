"""What the gate says: which rules hold, and whether the rows may be published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from traintable.errors import GateRefused

_REMEDY = "Nothing was published. Mend the data, or the rule in `gate` if it is wrong."
_MOST = 20  # rules that a summary names; the whole result lies beside the table


@dataclass(frozen=True)
class Verdict:
    """What each rule said: dictionaries with `id`, `rule`, `column`, `level`, `success`, `found`, `arguments`, `rows`.

    `rows` is how many rows are against a rule on single rows, and None for others.
    """

    rules: tuple[dict[str, Any], ...]

    def __add__(self, more: Iterable[dict[str, Any]]) -> Verdict:
        return Verdict((*self.rules, *more))

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """Rules of level fail that do not hold."""
        return [rule for rule in self.rules if not rule["success"] and rule["level"] == "fail"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Rules of other levels that do not hold."""
        return [rule for rule in self.rules if not rule["success"] and rule["level"] != "fail"]

    def raise_if_refused(self, table: str, *, page: str | None = None) -> None:
        """Raise GateRefused that names the first rule that does not hold, how many others there are, and their page."""
        if not self.refusals:
            return
        first, others = self.refusals[0], len(self.refusals) - 1
        raise GateRefused(
            where=f"gate of {table}",
            expected=f"{first['rule']} of {first['column']}",
            found=f"{first['found']}" + (f" ({others} more rules do not hold)" if others else ""),
            remedy=first.get("remedy", _REMEDY) + (f" All rules: {page}" if page else ""),
        )

    def summary(self) -> dict[str, Any]:
        """For the manifest: how many rules held, and the first of those that did not."""
        held = sum(rule["success"] for rule in self.rules)
        return {
            "rules": len(self.rules),
            "held": held,
            "warnings": [_short(rule) for rule in self.warnings[:_MOST]],
            "refusals": [_short(rule) for rule in self.refusals[:_MOST]],
        }


def _short(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: rule[name] for name in ("id", "rule", "column", "level", "found")}
