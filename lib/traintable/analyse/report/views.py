"""What the sections about the whole table show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from traintable.analyse.report.columns import outliers, strength
from traintable.analyse.report.figures import (
    count_error,
    different,
    figure,
    is_number,
    p_value,
    percent,
    rank_error,
    share_of,
)
from traintable.analyse.report.pictures import Picture, Pictures

MOST_BARS = 40
MOST_PATTERNS = 20
MOST_PERIODS = 60

Profile = Mapping[str, Any]
View = dict[str, Any]


def overview(profile: Profile, columns: Sequence[View]) -> View:
    """The size of the table and what its columns are like."""
    cells = (profile.get("rows") or 0) * len(columns)
    missing = sum(column.get("n_null") or 0 for column in profile.get("columns") or ())
    flags = Counter(flag["word"] for column in columns for flag in column["flags"])
    return {
        "kinds": Counter(column["kind"] for column in columns).most_common(),
        "missing": percent(share_of(missing, cells)),
        "flags": flags.most_common(),
    }


def missingness(profile: Profile, pictures: Pictures) -> View:
    """Shares of missing values, and which columns miss them together."""
    found, rows = profile.get("missingness") or {}, profile.get("rows") or 0
    holes = [(c["name"], (c.get("n_null") or 0)) for c in profile.get("columns") or () if c.get("n_null")]
    holes.sort(key=lambda pair: -pair[1])
    shown = holes[:MOST_BARS]
    bars: dict[str, list[Any]] = {
        "name": different([name for name, _ in shown], 60),
        "n": [n for _, n in shown],
        "share": [share_of(n, rows) for _, n in shown],
    }
    return {
        "bars": pictures.add("bars", bars, "Rows without a value, for each column that lacks some"),
        "n_columns": len(holes),
        "n_more": len(holes) - len(shown),
        "patterns": _patterns(found.get("patterns") or [], rows, pictures),
        "other": found.get("other_patterns") or 0,
        "error": count_error(found.get("error")),
        "together": [(a, b, figure(phi)) for a, b, phi in (found.get("together") or ())[:15]],
    }


def _patterns(patterns: Sequence[Mapping[str, Any]], rows: int, pictures: Pictures) -> Picture | None:
    first = sorted(patterns, key=lambda pattern: -(pattern.get("rows") or 0))[:MOST_PATTERNS]
    names = list(dict.fromkeys(name for pattern in first for name in pattern["columns"]))[:MOST_BARS]
    short = different(names, 40)
    told = [f"{figure(p['rows'])} rows, {percent(share_of(p['rows'], rows))}" for p in first]
    labels = different(told, 60)
    cells = [
        (label, s, n in p["columns"])
        for p, label in zip(first, labels, strict=True)
        for n, s in zip(names, short, strict=True)
    ]
    data: dict[str, list[Any]] = {
        "rows": [c[0] for c in cells],
        "name": [c[1] for c in cells],
        "missing": [c[2] for c in cells],
    }
    return pictures.add("patterns", data, "Which columns are missing together, for the most frequent patterns")


def imbalance(profile: Profile, pictures: Pictures) -> View:
    """The classes, what the constant answer reaches, and the classes' shares by split and by time."""
    found = profile.get("imbalance") or {}
    classes = found.get("classes") or {}
    total = sum(classes.values())
    short = dict(zip(classes, different(list(classes), 60), strict=True))
    bars: dict[str, list[Any]] = {
        "name": list(short.values()),
        "n": list(classes.values()),
        "share": [share_of(n, total) for n in classes.values()],
    }
    times = list((found.get("by_time") or {}).items())
    return {
        "classes": pictures.add("bars", bars, "Rows of each class"),
        "by_split": _shares(
            "shares", found.get("by_split") or {}, short, pictures, "Shares of the classes in each split"
        ),
        "by_time": _shares(
            "shares_over_time", dict(times[-MOST_PERIODS:]), short, pictures, "Shares of the classes over time"
        ),
        "figures": [
            ("classes", figure(len(classes))),
            ("rows of the largest for one of the smallest", figure(found.get("ratio"))),
            ("entropy", figure(found.get("entropy"))),
            ("entropy, of the most possible", percent(found.get("normalised_entropy"))),
            ("accuracy of the constant answer", percent(found.get("constant_accuracy"))),
        ],
        "metrics": found.get("metrics") or [],
        "advice": found.get("advice") or [],
    }


def _shares(
    kind: str, groups: Mapping[str, Mapping[str, int]], short: Mapping[str, str], pictures: Pictures, words: str
) -> Picture | None:
    cells = [
        (group, short.get(name, name), n, share_of(n, sum(counts.values())))
        for group, counts in groups.items()
        for name, n in counts.items()
    ]
    data = dict(zip(("name", "class", "n", "share"), (list(part) for part in zip(*cells, strict=True)), strict=False))
    return pictures.add(kind, data, words)


def anomalies(profile: Profile, pictures: Pictures) -> View:
    """Outliers of single columns, and rows and periods unlike the others."""
    found = profile.get("anomalies") or {}
    scores = found.get("scores") or {}
    histogram = pictures.add_histogram(
        scores.get("edges") or [],
        {"": scores.get("counts") or []},
        "Scores of the rows",
        kind="scores" if is_number(found.get("threshold")) else "histogram",
        limit=found.get("threshold"),
    )
    periods = found.get("by_time") or []
    times = {
        "name": [str(p.get("period")) for p in periods],
        "value": [p.get("score") for p in periods],
        "strong": [True for _ in periods],
        "note": [", ".join(different(p.get("columns") or (), 40)) for p in periods],
    }
    mahalanobis = found.get("mahalanobis") or {}
    return {
        "found": found,
        "columns": [
            {
                "number": i,
                "name": c["name"],
                "rules": outliers(c),
                "n": _most(c),
                "estimated": bool(c.get("rank_error")),
            }
            for i, c in enumerate(profile.get("columns") or ())
            if c.get("outliers")
        ],
        "scores": histogram,
        "by_time": pictures.add("ranked", times, "How unlike those before it each period is"),
        "rows": found.get("rows") or [],
        "mahalanobis": [(name.replace("_", " "), figure(value)) for name, value in mahalanobis.items()],
    }


def _most(column: Mapping[str, Any]) -> int:
    return max((rule.get("n") or 0 for rule in column["outliers"].values() if rule), default=0)


def importance(profile: Profile, pictures: Pictures) -> View:
    """Permutation importance with its intervals, beside the best of the random columns."""
    found = profile.get("importance") or {}
    best = (found.get("probes") or {}).get("best")
    ranked = sorted(found.get("columns") or (), key=lambda c: -(c.get("importance") or 0))
    shown = ranked[:MOST_BARS]
    data = {
        "name": different([c["name"] for c in shown], 60),
        "value": [c.get("importance") for c in shown],
        "low": [c.get("low") for c in shown],
        "high": [c.get("high") for c in shown],
        "strong": [bool(c.get("is_useful")) for c in shown],
        "limit": [best for _ in shown],
        "note": ["above the random columns" if c.get("is_useful") else "not above the random columns" for c in shown],
    }
    kind = "intervals" if is_number(best) and any(is_number(c.get("low")) for c in shown) else "ranked"
    return {
        "found": found,
        "best": best,
        "useful": sum(bool(c.get("is_useful")) for c in ranked),
        "n_more": len(ranked) - len(shown),
        "chart": pictures.add(kind, data, "Importance of each column on held-out rows, with its interval"),
    }


def with_label(columns: Sequence[View], pictures: Pictures) -> Picture | None:
    """The columns that are closest to the label."""
    found = [(c["shown"], *c["association"]) for c in columns if c["association"] and is_number(c["association"][1])]
    found.sort(key=lambda item: -strength(item[1], item[2]))
    shown = found[:MOST_BARS]
    data: dict[str, list[Any]] = {
        "name": different([name for name, _, _ in shown], 60),
        "value": [strength(measure, value) for _, measure, value in shown],
        "strong": [True for _ in shown],
        "note": [f"{measure} {figure(value)}" for _, measure, value in shown],
    }
    return pictures.add("ranked", data, "Association of each column with the label")


def drift(profile: Profile, pictures: Pictures) -> View:
    """How far each column moved."""
    found = profile.get("drift") or {}
    columns = sorted(found.get("columns") or (), key=lambda c: -(c.get("psi") or 0))
    shown = columns[:MOST_BARS]
    data = {
        "name": different([c["name"] for c in shown], 60),
        "value": [c.get("psi") for c in shown],
        "strong": [(c.get("psi") or 0) >= 0.1 for c in shown],
        "note": [str(c.get("severity") or "") for c in shown],
    }
    return {
        "found": found,
        "columns": columns,
        "error": rank_error(max((c["rank_error"] or 0.0 for c in columns), default=0.0)),
        "chart": pictures.add("ranked", data, "Population stability index of each column"),
    }


def tests(profile: Profile) -> list[View]:
    """The tests in the order of their q-values."""
    found = sorted(profile.get("tests") or (), key=lambda t: (t.get("q_value") is None, t.get("q_value") or 0.0))
    return [
        {
            **test,
            "effect_text": _effect(test.get("effect")),
            "p": p_value(test.get("p_value")),
            "q": p_value(test.get("q_value")),
        }
        for test in found
    ]


def _effect(effect: Mapping[str, Any] | None) -> str:
    if not effect:
        return ""
    name = str(effect.get("name", "")).replace("_", " ")
    interval = f" ({figure(effect.get('low'))} to {figure(effect.get('high'))})" if is_number(effect.get("low")) else ""
    return f"{name} {figure(effect.get('value'))}{interval}"
