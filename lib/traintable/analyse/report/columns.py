"""What the page says of each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traintable.analyse.document import ColumnProfile, Distinct, Flag, LabelAssociation, ProfileDocument, Value
from traintable.analyse.report import sparkline
from traintable.analyse.report.column_pictures import MOST_VALUES, show_column_pictures, show_value
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

_WORDS = {"near_key": "near-key", "id_like": "ID-like"}
_SEVERE = {"constant", "all_missing", "near_key", "id_like", "infinite_values", "suspicious_value", "imbalanced"}

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class FlagView:
    """A flag in a word, with its sentence, and whether it needs to be looked into."""

    word: str
    text: str
    severe: bool


@dataclass(frozen=True)
class LabelMeasure:
    """The measure of association with the label that the table of columns sorts by, and its value."""

    name: str
    value: float

    @property
    def strength(self) -> float:
        """How far the value is from saying nothing, on a scale of 0 to 1."""
        return abs(2 * self.value - 1) if self.name == "AUC" else abs(self.value)


@dataclass(frozen=True)
class Table:
    """A small table of figures, of one source and one kind of error."""

    title: str
    error: str
    rows: Pairs


@dataclass(frozen=True)
class TopValues:
    """The most frequent values with their rows and shares of the rows, and the rows of all others."""

    error: str
    rows: Sequence[tuple[str, int, str]]
    other: int
    other_share: str


@dataclass(frozen=True)
class ColumnView:
    """What the row and the panel of a column show."""

    number: int
    name: str
    shown: str
    type: str
    kind: str
    role: str
    missing: float | None
    distinct: Distinct | None
    distinct_error: str
    typical: str
    spark: str
    flags: Sequence[FlagView]
    association: LabelMeasure | None
    scan: int
    tables: Sequence[Table]
    top: TopValues | None
    errors: Mapping[str, str]
    gaps: Sequence[tuple[str, str, int]]
    pictures: Sequence[Picture]


def show_columns(profile: ProfileDocument, pictures: Pictures) -> list[ColumnView]:
    """For each column what its row and its panel show."""
    names = different([column["name"] for column in profile["columns"]], 80)
    return [
        _show_column(column, number, shown, profile["rows"], pictures)
        for number, (column, shown) in enumerate(zip(profile["columns"], names, strict=True))
    ]


def _show_column(column: ColumnProfile, number: int, shown: str, rows: int, pictures: Pictures) -> ColumnView:
    return ColumnView(
        number=number,
        name=column["name"],
        shown=shown,
        type=column["type"],
        kind=column["kind"],
        role=column["role"],
        missing=share_of(column["n_null"] + (column["n_nan"] or 0), rows),
        distinct=column["distinct"],
        distinct_error=_distinct_error(column["distinct"]),
        typical=_typical(column),
        spark=sparkline.path(_counts(column)),
        flags=[_show_flag(flag) for flag in column["flags"]],
        association=measure_with_label(column),
        scan=column["scan"],
        tables=_tables(column, rows),
        top=_top(column, rows),
        errors=_errors(column),
        gaps=column["coverage"]["gaps"] if column["coverage"] else [],
        pictures=show_column_pictures(column, rows, pictures),
    )


def _distinct_error(distinct: Distinct | None) -> str:
    return "exact" if distinct is None else relative_error(share_of(distinct["error"], distinct["value"]))


def _show_flag(flag: Flag) -> FlagView:
    name = flag["flag"]
    return FlagView(_WORDS.get(name, name.replace("_", " ")), flag["text"], name in _SEVERE)


def _measures(label: LabelAssociation) -> list[tuple[str, float | None]]:
    """The measures by their names, those first by which columns are sorted."""
    return [
        ("AUC", label.get("auc")),
        ("correlation ratio", label.get("correlation_ratio")),
        ("Cramér's V", label.get("cramers_v")),
        ("Spearman's rho", label.get("spearman")),
        ("Pearson's r", label.get("pearson")),
        ("mutual information", label.get("mutual_information")),
    ]


def measure_with_label(column: ColumnProfile) -> LabelMeasure | None:
    """The measure of association with the label by which columns are sorted; None without one."""
    measures = _measures(column["label"]) if column["label"] else []
    return next((LabelMeasure(name, value) for name, value in measures if value is not None), None)


def _typical(column: ColumnProfile) -> str:
    mean, std, top = column["mean"], column["std"], column["top"]
    if mean is not None and column["kind"] == "number":
        return figure(mean) + (f" ± {figure(std)}" if std is not None else "")
    if column["kind"] == "time" and column["min"]:
        return f"{figure(column['min'])[:10]} to {figure(column['max'])[:10]}"
    return shortened(show_value(top[0][0]), 60) if top else ""


def _counts(column: ColumnProfile) -> Sequence[float]:
    if column["histogram"]:
        return column["histogram"]["counts"]
    if column["coverage"]:
        return [count for _, count in column["coverage"]["days"]]
    return [count for _, count in (column["top"] or ())[:MOST_VALUES]]


def _tables(column: ColumnProfile, rows: int) -> list[Table]:
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
    distinct, error = column["distinct"], _distinct_error(column["distinct"])
    if distinct is None:
        return shown
    return [*shown, ("different values", figure(distinct["value"]) + ("" if error == "exact" else f" {error}"))]


def _with_label(column: ColumnProfile) -> Pairs:
    label, classes = column["label"], column["by_class"] or {}
    rows = _shown_only(_measures(label)) if label else []
    if label and "test" in label:
        rows += [("test", label["test"]), ("p value", p_value(label.get("p_value")))]
        rows.append(("q value", p_value(label.get("q_value"))))
    means = [(word, part["mean"]) for word, part in classes.items() if "mean" in part]
    return rows + [(f"mean of “{shortened(word, 40)}”", figure(mean)) for word, mean in means if mean is not None]


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


def _top(column: ColumnProfile, rows: int) -> TopValues | None:
    top = [(show_value(value), count) for value, count in column["top"] or ()]
    if not top or column["histogram"]:
        return None
    other = (column["other"] or 0) + sum(count for _, count in top[MOST_VALUES:])
    shown = [(value, count, percent(share_of(count, rows))) for value, count in top[:MOST_VALUES]]
    return TopValues(count_error(column["top_error"]), shown, other, percent(share_of(other, rows)))


def _errors(column: ColumnProfile) -> dict[str, str]:
    """The error of each kind of picture."""
    in_rank = rank_error(column["rank_error"])
    return {"histogram": in_rank, "by_class": in_rank, "bars": count_error(column["top_error"])}
