"""Which findings stop a run, and which the configuration allows."""

from __future__ import annotations

from collections.abc import Sequence

from traintable.config.leakage import Allowed
from traintable.delta.manifest import LeakageFinding
from traintable.errors import GateRefused
from traintable.split.leakage.finding import LeakFinding


def allowed_because(finding: LeakFinding, allowed: Sequence[Allowed]) -> str | None:
    """Why a finding is allowed; None when it is not."""
    return next((a.because for a in allowed if a.covers(finding.check, finding.columns)), None)


def manifest_findings(findings: Sequence[LeakFinding], allowed: Sequence[Allowed] = ()) -> list[LeakageFinding]:
    """The findings for the manifest, each allowed one with the reason; costs no pass.

    Examples
    --------
    >>> from traintable import split
    >>> finding = split.LeakFinding("predictors", "severe", ("refunded",), "its value tells the label", "Leave it out.")
    >>> split.manifest_findings([finding])[0]["columns"]
    ['refunded']
    """
    records = []
    for finding in findings:
        record = finding.to_dict()
        reason = allowed_because(finding, allowed)
        if reason:
            record["allowed_because"] = reason
        records.append(record)
    return records


def refuse_severe(findings: Sequence[LeakFinding], allowed: Sequence[Allowed] = (), *, table: str) -> None:
    """Raise GateRefused for severe findings that are not allowed, with all of them in the message.

    Examples
    --------
    >>> from traintable import split
    >>> finding = split.LeakFinding("predictors", "severe", ("refunded",), "its value tells the label", "Leave it out.")
    >>> split.refuse_severe([finding], table="visits")
    Traceback (most recent call last):
    ...
    traintable.errors.GateRefused: table visits: expected no leak ...
    """
    severe = [f for f in findings if f.severity == "severe" and allowed_because(f, allowed) is None]
    if severe:
        first = severe[0]
        names = f"columns: [{', '.join(first.columns)}], " if first.columns else ""
        raise GateRefused(
            where=f"table {table}",
            expected="no leak between the label or the held-out rows and what is learned from",
            found="; ".join(map(str, severe)).removesuffix("."),
            remedy="Nothing was published. Allow what is not a leak, with the reason: "
            f"`leakage.allow: [{{check: {first.check}, {names}because: ...}}]`.",
        )
