"""The sections of the page: which there are, and why one has nothing to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traintable.analyse.document import Headline, ProfileDocument
from traintable.analyse.report.figures import figure

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
    "plan": "Plan",
    "sources": "Where the numbers come from",
}


@dataclass(frozen=True)
class Section:
    """One part of the page; `absent` says in one line why there is nothing to show, "" where there is."""

    id: str
    title: str
    absent: str
    source: str


def list_sections(profile: ProfileDocument, *, has_plan: bool) -> list[Section]:
    """All sections in their order."""
    absent = {**_absent_of_table(profile), **_absent_of_rows(profile)}
    if not has_plan:
        absent["plan"] = "No plan was given to this report."
    return [Section(id_, title, absent.get(id_, ""), describe_source(profile, id_)) for id_, title in TITLES.items()]


def find_target(headline: Headline, numbers: Mapping[str, int]) -> str:
    """The anchor that a headline leads to: a section, or the panel of the column it is about."""
    section = headline["section"]
    about = [name for name in headline["columns"] if name in numbers]
    if about and section not in TITLES.keys() - {"columns"}:
        return f"column-{numbers[about[0]]}"
    return section if section in TITLES else "overview"


def describe_source(profile: ProfileDocument, section: str) -> str:
    """From which scans a section's numbers come, in words; "" for sections without numbers of their own."""
    if section in ("overview", "plan", "sources"):
        return ""
    if section == "leaks":
        return "the guards against leaks"
    return describe_scans(profile, sorted(_scans_of(profile, section))) or "scans that the profile does not list"


def _scans_of(profile: ProfileDocument, section: str) -> set[int]:
    columns = profile["columns"]
    numbers: dict[str, set[int]] = {
        "columns": {column["scan"] for column in columns},
        "coverage": {column["scan"] for column in columns if column["coverage"]},
        "missingness": {profile["missingness"]["scan"]},
        "imbalance": set(profile["imbalance"]["scan"]) if profile["imbalance"] else set(),
        "associations": set(profile["associations"]["scan"]) if profile["associations"] else set(),
        "anomalies": set(profile["anomalies"].get("scan") or ()) if profile["anomalies"] else set(),
        "importance": {profile["importance"].get("scan", -1)} if profile["importance"] else set(),
        "hints": {hint.get("scan", -1) for hint in profile["hints"]},
        "drift": {profile["drift"].get("scan", -1)} if profile["drift"] else set(),
        "tests": {test["scan"] for test in profile["tests"]},
    }
    return numbers.get(section, set())


def describe_scans(profile: ProfileDocument, numbers: Sequence[int]) -> str:
    """Words such as "scan 1: columns one by one", also for several; "" when none is known."""
    scans = profile["scans"]
    return ", ".join(f"scan {n + 1}: {scans[n]['what']}" for n in numbers if 0 <= n < len(scans))


def _absent_of_table(profile: ProfileDocument) -> dict[str, str]:
    """Section -> why it has nothing to show, of those that are made of scans of all rows."""
    columns, label = profile["columns"], profile["label"]
    absent: dict[str, str] = {}
    if not columns:
        absent["columns"] = "The table has no columns."
    if not any(pattern["columns"] for pattern in profile["missingness"]["patterns"]) and not any(
        column["n_null"] for column in columns
    ):
        rows = profile["rows"]
        absent["missingness"] = f"No value is missing in {figure(rows)} rows." if rows else "The table has no rows."
    if not profile["imbalance"]:
        absent["imbalance"] = "No label was given, so there are no classes to balance."
        if label:
            absent["imbalance"] = "The label has no classes to balance: it is continuous, or no row has one."
    if not _has_pairs(profile):
        absent["associations"] = "There are no two columns whose association can be measured."
    if not any(column["coverage"] for column in columns):
        absent["coverage"] = "No column holds times."
    if not profile["drift"]:
        absent["drift"] = "No other table or version was given to compare with."
    if not profile["tests"]:
        absent["tests"] = "No test applies: tests need a label and columns that vary."
    if not profile["scans"]:
        absent["sources"] = "The profile lists no scans."
    return absent


def _absent_of_rows(profile: ProfileDocument) -> dict[str, str]:
    """The same of the sections that look at rows, and of leaks."""
    label, absent = profile["label"], {}
    if not profile["anomalies"] and not any(column["outliers"] for column in profile["columns"]):
        absent["anomalies"] = "There is no column of numbers in which to look for outliers, and no rows were scored."
    if not profile["importance"]:
        absent["importance"] = "No label was given, so importance could not be measured."
        if label:
            absent["importance"] = "Importance was not measured for this profile."
    if not profile["hints"]:
        absent["hints"] = "No feature was found that gains over the columns as they are."
    if not profile["leaks"]:
        absent["leaks"] = "No leak is suspected." if label else "Without a label no leaks were looked for."
    return absent


def _has_pairs(profile: ProfileDocument) -> bool:
    associations = profile["associations"]
    if associations is None:
        return False
    return bool(len(associations["numbers"]) > 1 or len(associations["categories"]) > 1 or associations["mixed"])
