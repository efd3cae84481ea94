"""The result of a check of the machine or of a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class CheckResult:
    """One check: its subject, whether it is well, what was found, and the fix when it is not well."""

    check: str
    ok: bool
    found: str
    fix: str = ""

    def line(self) -> str:
        """For a person."""
        head = f"{'ok  ' if self.ok else 'FAIL'}  {self.check:<18} {self.found}"
        return head if self.ok else f"{head}\n      fix: {self.fix}"

    def to_dict(self) -> dict[str, str | bool]:
        """For the JSON line."""
        return asdict(self)
