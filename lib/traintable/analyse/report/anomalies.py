"""What the section about outliers, and about unusual rows and periods, shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traintable.analyse.document import Anomalies, Period, ProfileDocument, UnusualRow
from traintable.analyse.report.column_tables import Pairs, list_outliers
from traintable.analyse.report.figures import distinct_names, figure
from traintable.analyse.report.pictures import ChartColumns, Picture, Pictures


@dataclass(frozen=True)
class OutliersView:
    """The rows outside the bounds of one column: by each rule, and by the rule that leaves most of them outside."""

    number: int
    name: str
    rules: Pairs
    n: int
    estimated: bool


@dataclass(frozen=True)
class AnomaliesView:
    """Outliers of single columns, and rows and periods unlike the others."""

    columns: Sequence[OutliersView]
    model: Anomalies | None = None
    scores: Picture | None = None
    by_time: Picture | None = None
    rows: Sequence[UnusualRow] = ()
    mahalanobis: Sequence[tuple[str, str]] = ()


def show_anomalies(profile: ProfileDocument, pictures: Pictures) -> AnomaliesView:
    """The outliers of each column, and what was scored."""
    anomalies, columns = profile["anomalies"], _outliers(profile)
    if anomalies is None:
        return AnomaliesView(columns)
    return AnomaliesView(
        columns=columns,
        model=anomalies if anomalies["method"] else None,
        scores=_scores(anomalies, pictures),
        by_time=_periods(anomalies["by_time"], pictures),
        rows=anomalies["rows"],
        mahalanobis=_mahalanobis(anomalies),
    )


def _outliers(profile: ProfileDocument) -> list[OutliersView]:
    shown = []
    for number, column in enumerate(profile["columns"]):
        outliers = column["outliers"]
        if outliers:
            rules = (outliers["iqr"], outliers["mad"], outliers["quantile"])
            n = max((bounds["n"] for bounds in rules if bounds), default=0)
            is_estimated = bool(column["rank_error"])
            shown.append(OutliersView(number, column["name"], list_outliers(column), n, is_estimated))
    return shown


def _scores(anomalies: Anomalies, pictures: Pictures) -> Picture | None:
    scores, limit = anomalies["scores"], anomalies["threshold"]
    if scores is None:
        return None
    kind = "histogram" if limit is None else "scores"
    return pictures.add_histogram(scores["edges"], {"": scores["counts"]}, "Scores of the rows", kind=kind, limit=limit)


def _periods(periods: Sequence[Period], pictures: Pictures) -> Picture | None:
    data: ChartColumns = {
        "name": [period["period"] for period in periods],
        "value": [period["score"] for period in periods],
        "strong": [True for _ in periods],
        "note": [", ".join(distinct_names(period["columns"], 40)) for period in periods],
    }
    return pictures.add("ranked", data, "How unlike those before it each period is")


def _mahalanobis(anomalies: Anomalies) -> Pairs:
    distances = anomalies["mahalanobis"]
    if distances is None:
        return []
    return [
        ("columns", figure(len(distances["columns"]))),
        ("directions in which they vary", figure(distances["rank"])),
        ("limit of the squared distance", figure(distances["limit"])),
        ("rows beyond the limit", figure(distances["n"])),
        ("expected of normal rows", figure(distances["expected"])),
    ]
