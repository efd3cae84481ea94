"""What is known of the columns one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from traintable.analyse.scanned import coverage
from traintable.analyse.scanned.kinds import CATEGORY, NUMBER, TEXT, TIME, WORDS, Column
from traintable.analyse.scanned.ranges import Ranges
from traintable.analyse.scanned.scans import Codes, table
from traintable.arrays import Floats
from traintable.statistics import Statistics, Weighted

IQR_FACTOR = 1.5
MAD_FACTOR = 3.5
MAD_TO_STD = 1.4826  # of a normal distribution
OUTLIER_QUANTILES = (0.001, 0.999)
QUANTILES = ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")
TOP = 20
FORMATS = 10
BINS = 30
_EMPTY: dict[str, Any] = dict.fromkeys(
    (
        *("n", "n_null", "n_nan", "n_infinite", "n_zero", "distinct", "min", "max", "mean", "std", "variance"),
        *("skewness", "kurtosis", "quantiles", "rank_error", "histogram", "by_class", "top", "top_error", "other"),
        *("lengths", "formats", "coverage", "outliers", "label"),
    )
)


def describe(column: Column, learned: Statistics) -> dict[str, Any]:
    """All that the first scan tells of a column; what it has not is None."""
    head = {"name": column.name, "type": column.type, "kind": column.kind, "role": column.role}
    if column.is_ranked:
        found = _ranked(column, learned)
    elif column.kind in (*WORDS, TEXT):
        found = _words(column, learned)
    else:
        n_null = int(learned.missingness.n_missing[learned.missingness.columns.index(column.name)])
        found = {"n": learned.n_rows - n_null, "n_null": n_null}
    return {**head, **_EMPTY, **found, "flags": [], "scan": 0}


def _ranked(column: Column, learned: Statistics) -> dict[str, Any]:
    name, known, shape = column.name, learned.summary[column.name], learned.shape[column.name]
    mean, variance = learned.mean_and_variance(name)
    found = {
        **{part: getattr(known, part) for part in ("n", "n_null", "n_nan", "n_infinite", "n_zero")},
        **{end: _shown(column, getattr(known, end)) if known.n else None for end in ("min", "max")},
        "mean": mean,
        **{"std": math.sqrt(variance) if variance >= 0 else math.nan, "variance": variance},
        **{"skewness": shape.skewness(), "kurtosis": shape.kurtosis()},
        "distinct": _distinct(*learned.values[name].n_distinct()),
    }
    values = Ranges.of(learned.values[name], 2**20).weighted
    if column.kind == TIME and values.n:
        found["coverage"] = coverage.describe(learned.periods[name], values, day_only=column.type == "date")
    if values.n:
        edges = histogram_edges(values)
        counts, _ = np.histogram(values.values, edges, weights=values.counts)
        found |= {
            "quantiles": {q: values.quantile(float(q)) for q in QUANTILES},
            "rank_error": values.rank_error,
            "histogram": {"edges": edges.tolist(), "counts": counts.astype(np.int64).tolist()},
            "outliers": describe_outliers(values) if column.kind == NUMBER else None,
        }
    return found | _top(column, *learned.values[name].most_frequent(TOP), known.n)


def histogram_edges(values: Weighted) -> Floats:
    """Edges of 30 bins of equal width, or of a bin for each whole number where these are as few."""
    low, high = float(values.values[0]), float(values.values[-1])
    whole = values.is_exact and np.array_equal(values.values, np.rint(values.values))
    if whole and high - low < BINS and abs(low) < 2**52:
        return np.arange(low, high + 2) - 0.5
    if low == high:
        return (
            np.linspace(low - 0.5, high + 0.5, 2) if low + 0.5 > low else np.array([low, math.nextafter(low, math.inf)])
        )
    edges = low + (high / BINS - low / BINS) * np.arange(BINS + 1)
    edges[-1] = high
    return np.unique(edges)


def _words(column: Column, learned: Statistics) -> dict[str, Any]:
    known = learned.frequencies[column.name]
    n = learned.n_rows - known.n_null
    found: dict[str, Any] = {"n": n, "n_null": known.n_null, "distinct": _distinct(*known.n_distinct())}
    found |= _top(column, *known.most_frequent(TOP), n)
    if column.kind in (CATEGORY, TEXT):
        forms, lengths = learned.forms[column.name], learned.forms[column.name].lengths()
        found["formats"] = [list(form) for form in forms.most_frequent(FORMATS)]
        found["other_formats"] = n - sum(form[1] for form in found["formats"])
        if lengths.n:
            found["lengths"] = {
                **{"min": int(lengths.values[0]), "mean": lengths.mean(), "max": int(lengths.values[-1])},
                **{"quantiles": {q: lengths.quantile(float(q)) for q in QUANTILES}, "rank_error": lengths.rank_error},
            }
    return found


def _distinct(value: float, error: float) -> dict[str, Any]:
    """The number of different values and its standard error, in values."""
    return {"value": round(value), "error": round(value * error)}


def _top(column: Column, top: list[Any], error: int, n: int) -> dict[str, Any]:
    shown = [[_shown(column, value), count] for value, count in top]
    return {"top": shown, "top_error": error, "other": max(0, n - sum(count for _, count in shown))}


def _shown(column: Column, value: Any) -> Any:
    if column.kind == TIME:
        return coverage.iso(value, day_only=column.type == "date")
    return int(value) if column.is_whole else value


def by_class(found: dict[str, Any], second: Statistics, codes: Codes) -> None:
    """Add to a column's description how its values lie in each class."""
    classes, name = codes.classes, found["name"]
    if classes is None or name == classes.column or name not in codes.by_class:
        return
    counts = table(second, classes.coding, codes.by_class[name])
    if counts is None:
        return
    rows = classes.rows(counts)
    if name in codes.ranges:
        ranges = codes.ranges[name]
        edges = found["histogram"]["edges"] if found["histogram"] else []
        found["by_class"] = {}
        for word, row in rows.items():
            values = ranges.counted(row[1:])
            counted = ranges.between(edges, row[1:]).tolist() if edges else []
            found["by_class"][word] = {"n": values.n, "mean": values.mean(), "counts": counted}
    else:
        words = codes.by_class[name].words
        found["by_class"] = {
            word: {"n": int(row[1:].sum()), "top": [[w, int(n)] for w, n in zip(words[:TOP], row[1:], strict=False)]}
            for word, row in rows.items()
        }
    if found["coverage"]:
        periods = table(second, classes.coding, codes.periods[name])
        if periods is not None:
            starts, period = codes.periods[name].edges, found["coverage"]["period"]
            found["coverage"]["by_class"] = {
                word: coverage.points(period, starts, row[1:]) for word, row in classes.rows(periods).items()
            }


def describe_outliers(values: Weighted) -> dict[str, Any] | None:
    """For each rule the bounds and how many rows lie beyond; None without values.

    `iqr`: 1.5 interquartile ranges beyond the quartiles (Tukey, "Exploratory Data Analysis", 1977). `mad`: 3.5 scaled
    median absolute deviations from the median (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993); none
    where half of the rows are equal. `quantile`: beyond the quantiles at 0.1% and 99.9%.
    """
    if not values.n:
        return None
    q1, median, q3 = (values.quantile(q) for q in (0.25, 0.5, 0.75))
    mad = MAD_TO_STD * values.deviations(median).quantile(0.5)
    reach = IQR_FACTOR * (q3 - q1)
    return {
        "iqr": _beyond(values, q1 - reach, q3 + reach) if reach > 0 else None,
        "mad": _beyond(values, median - MAD_FACTOR * mad, median + MAD_FACTOR * mad) if mad > 0 else None,
        "quantile": _beyond(values, *(values.quantile(q) for q in OUTLIER_QUANTILES)),
    }


def _beyond(values: Weighted, low: float, high: float) -> dict[str, Any]:
    beyond = (values.values < low) | (values.values > high)
    return {"low": low, "high": high, "n": int(values.counts[beyond].sum())}
