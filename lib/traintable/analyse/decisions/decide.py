"""The plan that a profile proposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from traintable.analyse.decisions.advice import advise
from traintable.analyse.decisions.categories import decide_category
from traintable.analyse.decisions.numbers import decide_number
from traintable.analyse.document import (
    Alternative,
    ColumnProfile,
    DropDecision,
    FeatureDecision,
    Product,
    ProfileDocument,
    ProposedPlan,
)
from traintable.columns import column_name, quote

_CERTAIN = ("all_missing", "constant")
_IDENTIFIERS = ("id_like", "near_key")


def decide(profile: ProfileDocument, *, unavailable: Mapping[str, str] | None = None) -> ProposedPlan:
    """A plan, as `traintable.config.plan.Plan` takes it, with `because` and `alternatives` for each column.

    Parameters
    ----------
    profile : as `Profile.to_dict` gives it.
    unavailable : column -> why its value is not known when a prediction is made; such columns are left out, also those
        that the profile does not have.

    Returns
    -------
    ProposedPlan
        What becomes of each column and why, and advice on what a plan can't decide.
    """
    reasons = reasons_to_drop(profile)
    features: dict[str, FeatureDecision] = {}
    drop: dict[str, DropDecision] = {name: {"because": because} for name, because in (unavailable or {}).items()}
    for column in profile["columns"]:
        name = column["name"]
        if column["role"] not in ("feature", "time") or name in drop:
            continue
        if name in reasons:
            drop[name] = reasons[name]
        elif column["kind"] == "number":
            features[name] = decide_number(column, profile)
        elif column["kind"] == "time":
            of_time, drop[name] = decide_time(column, profile)
            features |= of_time
        else:
            features[name] = decide_category(column, profile)
    products = _choose_products(profile, features)
    plan: ProposedPlan = {"features": features}
    if products:
        plan["interactions"] = products
    if drop:
        plan["drop"] = drop
    plan["advice"] = advise(profile)
    return plan


def _choose_products(profile: ProfileDocument, features: Mapping[str, FeatureDecision]) -> list[Product]:
    """The products that hints propose of numbers that are features; those of the same columns and degree once."""
    chosen: list[Product] = []
    for hint in profile["hints"]:
        if hint["hint"] == "interaction" or hint["hint"] == "polynomial":
            for product in hint["plan"]["interactions"]:
                are_numbers = all(name in features and "encode" not in features[name] for name in product["columns"])
                if are_numbers and product not in chosen:
                    chosen.append(product)
    return chosen


def decide_time(column: ColumnProfile, profile: ProfileDocument) -> tuple[dict[str, FeatureDecision], DropDecision]:
    """The features that hints propose, and why the time itself is left out: its values do not occur again."""
    name = column["name"]
    features: dict[str, FeatureDecision] = {}
    for hint in profile["hints"]:
        if hint["hint"] == "periodic" and hint["columns"] == [name]:
            for feature, steps in hint["plan"]["features"].items():
                features[feature] = cast("FeatureDecision", {**steps, "because": hint["text"].rstrip(".")})
    because = "a time's own values do not occur again"
    if features:
        because += f"; its parts are features: {', '.join(features)}"
    else:
        because += ", and no part of it says anything about the label"
    weekday: Alternative = {
        "features": {column_name(f"{name}_weekday"): {"expr": f"dayofweek({quote(name)})", "encode": "one_hot"}}
    }
    return features, {"because": because, "alternatives": [weekday]}


Reason = tuple[str, str, list[Alternative]]  # column, because, alternatives


def reasons_to_drop(profile: ProfileDocument) -> dict[str, DropDecision]:
    """Column -> the gravest reason to leave it out."""
    drop: dict[str, DropDecision] = {}
    for name, because, alternatives in _all_reasons(profile):
        if name not in drop:
            drop[name] = {"because": because}
            if alternatives:
                drop[name]["alternatives"] = alternatives
    return drop


def _all_reasons(profile: ProfileDocument) -> Iterator[Reason]:
    for leak in profile["leaks"]:
        if leak["severity"] == "severe" and not leak.get("allowed_because"):
            yield from ((name, f"suspected leak: {leak['message']}", []) for name in leak["columns"])
    for column in profile["columns"]:
        yield from _reasons_of_column(column, profile["rows"])
    for cluster in profile["associations"]["clusters"] if profile["associations"] else ():
        representative = cluster["representative"]
        for name in cluster["columns"]:
            if name != representative:
                because = f"says nearly the same as '{representative}': {cluster['reason']}"
                yield name, because, [{"scale": "standard"}]


def _reasons_of_column(column: ColumnProfile, n_rows: int) -> Iterator[Reason]:
    name, kind, flags = column["name"], column["kind"], {flag["flag"]: flag["text"] for flag in column["flags"]}
    yield from ((name, text, []) for flag, text in flags.items() if flag in _CERTAIN)
    if kind == "other":
        yield name, f"type {column['type']} is neither a number nor a category", []
    for flag in _IDENTIFIERS:
        if flag in flags:
            yield name, f"an identifier rather than a feature: {flags[flag]}", [{"encode": "hashing", "n_buckets": 32}]
    if kind == "text" and column["distinct"]:
        distinct = column["distinct"]["value"]
        because = f"free text: {distinct:,} different values in {column['n']:,} of {n_rows:,} rows"
        yield name, because, [{"encode": "hashing", "n_buckets": 256}]
