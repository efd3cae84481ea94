"""The plan that a profile proposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traintable.analyse.decisions.advice import advice
from traintable.analyse.decisions.categories import of_category
from traintable.analyse.decisions.numbers import Made, of_number
from traintable.columns import column_name, quote


def decide(profile: Mapping[str, Any], *, unavailable: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A plan, as `traintable.config.plan.Plan` takes it, with `because` and `alternatives` for each column.

    Parameters
    ----------
    profile : as `Profile.to_dict` gives it.
    unavailable : column -> why its value is not known when a prediction is made; such columns are left out, also those
        that the profile does not have.

    Returns
    -------
    dict
        features : name -> what becomes of it, in the order of the table's columns.
        drop : column -> why it is no feature.
        interactions : products that gain over the additive model, where there are any.
        advice : on classes, metrics, the split and the size of the table: what a plan can't decide.
    """
    out = reasons(profile)
    features: dict[str, Any] = {}
    drop: dict[str, Any] = {name: {"because": because} for name, because in (unavailable or {}).items()}
    for column in profile["columns"]:
        if column["role"] not in ("feature", "time"):
            continue
        name = column["name"]
        if name in drop:
            continue
        if name in out:
            drop[name] = out[name]
            continue
        made, left = PLAN_OF[column["kind"]](column, profile)
        features |= made
        if left is not None:
            drop[name] = left
    plan: dict[str, Any] = {"features": features}
    pairs = _interactions(profile, features)
    if pairs:
        plan["interactions"] = pairs
    if drop:
        plan["drop"] = drop
    return {**plan, "advice": advice(profile)}


def _interactions(profile: Mapping[str, Any], features: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The products that hints propose of numbers that are features; those of the same columns and degree once."""
    found: list[dict[str, Any]] = []
    for hint in profile["hints"] or []:
        for part in hint.get("plan", {}).get("interactions", ()):
            numbers = all(name in features and "encode" not in features[name] for name in part["columns"])
            if numbers and part not in found:
                found.append(dict(part))
    return found


def of_time(column: Mapping[str, Any], profile: Mapping[str, Any]) -> Made:
    """The features that hints propose; the time itself is left out, for its values do not come again."""
    name = column["name"]
    features: dict[str, Any] = {}
    for hint in profile["hints"] or []:
        if hint["hint"] == "periodic" and hint["columns"] == [name]:
            for made, entry in hint["plan"]["features"].items():
                features[made] = {**entry, "because": hint["text"].rstrip(".")}
    weekday = {column_name(f"{name}_weekday"): {"expr": f"dayofweek({quote(name)})", "encode": "one_hot"}}
    because = "a time's own values do not come again"
    because += f"; its parts are features: {', '.join(features)}" if features else ", and no part of it tells the label"
    return features, {"because": because, "alternatives": [{"features": weekday}]}


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


PLAN_OF = {"number": of_number, "category": of_category, "boolean": of_category, "time": of_time}
