"""What the page says of each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traintable.analyse.document import ColumnProfile, Distinct, Flag, ProfileDocument
from traintable.analyse.report import sparkline
from traintable.analyse.report.column_pictures import MOST_VALUES, show_column_pictures, show_value
from traintable.analyse.report.column_tables import Table, describe_distinct_error, list_measures, show_tables
from traintable.analyse.report.figures import (
    count_error,
    distinct_names,
    figure,
    percent,
    rank_error,
    share_of,
    shorten,
)
from traintable.analyse.report.pictures import Picture, Pictures

_WORDS = {"near_key": "near-key", "id_like": "ID-like"}
_SEVERE = {"constant", "all_missing", "near_key", "id_like", "infinite_values", "suspicious_value", "imbalanced"}


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
    names = distinct_names([column["name"] for column in profile["columns"]], 80)
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
        distinct_error=describe_distinct_error(column["distinct"]),
        typical=_typical(column),
        spark=sparkline.path(_counts(column)),
        flags=[_show_flag(flag) for flag in column["flags"]],
        association=measure_with_label(column),
        scan=column["scan"],
        tables=show_tables(column, rows),
        top=_top(column, rows),
        errors=_errors(column),
        gaps=column["coverage"]["gaps"] if column["coverage"] else [],
        pictures=show_column_pictures(column, rows, pictures),
    )


def _show_flag(flag: Flag) -> FlagView:
    name = flag["flag"]
    return FlagView(_WORDS.get(name, name.replace("_", " ")), flag["text"], name in _SEVERE)


def measure_with_label(column: ColumnProfile) -> LabelMeasure | None:
    """The measure of association with the label by which columns are sorted; None without one."""
    measures = list_measures(column["label"]) if column["label"] else []
    return next((LabelMeasure(name, value) for name, value in measures if value is not None), None)


def _typical(column: ColumnProfile) -> str:
    mean, std, top = column["mean"], column["std"], column["top"]
    if mean is not None and column["kind"] == "number":
        return figure(mean) + (f" ± {figure(std)}" if std is not None else "")
    if column["kind"] == "time" and column["min"]:
        return f"{figure(column['min'])[:10]} to {figure(column['max'])[:10]}"
    return shorten(show_value(top[0][0]), 60) if top else ""


def _counts(column: ColumnProfile) -> Sequence[float]:
    if column["histogram"]:
        return column["histogram"]["counts"]
    if column["coverage"]:
        return [count for _, count in column["coverage"]["days"]]
    return [count for _, count in (column["top"] or ())[:MOST_VALUES]]


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
