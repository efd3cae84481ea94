"""The sections of the page: which there are, and why one has nothing to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traintable.analyse.report.figures import figure

Profile = Mapping[str, Any]

# What else a headline may call a section.
_ALSO = {
    "outliers": "anomalies",
    "time": "coverage",
    "class_balance": "imbalance",
    "balance": "imbalance",
    "association": "associations",
    "hypothesis": "tests",
    "leakage": "leaks",
}


@dataclass(frozen=True)
class Section:
    """One part of the page; `absent` says in one line why there is nothing to show, "" where there is."""

    id: str
    title: str
    absent: str
    source: str


TITLES = {
    "overview": "Overview",
    "columns": "Columns",
    "missingness": "Missing values",
    "imbalance": "Class balance",
    "associations": "Associations",
    "coverage": "Time coverage",
    "anomalies": "Outliers and anomalies",
    "importance": "Feature importance",
    "hints": "Feature hints",
    "leaks": "Suspected leaks",
    "drift": "Drift",
    "tests": "Tests",
    "embedding": "Embedding",
    "plan": "Plan",
    "sources": "Where the numbers come from",
}


def sections(profile: Profile, plan: Any) -> list[Section]:
    """All sections in their order; the embedding is left out of the menu until there is one."""
    why = _absences(profile, plan)
    return [Section(id_, title, why.get(id_, ""), source(profile, id_)) for id_, title in TITLES.items()]


def target(headline: Mapping[str, Any], numbers: Mapping[str, int]) -> str:
    """The anchor that a headline leads to: a section, or the panel of the column it is about."""
    section = str(headline.get("section") or "")
    section = _ALSO.get(section, section)
    about = [name for name in headline.get("columns") or () if name in numbers]
    if about and section not in TITLES.keys() - {"columns"}:
        return f"column-{numbers[about[0]]}"
    return section if section in TITLES else "overview"


def source(profile: Profile, section: str) -> str:
    """From which scans a section's numbers come, in words; "" for sections without numbers of their own."""
    if section in ("overview", "embedding", "plan", "sources"):
        return ""
    columns = profile.get("columns") or []
    parts: Mapping[str, Any] = {
        "columns": columns,
        "coverage": [column for column in columns if column.get("coverage")],
    }
    part = parts.get(section) or profile.get(section)
    scans: set[int] = set()
    for item in part if isinstance(part, list) else [part]:
        scan = item.get("scan") if isinstance(item, Mapping) else None
        scans.update([] if scan is None else [scan] if isinstance(scan, int) else scan)
    return scans_in_words(profile, sorted(scans)) or "scans that the profile does not name here"


def scans_in_words(profile: Profile, scan: int | Sequence[int] | None) -> str:
    """Words such as "scan 1: columns one by one", also for several; "" when none is named."""
    numbers = [] if scan is None else [scan] if isinstance(scan, int) else list(scan)
    scans = profile.get("scans") or []
    told = [f"scan {n + 1}: {scans[n].get('what', '')}" for n in numbers if isinstance(n, int) and 0 <= n < len(scans)]
    return ", ".join(told)


def _absences(profile: Profile, plan: Any) -> dict[str, str]:
    columns = profile.get("columns") or []
    checks = {
        "overview": (True, ""),
        "columns": (bool(columns), "The table has no columns."),
        "missingness": (_has_missing(profile), _no_missing(profile)),
        "imbalance": (bool(profile.get("imbalance")), _no_classes(profile)),
        "associations": (_has_pairs(profile), "There are no two columns whose association can be measured."),
        "coverage": (any(column.get("coverage") for column in columns), "No column holds times."),
        "anomalies": (
            bool(profile.get("anomalies")) or any(column.get("outliers") for column in columns),
            "No column of numbers to look for outliers in, and no anomalies were looked for.",
        ),
        "importance": (bool(profile.get("importance")), _no_model(profile)),
        "hints": (bool(profile.get("hints")), "Nothing was found that gains over the columns as they are."),
        "leaks": (
            bool(profile.get("leaks")),
            "No leak is suspected." if profile.get("label") else "No label, so none was looked for.",
        ),
        "drift": (bool(profile.get("drift")), "No other table or version was given to compare with."),
        "tests": (bool(profile.get("tests")), "No test applies: tests need a label and columns that vary."),
        "embedding": (bool(profile.get("embedding")), "No embedding was computed."),
        "plan": (plan is not None, "No plan was given to this report."),
        "sources": (bool(profile.get("scans")), "The profile names no scan."),
    }
    return {section: reason for section, (present, reason) in checks.items() if not present}


def _has_missing(profile: Profile) -> bool:
    patterns = (profile.get("missingness") or {}).get("patterns") or []
    columns = profile.get("columns") or []
    return any(pattern.get("columns") for pattern in patterns) or any(column.get("n_null") for column in columns)


def _no_missing(profile: Profile) -> str:
    rows = profile.get("rows") or 0
    return f"No value is missing in {figure(rows)} rows." if rows else "The table has no rows."


def _has_pairs(profile: Profile) -> bool:
    found = profile.get("associations") or {}
    return len(found.get("numbers") or ()) > 1 or len(found.get("categories") or ()) > 1 or bool(found.get("mixed"))


def _no_classes(profile: Profile) -> str:
    if not profile.get("label"):
        return "No label was given, so there are no classes to balance."
    return "The label has no classes to balance: it is continuous, or no row has one."


def _no_model(profile: Profile) -> str:
    if not profile.get("label"):
        return "No label was given, so there is nothing to be important for."
    return "Importance was not measured for this profile."
