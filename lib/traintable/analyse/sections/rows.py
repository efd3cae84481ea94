"""The sections that look at rows: at a sample of them, and, to be scored, at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traintable.analyse.document import Anomalies, Hint, Importance, Scan
from traintable.analyse.rows.context import AnalysisContext

ROW_SECTIONS = ("anomalies", "importance", "hints")


@dataclass
class RowSections:
    """The sections by name; None, or empty, where one was not wanted or there was nothing to learn from."""

    anomalies: Anomalies | None = None
    importance: Importance | None = None
    hints: Sequence[Hint] = ()


def describe_rows(context: AnalysisContext, wanted: Sequence[str], scans: list[Scan]) -> RowSections:
    """The `wanted` sections; what they have read is added to `scans`. One pass for the sample, one to score rows."""
    sections = RowSections()
    if not context.statistics.n_rows or not context.features or not wanted:
        return sections
    from traintable.analyse.anomalies import detect_anomalies
    from traintable.analyse.hints import collect_hints
    from traintable.analyse.importance import permutation_importance

    sample, place = _arrow_scan("a sample of rows", 0), len(scans)
    scans.append(sample)
    if "importance" in wanted:
        sections.importance = permutation_importance(context)
        if sections.importance is not None:
            sections.importance["scan"] = place
    if "hints" in wanted:
        sections.hints = collect_hints(context, sections.importance)
        for hint in sections.hints:
            hint["scan"] = place
    if "anomalies" in wanted:
        sections.anomalies = detect_anomalies(context)
        scans.append(_arrow_scan("rows scored", context.statistics.n_rows))
        if sections.anomalies is not None:
            sections.anomalies["scan"] = [place, len(scans) - 1]
    if "sample" in vars(context):  # it was drawn
        sample["rows"] = len(context.sample)
    return sections


def _arrow_scan(what: str, n_rows: int) -> Scan:
    return {"what": what, "rows": n_rows, "engine": "arrow", "jobs": 1, "bytes": None}
