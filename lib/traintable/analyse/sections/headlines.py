"""The five findings about a table to read first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from traintable.analyse.document import ColumnProfile, FlagName, Headline, HeadlineSeverity, ProfileDocument
from traintable.analyse.scans.columns import TIME

HEADLINES = 5
HIGH: Final = "high"
MEDIUM: Final = "medium"
LOW: Final = "low"
_ORDER = (HIGH, MEDIUM, LOW)
_SEVERE_RATIO = 20
NAMED = 3
MOSTLY_MISSING = 0.5
TELLING = 0.95
NOTICEABLE = 0.1
FEW_ROWS = 20


def rank_headlines(profile: ProfileDocument) -> list[Headline]:
    """At most five, the most severe ones first; of equals those that come first in `_all_headlines`."""
    headlines = sorted(_all_headlines(profile), key=lambda headline: _ORDER.index(headline["severity"]))
    return headlines[:HEADLINES]


def _all_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    if not profile["rows"]:
        yield _headline(HIGH, "There are no rows", "Nothing can be learned from an empty table.", "overview")
        return
    if profile["rows"] < FEW_ROWS:
        text = f"{profile['rows']:,} rows are too few to tell an effect from chance."
        yield _headline(HIGH, "There are hardly any rows", text, "overview")
    yield from _leak_headlines(profile)
    yield from _label_headlines(profile)
    yield from _too_good_headlines(profile)
    yield from _empty_headlines(profile)
    yield from _drift_headlines(profile)
    yield from _period_headlines(profile)
    yield from _flag_headlines(profile, "suspicious_value", "may hold stand-ins for missing values")
    yield from _flag_headlines(profile, "mixed_formats", "are written in several ways")
    yield from _flag_headlines(profile, "infinite_values", "hold infinite values or NaN")
    yield from _redundancy_headlines(profile)
    yield from _flag_headlines(profile, "id_like", "look like identifiers")
    yield from _flag_headlines(profile, "time_gaps", "have gaps in time")
    yield from _flag_headlines(profile, "constant", "are constant")
    yield from _best_headlines(profile)
    yield from _flag_headlines(profile, "high_missing", "lack many values", is_low=True)
    yield from _flag_headlines(profile, "heavy_tails", "have heavy tails", is_low=True)
    yield from _flag_headlines(profile, "skewed", "are skewed", is_low=True)
    yield from _flag_headlines(profile, "rare_categories", "have rare categories", is_low=True)


def _headline(severity: HeadlineSeverity, title: str, text: str, section: str, columns: Sequence[str] = ()) -> Headline:
    return {"severity": severity, "title": title, "text": text, "section": section, "columns": list(columns)}


def _list_names(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _leak_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    leaks = profile["leaks"]
    if leaks:
        names = list(dict.fromkeys(name for leak in leaks for name in leak["columns"]))
        yield _headline(HIGH, f"Suspected leaks: {len(leaks)}", leaks[0]["message"], "leaks", names)


def _label_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    label, imbalance = profile["label"], profile["imbalance"]
    if label is None:
        return
    column = next((c for c in profile["columns"] if c["name"] == label), None)
    if column and not column["n"]:
        yield _headline(HIGH, "The label has no values", f"No row has a value of '{label}'.", "imbalance", [label])
    elif imbalance and len(imbalance["classes"]) < 2:
        yield _headline(HIGH, "The label has one class", imbalance["metrics"][0], "imbalance", [label])
    elif imbalance and imbalance["is_imbalanced"]:
        ratio = f"The largest class has {imbalance['ratio']:,.1f} times the rows of the smallest."
        severity: HeadlineSeverity = HIGH if imbalance["ratio"] >= _SEVERE_RATIO else MEDIUM
        yield _headline(
            severity, "The classes are imbalanced", f"{ratio} {imbalance['metrics'][0]}", "imbalance", [label]
        )
    if column and column["n"] and column["n_null"]:
        text = f"{column['n_null']:,} of {profile['rows']:,} rows have no '{label}': a model can't learn from them."
        yield _headline(MEDIUM, "Rows without a label", text, "missingness", [label])


def _strength(column: ColumnProfile) -> float:
    """How much a column says about the label, 0 to 1, by the strongest of its measures."""
    label = column["label"] or {}
    auc = label.get("auc")
    measures = [
        *(label.get("correlation_ratio"), label.get("cramers_v"), label.get("pearson"), label.get("spearman")),
        None if auc is None else 2 * auc - 1,
    ]
    return max((abs(measure) for measure in measures if measure is not None), default=0.0)


def _too_good_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    """Columns of which each nearly determines the label."""
    names = [c["name"] for c in profile["columns"] if _strength(c) >= TELLING and c["n"] >= FEW_ROWS]
    if names:
        text = f"'{names[0]}' alone nearly determines the label. Is it known when a prediction is made?"
        if len(names) > 1:
            text = (
                f"Each of {_list_names(names)} nearly determines the label. Are they known when a prediction is made?"
            )
        yield _headline(HIGH, "Too good to be true", text, "associations", names)


def _best_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    ranked = sorted((c for c in profile["columns"] if c["label"]), key=lambda c: -_strength(c))
    ranked = [c for c in ranked if NOTICEABLE <= _strength(c) < TELLING][:NAMED]
    if ranked:
        strengths = "; ".join(f"'{c['name']}' {_strength(c):.2f}" for c in ranked)
        text = f"Strength of association, 0 to 1: {strengths}."
        yield _headline(LOW, "What says most about the label", text, "associations", [c["name"] for c in ranked])


def _empty_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    n = profile["rows"]
    missing = {c["name"]: 1 - c["n"] / n for c in profile["columns"] if c["name"] != profile["label"]}
    mostly = sorted((name for name, share in missing.items() if share >= MOSTLY_MISSING), key=lambda m: -missing[m])
    if mostly:
        severity: HeadlineSeverity = HIGH if missing[mostly[0]] == 1 else MEDIUM
        share = f"{missing[mostly[0]]:.1%} of the rows"
        text = f"'{mostly[0]}' has no value in {share}."
        if len(mostly) > 1:
            text = f"{_list_names(mostly)} have no value in half of the rows or more, '{mostly[0]}' in {share}."
        yield _headline(severity, "Columns that are mostly empty", text, "missingness", mostly)


def _drift_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    drift = profile["drift"]
    if drift is None:
        return
    severe = [c["name"] for c in drift["columns"] if c["severity"] == "severe" and c["kind"] != TIME]  # time goes on
    changed = [c["column"] for c in drift["schema"]]
    if severe or changed:
        text = (
            f"Columns that have drifted severely: {len(severe)}; "
            f"columns that were added, removed or given another type: {len(changed)}."
        )
        yield _headline(HIGH, "The table has changed", text, "drift", [*severe, *changed])


def _period_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    periods = profile["anomalies"]["by_time"] if profile["anomalies"] else []
    strange = sorted((p for p in periods if p["is_strange"]), key=lambda p: -(p["score"] or 0.0))
    if strange:
        unlike = "is unlike those before it" if len(strange) == 1 else "are unlike those before them"
        text = f"{len(strange)} of {len(periods)} periods {unlike}, most of all {strange[0]['period']}."
        yield _headline(MEDIUM, "Unusual periods", text, "anomalies")


def _redundancy_headlines(profile: ProfileDocument) -> Iterator[Headline]:
    clusters = profile["associations"]["clusters"] if profile["associations"] else []
    if clusters and profile["rows"] >= FEW_ROWS:
        names = list(dict.fromkeys(name for cluster in clusters for name in cluster["columns"]))
        first = _list_names(clusters[0]["columns"])
        text = f"Groups of columns that say nearly the same: {len(clusters)}. The first is {first}."
        yield _headline(MEDIUM, "Redundant columns", text, "associations", names)


def _flag_headlines(profile: ProfileDocument, flag: FlagName, what: str, *, is_low: bool = False) -> Iterator[Headline]:
    texts = {c["name"]: f["text"] for c in profile["columns"] for f in c["flags"] if f["flag"] == flag}
    if texts:
        names = list(texts)
        title = f"Columns that {what}: {len(names)}"
        text = f"{_list_names(names)}. '{names[0]}': {texts[names[0]]}" if len(names) > 1 else texts[names[0]]
        yield _headline(LOW if is_low else MEDIUM, title, text, "columns", names)
