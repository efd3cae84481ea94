"""Columns that are no features, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_CERTAIN = ("all_missing", "constant")


def reasons(profile: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Column -> `because`, and `alternatives` where there are some; the gravest reason of each."""
    found: dict[str, dict[str, Any]] = {}
    for name, because, alternatives in _all(profile):
        if name not in found:
            found[name] = {"because": because, **({"alternatives": alternatives} if alternatives else {})}
    return found


def _all(profile: Mapping[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for leak in profile["leaks"] or []:
        if leak["severity"] == "severe" and not leak.get("allowed_because"):
            yield from ((name, f"suspected leak: {leak['message']}", []) for name in leak["columns"])
    for column in profile["columns"]:
        yield from _of_column(column, profile["rows"])
    for cluster in (profile["associations"] or {}).get("clusters") or []:
        kept = cluster["representative"]
        for name in cluster["columns"]:
            if name != kept:
                because = f"says nearly the same as '{kept}': {cluster.get('reason') or 'redundant'}"
                yield name, because, [{"scale": "standard"}]


def _of_column(column: Mapping[str, Any], n_rows: int) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    name, kind, flags = column["name"], column["kind"], {flag["flag"]: flag["text"] for flag in column["flags"]}
    for flag in _CERTAIN:
        if flag in flags:
            yield name, flags[flag], []
    if kind == "other":
        yield name, f"type {column['type']} is neither a number nor a category", []
    for flag in ("id_like", "near_key"):
        if flag in flags:
            yield name, f"an identifier rather than a feature: {flags[flag]}", [{"encode": "hashing", "n_buckets": 32}]
    if kind == "text":
        distinct = column["distinct"]["value"]
        because = f"free text: {distinct:,.0f} different values in {column['n']:,} of {n_rows:,} rows"
        yield name, because, [{"encode": "hashing", "n_buckets": 256}]
