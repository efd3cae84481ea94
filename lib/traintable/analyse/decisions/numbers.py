"""What becomes of a number: impute, bound, transform, scale."""

from __future__ import annotations

from traintable.analyse.document import Alternative, Bounds, ColumnProfile, FeatureDecision, ProfileDocument

MANY_MISSING = 0.01  # from where on a feature that says so is worth its place
SKEWED = 1.0
HEAVY_TAILS = 7.0
MANY_OUTLIERS = 0.01


def decide_number(column: ColumnProfile, profile: ProfileDocument) -> FeatureDecision:
    """The feature that a number becomes."""
    decision: FeatureDecision = {}
    because: list[str] = []
    alternatives: list[Alternative] = []
    is_binary = column["distinct"] is not None and column["distinct"]["value"] <= 2
    _decide_imputation(column, profile["rows"], is_binary, decision, because)
    if is_binary:
        because.append("two values")
    else:
        _decide_bounds(column, decision, because)
        _decide_transform(column, profile, decision, because, alternatives)
        has_outliers = _outliers(column) is not None
        decision["scale"] = "robust" if "outliers" not in decision and has_outliers else "standard"
    add_importance(column, profile, because, alternatives)
    decision["because"] = "; ".join(because) or "nothing remarkable"
    if alternatives:
        decision["alternatives"] = alternatives
    return decision


def _decide_imputation(
    column: ColumnProfile, n_rows: int, is_binary: bool, decision: FeatureDecision, because: list[str]
) -> None:
    missing = 1 - column["n"] / n_rows if n_rows else 0.0
    if not missing:
        return
    skewness = column["skewness"] or 0.0
    decision["impute"] = "mode" if is_binary else "median" if abs(skewness) > SKEWED else "mean"
    because.append(f"{missing:.2%} of the rows have no value")
    if missing >= MANY_MISSING:
        decision["indicator"] = True


def _outliers(column: ColumnProfile) -> Bounds | None:
    """The bounds by interquartile ranges, where many values lie beyond them."""
    bounds = column["outliers"]["iqr"] if column["outliers"] else None
    return bounds if bounds and column["n"] and bounds["n"] >= MANY_OUTLIERS * column["n"] else None


def _decide_bounds(column: ColumnProfile, decision: FeatureDecision, because: list[str]) -> None:
    """Heavy tails are held at the outer percentiles."""
    kurtosis, outliers = column["kurtosis"], _outliers(column)
    if kurtosis is not None and kurtosis > HEAVY_TAILS:
        decision["outliers"] = {"method": "quantile", "low": 0.001, "high": 0.999}
        because.append(f"heavy tails, excess kurtosis {kurtosis:.1f}")
    elif outliers is not None:
        because.append(f"{outliers['n'] / column['n']:.1%} beyond 1.5 interquartile ranges")


def _decide_transform(
    column: ColumnProfile,
    profile: ProfileDocument,
    decision: FeatureDecision,
    because: list[str],
    alternatives: list[Alternative],
) -> None:
    """A transform, where a hint says that it removes the skew."""
    for hint in profile["hints"]:
        if hint["hint"] == "transform" and hint["columns"] == [column["name"]]:
            decision["transform"] = hint["plan"]["features"][column["name"]]["transform"]
            because.append(hint["text"].rstrip("."))
            alternatives.append({"transform": "quantile_bins", "n_bins": 10})
            return
    skewness = column["skewness"] or 0.0
    if abs(skewness) > SKEWED:
        because.append(f"skewness {skewness:.1f}")
        alternatives.append({"transform": "yeo_johnson", "scale": "standard"})


def add_importance(
    column: ColumnProfile, profile: ProfileDocument, because: list[str], alternatives: list[Alternative]
) -> None:
    """Add what a quick tree says; that is no reason to leave a column out, but one to think of it."""
    for measured in profile["importance"]["columns"] if profile["importance"] else ():
        if measured["name"] == column["name"]:
            if measured["is_useful"]:
                because.append(f"importance {measured['importance']:.3g}")
            else:
                because.append("no more important to a tree than random columns")
                alternatives.append({"drop": True})
