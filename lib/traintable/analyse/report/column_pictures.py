"""The charts in the panel of a column."""

from __future__ import annotations

from traintable.analyse.document import ColumnProfile, Value
from traintable.analyse.report.figures import distinct_names, figure, share_of, shorten
from traintable.analyse.report.pictures import ChartColumns, Picture, Pictures

MOST_VALUES = 12
MOST_PERIODS = 400
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def show_column_pictures(column: ColumnProfile, rows: int, pictures: Pictures) -> list[Picture]:
    """Its distribution, also by class, its frequent values, and the rows over time."""
    name = shorten(column["name"], 60)
    shown = [
        _histogram(column, name, pictures),
        _by_class(column, name, pictures),
        _frequent_values(column, name, rows, pictures),
        *_coverage(column, name, pictures),
    ]
    return [picture for picture in shown if picture is not None]


def show_value(value: Value | None) -> str:
    """A value of a column as text, also where it is empty."""
    if value is None:
        return "null"
    return "(empty)" if value == "" else figure(value)


def _histogram(column: ColumnProfile, name: str, pictures: Pictures) -> Picture | None:
    histogram = column["histogram"]
    if not histogram:
        return None
    series = {"": histogram["counts"]}
    return pictures.add_histogram(histogram["edges"], series, f"Histogram of {name}", kind="histogram")


def _by_class(column: ColumnProfile, name: str, pictures: Pictures) -> Picture | None:
    histogram, classes = column["histogram"], column["by_class"]
    if not histogram or not classes:
        return None
    counts = [part["counts"] for part in classes.values() if "counts" in part]
    series = dict(zip(distinct_names(list(classes), 40), counts, strict=True))
    words = f"Distribution of {name} in each class"
    return pictures.add_histogram(histogram["edges"], series, words, kind="by_class")


def _frequent_values(column: ColumnProfile, name: str, rows: int, pictures: Pictures) -> Picture | None:
    top = (column["top"] or [])[:MOST_VALUES]
    if column["histogram"] or not top or column["kind"] == "text":
        return None
    words, counts = distinct_names([show_value(value) for value, _ in top], 60), [count for _, count in top]
    bars: ChartColumns = {"name": words, "n": counts, "share": [share_of(count, rows) for count in counts]}
    return pictures.add("bars", bars, f"Frequent values of {name}")


def _coverage(column: ColumnProfile, name: str, pictures: Pictures) -> list[Picture | None]:
    """Rows of each period, and of each hour of the week."""
    coverage = column["coverage"]
    if not coverage:
        return []
    days, week = coverage["days"][:MOST_PERIODS], coverage["hour_of_week"]
    over: ChartColumns = {"t": [t for t, _ in days], "period": [t for t, _ in days], "n": [n for _, n in days]}
    hours: ChartColumns = {
        "day": [_WEEKDAYS[h // 24 % 7] for h in range(len(week))],
        "hour": [h % 24 for h in range(len(week))],
        "n": week,
    }
    return [
        pictures.add("over_time", over, f"Rows of each {coverage['period']} of {name}"),
        pictures.add("week", hours, f"Rows of each hour of the week of {name}"),
    ]
