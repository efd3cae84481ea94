"""What becomes of a time: its parts that come again, where the label differs by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traintable.analyse.decisions.numbers import Made
from traintable.columns import column_name, quote


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
