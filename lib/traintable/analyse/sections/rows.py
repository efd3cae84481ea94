"""The sections that look at rows: at a sample of them, and, to be scored, at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from traintable.analyse.document import Anomalies, Hint, Importance, Scan
from traintable.analyse.rows.context import Context

ROW_SECTIONS = ("anomalies", "importance", "hints")


@dataclass
class RowSections:
    """The sections by name; None, or empty, where one was not wanted or there was nothing to learn from."""

    anomalies: Anomalies | None = None
    importance: Importance | None = None
    hints: Sequence[Hint] = ()


def describe_rows(context: Context, wanted: Sequence[str], scans: list[Scan]) -> RowSections:
    """The `wanted` sections; what they have read is added to `scans`. One pass for the sample, one to score rows."""
    sections = RowSections()
    if not context.statistics.n_rows or not context.features or not wanted:
        return sections
    from traintable.analyse import anomalies, hints, importance

    sample, place = _arrow_scan("a sample of rows", 0), len(scans)
    scans.append(sample)
    if "importance" in wanted:
        sections.importance = cast("Importance | None", importance.measure(context))
        if sections.importance is not None:
            sections.importance["scan"] = place
    if "hints" in wanted:
        sections.hints = cast("list[Hint]", hints.find(context, sections.importance))
        for hint in sections.hints:
            hint["scan"] = place
    if "anomalies" in wanted:
        sections.anomalies = cast("Anomalies | None", anomalies.find(context))
        scans.append(_arrow_scan("rows scored", context.statistics.n_rows))
        if sections.anomalies is not None:
            sections.anomalies["scan"] = [place, len(scans) - 1]
    if "rows" in vars(context):  # the sample was drawn
        sample["rows"] = len(context.rows.is_train)
    return sections


def _arrow_scan(what: str, n_rows: int) -> Scan:
    return {"what": what, "rows": n_rows, "engine": "arrow", "jobs": 1, "bytes": None}
