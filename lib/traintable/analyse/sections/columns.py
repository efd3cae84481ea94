"""What is known of the columns one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from traintable.analyse.document import Bounds, ColumnProfile, Distinct, OutlierRules, Value
from traintable.analyse.json_values import finite
from traintable.analyse.scans.columns import CATEGORY, NUMBER, TEXT, TIME, WORDS, AnalysedColumn
from traintable.analyse.scans.periods import iso_time
from traintable.analyse.scans.ranges import Ranges
from traintable.analyse.sections import coverage
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


def describe_column(column: AnalysedColumn, learned: Statistics) -> ColumnProfile:
    """All that the first scan says of a column; what does not apply to its kind is None."""
    profile = blank_column(column)
    if column.is_ranked:
        _describe_ranked(profile, column, learned)
    elif column.kind in (*WORDS, TEXT):
        _describe_words(profile, column, learned)
    else:
        n_null = int(learned.missingness.n_missing[learned.missingness.columns.index(column.name)])
        profile["n"], profile["n_null"] = learned.n_rows - n_null, n_null
    return profile


def blank_column(column: AnalysedColumn) -> ColumnProfile:
    """The profile of a column of which nothing is known yet."""
    return {
        "name": column.name,
        "type": column.type,
        "kind": column.kind,
        "role": column.role,
        "n": 0,
        "n_null": 0,
        "n_nan": None,
        "n_infinite": None,
        "n_zero": None,
        "distinct": None,
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "variance": None,
        "skewness": None,
        "kurtosis": None,
        "quantiles": None,
        "rank_error": None,
        "histogram": None,
        "by_class": None,
        "top": None,
        "top_error": None,
        "other": None,
        "lengths": None,
        "formats": None,
        "coverage": None,
        "outliers": None,
        "label": None,
        "flags": [],
        "scan": 0,
    }


def _describe_ranked(profile: ColumnProfile, column: AnalysedColumn, learned: Statistics) -> None:
    """Fill in what is known of a number or a time."""
    name, summary, shape = column.name, learned.summary[column.name], learned.shape[column.name]
    profile["n"], profile["n_null"], profile["n_nan"] = summary.n, summary.n_null, summary.n_nan
    profile["n_infinite"], profile["n_zero"] = summary.n_infinite, summary.n_zero
    if summary.n:
        profile["min"], profile["max"] = _value(column, summary.min), _value(column, summary.max)
    mean, variance = learned.mean_and_variance(name)
    profile["mean"], profile["variance"] = finite(mean), finite(variance)
    profile["std"] = finite(math.sqrt(variance)) if variance >= 0 else None
    profile["skewness"], profile["kurtosis"] = finite(shape.skewness()), finite(shape.kurtosis())
    profile["distinct"] = _distinct(*learned.values[name].n_distinct())
    values = Ranges.of(learned.values[name], 2**20).weighted
    if values.n:
        _describe_distribution(profile, column, values, learned)
    _set_top(profile, column, *learned.values[name].most_frequent(TOP))


def _describe_distribution(
    profile: ColumnProfile, column: AnalysedColumn, values: Weighted, learned: Statistics
) -> None:
    if column.kind == TIME:
        day_only = column.type == "date"
        profile["coverage"] = coverage.describe_coverage(learned.periods[column.name], values, day_only=day_only)
    edges = histogram_edges(values)
    counts, _ = np.histogram(values.values, edges, weights=values.counts)
    profile["histogram"] = {"edges": edges.tolist(), "counts": counts.astype(np.int64).tolist()}
    profile["quantiles"] = {q: values.quantile(float(q)) for q in QUANTILES}
    profile["rank_error"] = values.rank_error
    profile["outliers"] = describe_outliers(values) if column.kind == NUMBER else None


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


def _describe_words(profile: ColumnProfile, column: AnalysedColumn, learned: Statistics) -> None:
    """Fill in what is known of a category or a text."""
    frequencies = learned.frequencies[column.name]
    n = learned.n_rows - frequencies.n_null
    profile["n"], profile["n_null"] = n, frequencies.n_null
    profile["distinct"] = _distinct(*frequencies.n_distinct())
    _set_top(profile, column, *frequencies.most_frequent(TOP))
    if column.kind not in (CATEGORY, TEXT):
        return
    forms, lengths = learned.forms[column.name], learned.forms[column.name].lengths()
    formats = forms.most_frequent(FORMATS)
    profile["formats"], profile["other_formats"] = formats, n - sum(rows for _, rows, _ in formats)
    if lengths.n:
        profile["lengths"] = {
            "min": int(lengths.values[0]),
            "mean": lengths.mean(),
            "max": int(lengths.values[-1]),
            "quantiles": {q: lengths.quantile(float(q)) for q in QUANTILES},
            "rank_error": lengths.rank_error,
        }


def _distinct(value: float, relative_error: float) -> Distinct:
    return {"value": round(value), "error": round(value * relative_error)}


def _set_top(profile: ColumnProfile, column: AnalysedColumn, top: list[tuple[Any, int]], error: int) -> None:
    """The most frequent values, by how much their counts may be too low, and the rows of all others."""
    profile["top"] = [(_value(column, value), rows) for value, rows in top]
    profile["top_error"] = error
    profile["other"] = max(0, profile["n"] - sum(rows for _, rows in top))


def _value(column: AnalysedColumn, value: Any) -> Value:
    """A value as the profile shows it."""
    if column.kind == TIME:
        return iso_time(value, day_only=column.type == "date")
    shown: Value = int(value) if column.is_whole else value
    return shown


def describe_outliers(values: Weighted) -> OutlierRules:
    """For each rule the bounds, and how many rows lie beyond them.

    `iqr`: 1.5 interquartile ranges beyond the quartiles (Tukey, "Exploratory Data Analysis", 1977). `mad`: 3.5 scaled
    median absolute deviations from the median (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993); none
    where half of the rows are equal. `quantile`: beyond the quantiles at 0.1% and 99.9%.
    """
    q1, median, q3 = (values.quantile(q) for q in (0.25, 0.5, 0.75))
    mad = MAD_TO_STD * values.deviations(median).quantile(0.5)
    reach = IQR_FACTOR * (q3 - q1)
    return {
        "iqr": _bounds(values, q1 - reach, q3 + reach) if reach > 0 else None,
        "mad": _bounds(values, median - MAD_FACTOR * mad, median + MAD_FACTOR * mad) if mad > 0 else None,
        "quantile": _bounds(values, *(values.quantile(q) for q in OUTLIER_QUANTILES)),
    }


def _bounds(values: Weighted, low: float, high: float) -> Bounds:
    beyond = (values.values < low) | (values.values > high)
    return {"low": finite(low), "high": finite(high), "n": int(values.counts[beyond].sum())}
