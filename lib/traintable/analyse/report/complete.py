"""A profile with all its parts, whatever the one that is to be shown lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from traintable.analyse.document import FORMAT, ColumnProfile, Missingness, ProfileDocument
from traintable.analyse.scans.columns import OTHER, AnalysedColumn
from traintable.analyse.sections.columns import blank_column

_NO_MISSINGNESS: Missingness = {
    "patterns": [],
    "complete_rows": 0,
    "other_patterns": 0,
    "error": 0,
    "missing": {},
    "scan": 0,
    "together": [],
}


def complete(profile: Mapping[str, Any] | ProfileDocument) -> ProfileDocument:
    """The profile with what it lacks, also of its columns, as if there were nothing to show; no pass."""
    whole: ProfileDocument = {
        "profile": FORMAT,
        "name": "",
        "rows": 0,
        "label": None,
        "time": None,
        "key": [],
        "scans": [],
        "columns": [],
        "missingness": _NO_MISSINGNESS,
        "imbalance": None,
        "associations": None,
        "tests": [],
        "anomalies": None,
        "importance": None,
        "hints": [],
        "leaks": [],
        "drift": None,
        "headlines": [],
    }
    document = cast("ProfileDocument", _fill(whole, profile))
    document["columns"] = [_complete_column(column) for column in document["columns"]]
    return document


def _complete_column(column: Mapping[str, Any] | ColumnProfile) -> ColumnProfile:
    return cast("ColumnProfile", _fill(blank_column(AnalysedColumn(column["name"], "", OTHER)), column))


def _fill(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    return {**whole, **{name: value for name, value in part.items() if value is not None}}
