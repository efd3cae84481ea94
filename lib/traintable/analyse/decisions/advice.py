"""What a plan can't decide by itself: classes, metrics, the split, and too few rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW_ROWS = 1_000


def advice(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Sentences by subject; a subject without one is not there."""
    found = {
        "classes": _classes(profile),
        "metrics": list((profile["imbalance"] or {}).get("metrics") or []),
        "split": _split(profile),
        "rows": _rows(profile),
    }
    return {subject: sentences for subject, sentences in found.items() if sentences}


def _classes(profile: Mapping[str, Any]) -> list[str]:
    balance = profile["imbalance"]
    return list(balance.get("advice") or []) if balance else []


def _split(profile: Mapping[str, Any]) -> list[str]:
    found = []
    times = [c for c in profile["columns"] if c["kind"] == "time" and c.get("coverage")]
    if times:
        covered = times[0]["coverage"]
        found.append(
            f"Rows have a time, '{times[0]['name']}' from {covered['first']} to {covered['last']}: split by time if the"
            " model will predict what comes after."
        )
    keys = [c["name"] for c in profile["columns"] if _repeats(c, profile["rows"])]
    if keys:
        found.append(
            f"Values of {', '.join(map(repr, keys[:3]))} come back in many rows: split by group if rows of one value"
            " are alike beyond their features."
        )
    return found


def _repeats(column: Mapping[str, Any], n_rows: int) -> bool:
    """Whether a category has so many values, each with some rows, that it may name things rather than kinds."""
    if column["kind"] not in ("category", "text") or column["role"] != "feature" or not column["distinct"]:
        return False
    distinct = column["distinct"]["value"]
    return bool(distinct > 1_000 and 2 * distinct < n_rows)


def _rows(profile: Mapping[str, Any]) -> list[str]:
    if profile["rows"] >= FEW_ROWS:
        return []
    return [
        f"{profile['rows']:,} rows are few: prefer folds to one validation part, and read all intervals here first."
    ]
