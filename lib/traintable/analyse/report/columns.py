"""What the page says of each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from traintable.analyse.report import sparkline
from traintable.analyse.report.figures import (
    count_error,
    different,
    figure,
    p_value,
    percent,
    rank_error,
    relative_error,
    share_of,
    shortened,
)
from traintable.analyse.report.pictures import Picture, Pictures

MOST_VALUES = 12
MOST_PERIODS = 400
_LABEL_MEASURES = {
    "auc": "AUC",
    "correlation_ratio": "correlation ratio",
    "cramers_v": "Cramér's V",
    "mutual_information": "mutual information",
    "pearson": "Pearson's r",
    "spearman": "Spearman's rho",
}
_WORDS = {"near_key": "near-key", "id_like": "ID-like"}
_SEVERE = {"constant", "all_missing", "near_key", "id_like", "infinite_values", "suspicious_value", "imbalanced"}

Column = Mapping[str, Any]


def view(profile: Mapping[str, Any], pictures: Pictures) -> list[dict[str, Any]]:
    """For each column what its row and its panel show."""
    rows = profile.get("rows") or 0
    names = [column["name"] for column in profile.get("columns") or ()]
    return [
        _column(column, number, shown, rows, pictures)
        for number, (column, shown) in enumerate(zip(profile.get("columns") or (), different(names, 80), strict=True))
    ]


def _column(column: Column, number: int, shown: str, rows: int, pictures: Pictures) -> dict[str, Any]:
    missing = share_of((column.get("n_null") or 0) + (column.get("n_nan") or 0), rows)
    distinct = column.get("distinct") or {}
    strongest = association(column)
    return {
        "number": number,
        "name": column["name"],
        "shown": shown,
        "type": column.get("type"),
        "kind": column.get("kind") or "other",
        "role": column.get("role") or "feature",
        "missing": missing,
        "distinct": distinct,
        "distinct_error": relative_error(distinct.get("error")),
        "typical": _typical(column),
        "spark": sparkline.path(_counts(column)),
        "flags": [_flag(flag) for flag in column.get("flags") or ()],
        "association": strongest,
        "scan": column.get("scan"),
        "tables": _tables(column, rows),
        "top": _top(column, rows),
        "errors": _errors(column),
        "gaps": (column.get("coverage") or {}).get("gaps") or [],
        "pictures": [picture for picture in _pictures(column, rows, pictures) if picture],
    }


def _flag(flag: Mapping[str, str]) -> dict[str, Any]:
    name = flag.get("flag", "")
    word = _WORDS.get(name, name.replace("_", " "))
    return {"word": word, "text": flag.get("text", ""), "severe": name in _SEVERE}


def association(column: Column) -> tuple[str, float] | None:
    """The measure of association with the label that the table of columns sorts by, and its value."""
    found = column.get("label") or {}
    for measure in ("auc", "correlation_ratio", "cramers_v", "spearman", "pearson", "mutual_information"):
        if found.get(measure) is not None:
            return _LABEL_MEASURES[measure], found[measure]
    return None


def strength(measure: str, value: float) -> float:
    """How far a measure is from telling nothing, on a scale of 0 to 1."""
    return abs(2 * value - 1) if measure == "AUC" else abs(value)


def _typical(column: Column) -> str:
    if column.get("mean") is not None and column.get("kind") == "number":
        spread = f" ± {figure(column['std'])}" if column.get("std") is not None else ""
        return f"{figure(column['mean'])}{spread}"
    if column.get("kind") == "time" and column.get("min"):
        return f"{figure(column['min'])[:10]} to {figure(column.get('max'))[:10]}"
    top = column.get("top") or []
    return shortened(_value(top[0][0]), 60) if top else ""


def _value(value: Any) -> str:
    if value is None:
        return "null"
    return "(empty)" if value == "" else figure(value)


def _counts(column: Column) -> Sequence[float]:
    if column.get("histogram"):
        return column["histogram"].get("counts") or ()
    if column.get("coverage"):
        return [count for _, count in column["coverage"].get("days") or ()]
    return [count for _, count in (column.get("top") or ())[:MOST_VALUES]]


def _tables(column: Column, rows: int) -> list[dict[str, Any]]:
    """Small tables of figures, each of one source and one kind of error."""
    moments = ("min", "max", "mean", "std", "variance", "skewness", "kurtosis")
    found = [(name, figure(column[name])) for name in moments if column.get(name) is not None]
    quantiles = sorted((column.get("quantiles") or {}).items(), key=lambda pair: float(pair[0]))
    formats = [(form, f"{figure(n)}, as in {_value(example)}") for form, n, example in column.get("formats") or ()]
    in_rank = rank_error(column.get("rank_error"))
    tables = [
        _table("Rows", "exact", _row_counts(column, rows)),
        _table("Moments", "exact", found if not column.get("coverage") else []),
        _table("Quantiles", in_rank, [(percent(float(q)), figure(value)) for q, value in quantiles]),
        _table("Outside the bounds", in_rank, outliers(column)),
        _table("With the label", in_rank, _with_label(column)),
        _table("Lengths", "exact", _lengths(column.get("lengths") or {})),
        _table("Formats", "exact", formats),
        _table("Time", "exact", _coverage(column.get("coverage") or {})),
    ]
    return [table for table in tables if table["rows"]]


def _lengths(lengths: Mapping[str, Any]) -> list[tuple[str, str]]:
    quantiles = [(percent(float(q)), figure(value)) for q, value in (lengths.get("quantiles") or {}).items()]
    return [
        (name, figure(lengths[name])) for name in ("min", "mean", "max") if lengths.get(name) is not None
    ] + quantiles


def _table(title: str, error: str, rows: list[tuple[str, str]]) -> dict[str, Any]:
    return {"title": title, "error": error, "rows": rows}


def _row_counts(column: Column, rows: int) -> list[tuple[str, str]]:
    words = {"n": "with a value", "n_null": "null", "n_nan": "NaN", "n_infinite": "infinite", "n_zero": "zero"}
    found = [(word, column[name]) for name, word in words.items() if column.get(name) is not None]
    told = [(word, f"{figure(n)} ({percent(share_of(n, rows))})" if n else figure(n)) for word, n in found]
    distinct = column.get("distinct") or {}
    if distinct.get("value") is None:
        return told
    error = relative_error(distinct.get("error"))
    return [*told, ("different values", figure(distinct["value"]) + ("" if error == "exact" else f" {error}"))]


def _with_label(column: Column) -> list[tuple[str, str]]:
    found = column.get("label") or {}
    rows = [(_LABEL_MEASURES.get(name, name.replace("_", " ")), value) for name, value in found.items()]
    told = [(name, p_value(value) if name in ("p value", "q value") else figure(value)) for name, value in rows]
    means = [
        (f"mean of “{shortened(word, 40)}”", figure(part.get("mean")))
        for word, part in (column.get("by_class") or {}).items()
        if part.get("mean") is not None
    ]
    return told + means


def outliers(column: Column) -> list[tuple[str, str]]:
    """For each rule its bounds and the rows outside them."""
    return [
        (
            rule.upper() if rule != "quantile" else "Quantiles",
            f"{figure(o.get('n'))} outside {figure(o.get('low'))} to {figure(o.get('high'))}",
        )
        for rule, o in (column.get("outliers") or {}).items()
        if o
    ]


def _coverage(coverage: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not coverage:
        return []
    rows = [("first", figure(coverage.get("first"))), ("last", figure(coverage.get("last")))]
    if coverage.get("step_seconds") is not None:
        rows.append(("usual step", f"{figure(coverage['step_seconds'])} s"))
    return [*rows, ("gaps", figure(len(coverage.get("gaps") or ())))]


def _top(column: Column, rows: int) -> dict[str, Any] | None:
    top = [(_value(value), count) for value, count in column.get("top") or ()]
    if not top or column.get("histogram"):
        return None
    told = [(value, count, percent(share_of(count, rows))) for value, count in top[:MOST_VALUES]]
    other = (column.get("other") or 0) + sum(count for _, count in top[MOST_VALUES:])
    return {
        "error": count_error(column.get("top_error")),
        "rows": told,
        "other": other,
        "other_share": percent(share_of(other, rows)),
    }


def _errors(column: Column) -> dict[str, str]:
    """The error of each kind of picture."""
    in_rank = rank_error(column.get("rank_error"))
    return {"histogram": in_rank, "by_class": in_rank, "bars": count_error(column.get("top_error"))}


def _pictures(column: Column, rows: int, pictures: Pictures) -> list[Picture | None]:
    name = shortened(column["name"], 60)
    histogram, classes = column.get("histogram") or {}, column.get("by_class") or {}
    edges = histogram.get("edges") or []
    found = [
        pictures.add_histogram(edges, {"": histogram.get("counts") or []}, f"Histogram of {name}", kind="histogram")
    ]
    if histogram and classes:
        series = dict(
            zip(different(list(classes), 40), (part.get("counts") or [] for part in classes.values()), strict=True)
        )
        found.append(pictures.add_histogram(edges, series, f"Distribution of {name} in each class", kind="by_class"))
    if not histogram and column.get("top") and column.get("kind") != "text":
        top = column["top"][:MOST_VALUES]
        words = different([_value(value) for value, _ in top], 60)
        counts = [count for _, count in top]
        bars = {"name": words, "n": counts, "share": [share_of(count, rows) for count in counts]}
        found.append(pictures.add("bars", bars, f"Frequent values of {name}"))
    return found + coverage_pictures(column, pictures)


def coverage_pictures(column: Column, pictures: Pictures) -> list[Picture | None]:
    """Rows of each period, and of each hour of the week."""
    coverage = column.get("coverage") or {}
    name, days = shortened(column["name"], 60), (coverage.get("days") or [])[:MOST_PERIODS]
    period = coverage.get("period") or "period"
    over = {"t": [t for t, _ in days], "period": [t for t, _ in days], "n": [n for _, n in days]}
    week = coverage.get("hour_of_week") or []
    weekdays = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    hours = {
        "day": [weekdays[h // 24 % 7] for h in range(len(week))],
        "hour": [h % 24 for h in range(len(week))],
        "n": week,
    }
    return [
        pictures.add("over_time", over, f"Rows of each {period} of {name}"),
        pictures.add("week", hours, f"Rows of each hour of the week of {name}"),
    ]
