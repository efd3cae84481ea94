"""What the gate found about a single rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from traintable.delta.manifest import FailedRule
from traintable.quality.suite import Rule

Level = Literal["warn", "quarantine", "fail"]
THE_TABLE = "the table"


@dataclass(frozen=True)
class RuleResult:
    """The result of a rule.

    Attributes
    ----------
    id : the name of the rule, by which reasons of quarantined rows and the configuration refer to it.
    rule : what is expected; for an expectation of Great Expectations its type.
    success : whether the rule holds.
    found : what was found, in words, without values of private columns.
    level : what happens when the rule does not hold.
    column : the column or columns that the rule is about.
    arguments : the other arguments of the rule.
    rows : how many rows break a rule on single rows; None for other rules.
    remedy : what to do, where that is not what a Verdict always says.
    """

    id: str
    rule: str
    success: bool
    found: str
    level: Level = "fail"
    column: str | list[str] = THE_TABLE
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    remedy: str | None = None

    @classmethod
    def of_validation(cls, rule: Rule, validation: Mapping[str, Any], private: Collection[str]) -> RuleResult:
        """The result of an expectation, from what Great Expectations says of it in JSON.

        No values are shown of columns that are `private`.
        """
        result = validation.get("result") or {}
        kwargs = rule.expectation.kwargs
        is_private = not set(rule.columns).isdisjoint(private)
        return cls(
            id=rule.id,
            rule=rule.expectation.type,
            success=bool(validation["success"]),
            found=_describe(result, is_private),
            level=rule.expectation.level,
            column=kwargs.get("column") or kwargs.get("column_list") or THE_TABLE,
            arguments={name: value for name, value in kwargs.items() if name not in ("column", "column_list")},
            rows=result["unexpected_count"] if _is_on_rows(result) else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON: in the gate's result, and on its page."""
        described = {
            "id": self.id,
            "rule": self.rule,
            "column": self.column,
            "level": self.level,
            "success": self.success,
            "found": self.found,
            "arguments": dict(self.arguments),
            "rows": self.rows,
        }
        return described if self.remedy is None else {**described, "remedy": self.remedy}

    def summary(self) -> FailedRule:
        """For the manifest: without arguments and counts."""
        return {"id": self.id, "rule": self.rule, "column": self.column, "level": self.level, "found": self.found}


def _is_on_rows(result: Mapping[str, Any]) -> bool:
    return "element_count" in result


def _describe(result: Mapping[str, Any], is_private: bool) -> str:
    """What Great Expectations found, in words; no values where they are private."""
    if _is_on_rows(result):
        described = f"{result['unexpected_count'] or 0:,} of {result['element_count']:,} rows break it"
        examples = result.get("partial_unexpected_list")
        return described + (f", for example {examples}" if examples and not is_private else "")
    if is_private:
        return "values that are not shown, because the column may identify a person"
    if result.get("partial_missing_list"):
        return f"missing {result['partial_missing_list']}"
    if result.get("partial_unexpected_list"):
        return f"also {result['partial_unexpected_list']}"
    return f"{result.get('observed_value')}"
