"""The five things about a table that matter first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traintable.analyse.scanned.kinds import TIME

HEADLINES = 5
HIGH, MEDIUM, LOW = "high", "medium", "low"
_ORDER = (HIGH, MEDIUM, LOW)
NAMED = 3
MOSTLY_MISSING = 0.5
TELLING = 0.95
NOTICEABLE = 0.1
FEW_ROWS = 20

Headline = dict[str, Any]


def first(profile: Mapping[str, Any]) -> list[Headline]:
    """At most five, the most severe ones first; of equals those that come first in `_all`."""
    found = sorted(_all(profile), key=lambda headline: _ORDER.index(headline["severity"]))
    return found[:HEADLINES]


def _all(profile: Mapping[str, Any]) -> Iterator[Headline]:
    if not profile["rows"]:
        yield _headline(HIGH, "There are no rows", "Nothing can be learned from an empty table.", "overview")
        return
    if profile["rows"] < FEW_ROWS:
        text = f"{profile['rows']:,} rows are too few to tell what holds from chance."
        yield _headline(HIGH, "There are hardly any rows", text, "overview")
    yield from _leaks(profile)
    yield from _label(profile)
    yield from _telling(profile)
    yield from _empty(profile)
    yield from _drift(profile)
    yield from _anomalies(profile)
    yield from _flagged(profile, "suspicious_value", MEDIUM, "may hold stand-ins for missing values")
    yield from _flagged(profile, "mixed_formats", MEDIUM, "are written in several ways")
    yield from _flagged(profile, "infinite_values", MEDIUM, "hold infinite values or values that are no number")
    yield from _redundant(profile)
    yield from _flagged(profile, "id_like", MEDIUM, "look like identifiers")
    yield from _flagged(profile, "time_gaps", MEDIUM, "have gaps in time")
    yield from _flagged(profile, "constant", MEDIUM, "are constant")
    yield from _best(profile)
    yield from _flagged(profile, "high_missing", LOW, "lack many values")
    yield from _flagged(profile, "heavy_tails", LOW, "have heavy tails")
    yield from _flagged(profile, "skewed", LOW, "are skewed")
    yield from _flagged(profile, "rare_categories", LOW, "have rare categories")


def _headline(severity: str, title: str, text: str, section: str, columns: Sequence[str] = ()) -> Headline:
    return {"severity": severity, "title": title, "text": text, "section": section, "columns": list(columns)}


def _named(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _leaks(profile: Mapping[str, Any]) -> Iterator[Headline]:
    leaks = profile["leaks"] or []
    if leaks:
        names = list(dict.fromkeys(name for leak in leaks for name in leak["columns"]))
        yield _headline(HIGH, f"Suspected leaks: {len(leaks)}", str(leaks[0]["message"]), "leaks", names)


def _label(profile: Mapping[str, Any]) -> Iterator[Headline]:
    label, balance = profile["label"], profile["imbalance"]
    column = next((c for c in profile["columns"] if c["name"] == label), None)
    if column and not column["n"]:
        yield _headline(HIGH, "The label has no value", f"All rows lack '{label}'.", "imbalance", [label])
    elif balance and len(balance["classes"]) < 2:
        yield _headline(HIGH, "The label has one class", balance["metrics"][0], "imbalance", [label])
    elif balance and balance["is_imbalanced"]:
        severity = HIGH if balance["ratio"] >= 20 else MEDIUM
        text = f"The largest class has {balance['ratio']:,.1f} times the rows of the smallest. {balance['metrics'][0]}"
        yield _headline(severity, "The classes are imbalanced", text, "imbalance", [label])
    if column and column["n"] and column["n_null"]:
        text = f"{column['n_null']:,} of {profile['rows']:,} rows have no '{label}': they can't be learned from."
        yield _headline(MEDIUM, "Rows without a label", text, "missingness", [label])


def _strength(column: Mapping[str, Any]) -> float:
    """How much a column tells about the label, 0 to 1, by the strongest of its measures."""
    known = column["label"] or {}
    sizes = [abs(known[name]) for name in ("correlation_ratio", "cramers_v", "pearson", "spearman") if known.get(name)]
    if known.get("auc"):
        sizes.append(abs(2 * known["auc"] - 1))
    return max((size for size in sizes if size == size), default=0.0)


def _telling(profile: Mapping[str, Any]) -> Iterator[Headline]:
    """Columns that tell the label nearly alone."""
    names = [c["name"] for c in profile["columns"] if _strength(c) >= TELLING and c["n"] >= FEW_ROWS]
    if names:
        text = f"Each of these nearly tells the label alone: {_named(names)}. Is it known when a prediction is made?"
        yield _headline(HIGH, "Too good to be true", text, "associations", names)


def _best(profile: Mapping[str, Any]) -> Iterator[Headline]:
    ranked = sorted((c for c in profile["columns"] if c["label"]), key=lambda c: -_strength(c))
    ranked = [c for c in ranked if NOTICEABLE <= _strength(c) < TELLING][:NAMED]
    if ranked:
        text = "; ".join(f"'{c['name']}' {_strength(c):.2f}" for c in ranked)
        text = f"Strength of association, 0 to 1: {text}."
        yield _headline(LOW, "What tells most about the label", text, "associations", [c["name"] for c in ranked])


def _empty(profile: Mapping[str, Any]) -> Iterator[Headline]:
    n = profile["rows"]
    missing = {c["name"]: 1 - c["n"] / n for c in profile["columns"] if c["name"] != profile["label"]}
    mostly = sorted((name for name, share in missing.items() if share >= MOSTLY_MISSING), key=lambda m: -missing[m])
    if mostly:
        severity = HIGH if missing[mostly[0]] == 1 else MEDIUM
        share = f"{missing[mostly[0]]:.1%}"
        one = f"'{mostly[0]}' lacks a value in {share} of the rows."
        many = f"{_named(mostly)} lack a value in half of the rows or more, '{mostly[0]}' in {share}."
        text = one if len(mostly) == 1 else many
        yield _headline(severity, "Columns that are mostly empty", text, "missingness", mostly)


def _drift(profile: Mapping[str, Any]) -> Iterator[Headline]:
    drift = profile["drift"] or {}
    moved = [c for c in drift.get("columns") or () if c["kind"] != TIME]  # times move as a table grows
    severe = [c["name"] for c in moved if c["severity"] == "severe"]
    changed = [c["column"] for c in drift.get("schema") or ()]
    if severe or changed:
        text = f"Columns that have drifted severely: {len(severe)}; that have changed in the schema: {len(changed)}."
        yield _headline(HIGH, "The table has changed", text, "drift", [*severe, *changed])


def _anomalies(profile: Mapping[str, Any]) -> Iterator[Headline]:
    periods = (profile["anomalies"] or {}).get("by_time") or []
    strange = sorted((p for p in periods if p["is_strange"]), key=lambda p: -p["score"])
    if strange:
        text = f"{len(strange)} of {len(periods)} periods do not look like those before: {strange[0]['period']} most."
        yield _headline(MEDIUM, "Strange periods", text, "anomalies")


def _redundant(profile: Mapping[str, Any]) -> Iterator[Headline]:
    clusters = (profile["associations"] or {}).get("clusters") or []
    if clusters and profile["rows"] >= FEW_ROWS:
        names = list(dict.fromkeys(name for cluster in clusters for name in cluster["columns"]))
        text = f"{len(clusters)} groups of columns say nearly the same, first {_named(clusters[0]['columns'])}."
        yield _headline(MEDIUM, "Redundant columns", text, "associations", names)


def _flagged(profile: Mapping[str, Any], flag: str, severity: str, what: str) -> Iterator[Headline]:
    texts = {c["name"]: f["text"] for c in profile["columns"] for f in c["flags"] if f["flag"] == flag}
    if texts:
        names = list(texts)
        title = f"Columns that {what}: {len(names)}"
        text = f"{_named(names)}. '{names[0]}': {texts[names[0]]}" if len(names) > 1 else texts[names[0]]
        yield _headline(severity, title, text, "columns", names)
