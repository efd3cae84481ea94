"""What becomes of a category: how it is encoded."""

from __future__ import annotations

from traintable.analyse.decisions.numbers import add_importance
from traintable.analyse.document import Alternative, ColumnProfile, FeatureDecision, ProfileDocument

FEW_WORDS = 50  # at most so many get a feature each
MANY_WORDS = 10_000  # more have too few rows each for a mean


def decide_category(column: ColumnProfile, profile: ProfileDocument) -> FeatureDecision:
    """The features that a category becomes."""
    distinct = column["distinct"]["value"] if column["distinct"] else 0
    because = [f"{distinct:,} different values"]
    decision, alternatives = _decide_encoding(distinct, _has_numeric_label(profile))
    _decide_trimming(column, decision, because)
    _decide_rare(column, profile, decision, because)
    missing = 1 - column["n"] / profile["rows"] if profile["rows"] else 0.0
    if missing:
        because.append(f"{missing:.2%} of the rows have no value, which has a place of its own")
    add_importance(column, profile, because, alternatives)
    decision["because"] = "; ".join(because)
    decision["alternatives"] = alternatives
    return decision


def _decide_encoding(distinct: int, has_numeric_label: bool) -> tuple[FeatureDecision, list[Alternative]]:
    if distinct <= FEW_WORDS:
        return {"encode": "one_hot"}, [{"encode": "ordinal"}]
    if distinct > MANY_WORDS:
        return {"encode": "hashing", "n_buckets": 256}, [{"encode": "frequency"}]
    if has_numeric_label:
        return {"encode": "target"}, [{"encode": "hashing", "n_buckets": 64}, {"encode": "frequency"}]
    return {"encode": "frequency"}, [{"encode": "hashing", "n_buckets": 64}]


def _has_numeric_label(profile: ProfileDocument) -> bool:
    """Whether the mean of the label means something: numbers, or classes 0 and 1."""
    label = next((c for c in profile["columns"] if c["name"] == profile["label"]), None)
    return label is not None and label["kind"] in ("number", "boolean")


def _decide_trimming(column: ColumnProfile, decision: FeatureDecision, because: list[str]) -> None:
    mixed = next((flag["text"] for flag in column["flags"] if flag["flag"] == "mixed_formats"), None)
    if mixed is not None:
        decision["trim"] = True
        because.append(f"mixed formats: {mixed.rstrip('.')}")


def _decide_rare(
    column: ColumnProfile, profile: ProfileDocument, decision: FeatureDecision, because: list[str]
) -> None:
    """Rare values are merged where a hint says that this costs nothing."""
    if decision["encode"] not in ("one_hot", "ordinal", "frequency"):
        return
    for hint in profile["hints"]:
        if hint["hint"] == "rare_categories" and hint["columns"] == [column["name"]]:
            decision["min_frequency"] = hint["plan"]["features"][column["name"]]["min_frequency"]
            because.append(hint["text"].rstrip("."))
