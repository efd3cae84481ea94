"""The plan that a profile proposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traintable.analyse.decisions.advice import advice
from traintable.analyse.decisions.categories import of_category
from traintable.analyse.decisions.left_out import reasons
from traintable.analyse.decisions.numbers import of_number
from traintable.analyse.decisions.times import of_time

PLAN_OF = {"number": of_number, "category": of_category, "boolean": of_category, "time": of_time}


def decide(profile: Mapping[str, Any], *, unavailable: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A plan, as `traintable.plan.Plan` takes it, with `because` and `alternatives` for each column.

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
