"""What becomes of a number: impute, bound, transform, scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MANY_MISSING = 0.01  # from where on a feature that says so is worth its place
SKEWED = 1.0
HEAVY_TAILS = 7.0
MANY_OUTLIERS = 0.01
Made = tuple[dict[str, Any], dict[str, Any] | None]


def of_number(column: Mapping[str, Any], profile: Mapping[str, Any]) -> Made:
    """The feature that a number becomes; nothing is left out."""
    n, n_rows = column["n"], profile["rows"]
    entry: dict[str, Any] = {}
    because: list[str] = []
    missing = 1 - n / n_rows if n_rows else 0.0
    skewness, is_binary = column["skewness"] or 0.0, column["distinct"]["value"] <= 2
    if missing:
        entry["impute"] = "mode" if is_binary else "median" if abs(skewness) > SKEWED else "mean"
        because.append(f"{missing:.2%} of the rows have no value")
        if missing >= MANY_MISSING:
            entry["indicator"] = True
    alternatives: list[dict[str, Any]] = []
    if is_binary:
        because.append("two values")
    else:
        _bound(column, entry, because)
        _shape(column, profile, entry, because, alternatives)
        entry["scale"] = "robust" if "outliers" not in entry and _has_outliers(column) else "standard"
    tell_importance(column, profile, because, alternatives)
    made = {**entry, "because": "; ".join(because) or "nothing remarkable"}
    return {column["name"]: made | ({"alternatives": alternatives} if alternatives else {})}, None


def _has_outliers(column: Mapping[str, Any]) -> bool:
    beyond = column["outliers"]["iqr"] if column["outliers"] else None
    return bool(beyond and column["n"] and beyond["n"] >= MANY_OUTLIERS * column["n"])


def _bound(column: Mapping[str, Any], entry: dict[str, Any], because: list[str]) -> None:
    """Heavy tails are held at the outer percentiles."""
    kurtosis = column["kurtosis"]
    if kurtosis is not None and kurtosis > HEAVY_TAILS:
        entry["outliers"] = {"method": "quantile", "low": 0.001, "high": 0.999}
        because.append(f"heavy tails, excess kurtosis {kurtosis:.1f}")
    elif _has_outliers(column):
        share = column["outliers"]["iqr"]["n"] / column["n"]
        because.append(f"{share:.1%} beyond 1.5 interquartile ranges")


def _shape(
    column: Mapping[str, Any],
    profile: Mapping[str, Any],
    entry: dict[str, Any],
    because: list[str],
    alternatives: list[dict[str, Any]],
) -> None:
    """A transform, where a hint says that it removes the skew."""
    for hint in profile["hints"] or []:
        if hint["hint"] == "transform" and hint["columns"] == [column["name"]]:
            proposed = hint["plan"]["features"][column["name"]]
            entry["transform"] = proposed["transform"]
            because.append(hint["text"].rstrip("."))
            alternatives.append({"transform": "quantile_bins", "n_bins": 10})
            return
    if abs(column["skewness"] or 0.0) > SKEWED:
        because.append(f"skewness {column['skewness']:.1f}")
        alternatives.append({"transform": "yeo_johnson", "scale": "standard"})


def tell_importance(
    column: Mapping[str, Any], profile: Mapping[str, Any], because: list[str], alternatives: list[dict[str, Any]]
) -> None:
    """What a quick tree says; that is no reason to leave a column out, but one to think of it."""
    for found in (profile["importance"] or {}).get("columns") or []:
        if found["name"] == column["name"]:
            if found["is_useful"]:
                because.append(f"importance {found['importance']:.3g}")
            else:
                because.append("no more important to a tree than random columns")
                alternatives.append({"drop": True})
