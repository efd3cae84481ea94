"""What becomes of a category: how it is encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traintable.analyse.decisions.numbers import Made, tell_importance

FEW_WORDS = 50  # at most so many get a feature each
MANY_WORDS = 10_000  # more have too few rows each for a mean


def of_category(column: Mapping[str, Any], profile: Mapping[str, Any]) -> Made:
    """The features that a category becomes; nothing is left out."""
    distinct = int(column["distinct"]["value"])
    because = [f"{distinct:,} different values"]
    entry: dict[str, Any]
    alternatives: list[dict[str, Any]]
    if distinct <= FEW_WORDS:
        entry, alternatives = {"encode": "one_hot"}, [{"encode": "ordinal"}]
    elif distinct <= MANY_WORDS and _has_numeric_label(profile):
        entry, alternatives = {"encode": "target"}, [{"encode": "hashing", "n_buckets": 64}, {"encode": "frequency"}]
    elif distinct <= MANY_WORDS:
        entry, alternatives = {"encode": "frequency"}, [{"encode": "hashing", "n_buckets": 64}]
    else:
        entry, alternatives = {"encode": "hashing", "n_buckets": 256}, [{"encode": "frequency"}]
    _tidy(column, entry, because)
    _rare(column, profile, entry, because)
    missing = 1 - column["n"] / profile["rows"] if profile["rows"] else 0.0
    if missing:
        because.append(f"{missing:.2%} of the rows have no value, which has a place of its own")
    tell_importance(column, profile, because, alternatives)
    return {column["name"]: {**entry, "because": "; ".join(because), "alternatives": alternatives}}, None


def _has_numeric_label(profile: Mapping[str, Any]) -> bool:
    """Whether the mean of the label means something: numbers, or classes 0 and 1."""
    found = next((c for c in profile["columns"] if c["name"] == profile["label"]), None)
    return bool(found and found["kind"] in ("number", "boolean"))


def _tidy(column: Mapping[str, Any], entry: dict[str, Any], because: list[str]) -> None:
    mixed = next((flag["text"] for flag in column["flags"] if flag["flag"] == "mixed_formats"), None)
    if mixed is not None:
        entry["trim"] = True
        because.append(f"mixed formats: {mixed.rstrip('.')}")


def _rare(column: Mapping[str, Any], profile: Mapping[str, Any], entry: dict[str, Any], because: list[str]) -> None:
    """Rare values are taken together where a hint says that this costs nothing."""
    if entry["encode"] not in ("one_hot", "ordinal", "frequency"):
        return
    for hint in profile["hints"] or []:
        if hint["hint"] == "rare_categories" and hint["columns"] == [column["name"]]:
            entry["min_frequency"] = hint["plan"]["features"][column["name"]]["min_frequency"]
            because.append(hint["text"].rstrip("."))
