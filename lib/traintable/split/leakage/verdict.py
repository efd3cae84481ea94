"""Which findings stop a run, and which the configuration allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traintable.config.leakage import Allowed
from traintable.errors import GateRefused
from traintable.split.leakage.finding import LeakFinding


def allowed_because(finding: LeakFinding, allowed: Sequence[Allowed]) -> str | None:
    """Why a finding is allowed; None when it is not."""
    return next((a.because for a in allowed if a.covers(finding.check, finding.columns)), None)


def manifest_findings(findings: Sequence[LeakFinding], allowed: Sequence[Allowed] = ()) -> list[dict[str, Any]]:
    """The findings for the manifest, each allowed one with the reason."""
    described = []
    for finding in findings:
        reason = allowed_because(finding, allowed)
        described.append({**finding.to_dict(), **({"allowed_because": reason} if reason else {})})
    return described


def refuse_severe(findings: Sequence[LeakFinding], allowed: Sequence[Allowed] = (), *, table: str) -> None:
    """Raise GateRefused for severe findings that are not allowed, with all of them in the message."""
    severe = [f for f in findings if f.severity == "severe" and allowed_because(f, allowed) is None]
    if severe:
        first = severe[0]
        names = f"columns: [{', '.join(first.columns)}], " if first.columns else ""
        raise GateRefused(
            where=f"table {table}",
            expected="no leak between the label or the held-out rows and what is learned from",
            found="; ".join(str(finding) for finding in severe),
            remedy="Nothing was published. What is no leak can be allowed, with the reason: "
            f"`leakage.allow: [{{check: {first.check}, {names}because: ...}}]`.",
        )
