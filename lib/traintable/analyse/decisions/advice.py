"""What a plan can't decide by itself: classes, metrics, the split, and too few rows."""

from __future__ import annotations

from traintable.analyse.document import Advice, ColumnProfile, ProfileDocument

FEW_ROWS = 1_000


def advise(profile: ProfileDocument) -> Advice:
    """Sentences by subject; a subject without any is absent."""
    advice: Advice = {}
    imbalance, on_split = profile["imbalance"], _advise_on_split(profile)
    if imbalance and imbalance["advice"]:
        advice["classes"] = list(imbalance["advice"])
    if imbalance and imbalance["metrics"]:
        advice["metrics"] = list(imbalance["metrics"])
    if on_split:
        advice["split"] = on_split
    if profile["rows"] < FEW_ROWS:
        few = f"{profile['rows']:,} rows are few: prefer folds to a single validation split"
        advice["rows"] = [f"{few}, and look at the intervals in the report before anything else."]
    return advice


def _advise_on_split(profile: ProfileDocument) -> list[str]:
    sentences = []
    times = [(c["name"], c["coverage"]) for c in profile["columns"] if c["kind"] == "time" and c["coverage"]]
    for name, coverage in times[:1]:
        sentences.append(
            f"Rows have a time, '{name}', from {coverage['first']} to {coverage['last']}: split by time if the model "
            "is to predict what comes later."
        )
    groups = [c["name"] for c in profile["columns"] if _may_be_group(c, profile["rows"])]
    if groups:
        sentences.append(
            f"Values of {', '.join(map(repr, groups[:3]))} occur in many rows each: split by group if rows of the same "
            "value are alike beyond their features."
        )
    return sentences


def _may_be_group(column: ColumnProfile, n_rows: int) -> bool:
    """Whether a category has so many values, each with some rows, that these may be persons or objects, not kinds."""
    if column["kind"] not in ("category", "text") or column["role"] != "feature" or not column["distinct"]:
        return False
    distinct = column["distinct"]["value"]
    return distinct > 1_000 and 2 * distinct < n_rows
