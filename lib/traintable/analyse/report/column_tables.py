"""The small tables of figures in the panel of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traintable.analyse.document import ColumnProfile, Distinct, LabelAssociation, Value
from traintable.analyse.report.column_pictures import show_value
from traintable.analyse.report.figures import figure, p_value, percent, rank_error, relative_error, share_of, shorten

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A small table of figures, of one source and one kind of error."""

    title: str
    error: str
    rows: Pairs


def show_tables(column: ColumnProfile, rows: int) -> list[Table]:
    """The tables that have rows."""
    quantiles = sorted((column["quantiles"] or {}).items(), key=lambda pair: float(pair[0]))
    formats = [(form, f"{figure(n)}, such as {show_value(example)}") for form, n, example in column["formats"] or ()]
    in_rank = rank_error(column["rank_error"])
    tables = [
        Table("Rows", "exact", _row_counts(column, rows)),
        Table("Moments", "exact", [] if column["coverage"] else _moments(column)),
        Table("Quantiles", in_rank, [(percent(float(q)), figure(value)) for q, value in quantiles]),
        Table("Outside the bounds", in_rank, list_outliers(column)),
        Table("With the label", in_rank, _with_label(column)),
        Table("Lengths", "exact", _lengths(column)),
        Table("Formats", "exact", formats),
        Table("Time", "exact", _coverage(column)),
    ]
    return [table for table in tables if table.rows]


def _shown_only(pairs: Sequence[tuple[str, Value | None]]) -> Pairs:
    return [(name, figure(value)) for name, value in pairs if value is not None]


def _moments(column: ColumnProfile) -> Pairs:
    return _shown_only(
        [
            ("min", column["min"]),
            ("max", column["max"]),
            ("mean", column["mean"]),
            ("std", column["std"]),
            ("variance", column["variance"]),
            ("skewness", column["skewness"]),
            ("kurtosis", column["kurtosis"]),
        ]
    )


def _lengths(column: ColumnProfile) -> Pairs:
    lengths = column["lengths"]
    if not lengths:
        return []
    quantiles = [(percent(float(q)), figure(value)) for q, value in lengths["quantiles"].items()]
    return [*_shown_only([("min", lengths["min"]), ("mean", lengths["mean"]), ("max", lengths["max"])]), *quantiles]


def _row_counts(column: ColumnProfile, rows: int) -> Pairs:
    counts = [
        ("with a value", column["n"]),
        ("null", column["n_null"]),
        ("NaN", column["n_nan"]),
        ("infinite", column["n_infinite"]),
        ("zero", column["n_zero"]),
    ]
    shown = [
        (word, figure(n) + (f" ({percent(share_of(n, rows))})" if n else "")) for word, n in counts if n is not None
    ]
    distinct, error = column["distinct"], describe_distinct_error(column["distinct"])
    if distinct is None:
        return shown
    return [*shown, ("different values", figure(distinct["value"]) + ("" if error == "exact" else f" {error}"))]


def _with_label(column: ColumnProfile) -> Pairs:
    label, classes = column["label"], column["by_class"] or {}
    rows = _shown_only(list_measures(label)) if label else []
    if label and "test" in label:
        rows += [("test", label["test"]), ("p value", p_value(label.get("p_value")))]
        rows.append(("q value", p_value(label.get("q_value"))))
    means = [(word, part["mean"]) for word, part in classes.items() if "mean" in part]
    return rows + [(f"mean of “{shorten(word, 40)}”", figure(mean)) for word, mean in means if mean is not None]


def list_outliers(column: ColumnProfile) -> Pairs:
    """For each rule its bounds and the rows outside them."""
    outliers = column["outliers"]
    if not outliers:
        return []
    rules = [("IQR", outliers["iqr"]), ("MAD", outliers["mad"]), ("Quantiles", outliers["quantile"])]
    return [
        (rule, f"{figure(bounds['n'])} outside {figure(bounds['low'])} to {figure(bounds['high'])}")
        for rule, bounds in rules
        if bounds
    ]


def _coverage(column: ColumnProfile) -> Pairs:
    coverage = column["coverage"]
    if not coverage:
        return []
    rows = [("first", figure(coverage["first"])), ("last", figure(coverage["last"]))]
    if coverage["step_seconds"] is not None:
        rows.append(("usual step", f"{figure(coverage['step_seconds'])} s"))
    return [*rows, ("gaps", figure(len(coverage["gaps"])))]


def describe_distinct_error(distinct: Distinct | None) -> str:
    """The standard error of the number of different values in words, relative to it."""
    return "exact" if distinct is None else relative_error(share_of(distinct["error"], distinct["value"]))


def list_measures(label: LabelAssociation) -> list[tuple[str, float | None]]:
    """The measures by their names, those first by which columns are sorted."""
    return [
        ("AUC", label.get("auc")),
        ("correlation ratio", label.get("correlation_ratio")),
        ("Cramér's V", label.get("cramers_v")),
        ("Spearman's rho", label.get("spearman")),
        ("Pearson's r", label.get("pearson")),
        ("mutual information", label.get("mutual_information")),
    ]
