"""What the sections about the whole table show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from traintable.analyse.document import (
    ColumnDrift,
    EffectSize,
    HypothesisTest,
    Importance,
    MissingPattern,
    ProfileDocument,
    TableDrift,
)
from traintable.analyse.report.columns import ColumnView
from traintable.analyse.report.figures import (
    count_error,
    distinct_names,
    figure,
    is_number,
    p_value,
    percent,
    rank_error,
    share_of,
)
from traintable.analyse.report.pictures import ChartColumns, Picture, Pictures

MOST_BARS = 40
MOST_PATTERNS = 20

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class OverviewView:
    """Kinds of columns with their numbers, the share of cells that are missing, and flags with their numbers."""

    kinds: Sequence[tuple[str, int]]
    missing: str
    flags: Sequence[tuple[str, int]]


def show_overview(profile: ProfileDocument, columns: Sequence[ColumnView]) -> OverviewView:
    """The size of the table and what its columns are like."""
    missing = sum(column["n_null"] for column in profile["columns"])
    return OverviewView(
        kinds=Counter(column.kind for column in columns).most_common(),
        missing=percent(share_of(missing, profile["rows"] * len(columns))),
        flags=Counter(flag.word for column in columns for flag in column.flags).most_common(),
    )


@dataclass(frozen=True)
class MissingnessView:
    """Columns that lack values, those of them that are not in the picture, and the patterns."""

    bars: Picture | None
    n_columns: int
    n_more: int
    patterns: Picture | None
    other: int
    error: str
    together: Sequence[tuple[str, str, str]]


def show_missingness(profile: ProfileDocument, pictures: Pictures) -> MissingnessView:
    """Shares of missing values, and which columns miss them together."""
    missingness, rows = profile["missingness"], profile["rows"]
    incomplete = sorted((-c["n_null"], i) for i, c in enumerate(profile["columns"]) if c["n_null"])
    shown = [(profile["columns"][i]["name"], -n) for n, i in incomplete[:MOST_BARS]]
    bars: ChartColumns = {
        "name": distinct_names([name for name, _ in shown], 60),
        "n": [n for _, n in shown],
        "share": [share_of(n, rows) for _, n in shown],
    }
    return MissingnessView(
        bars=pictures.add("bars", bars, "Rows without a value, for each column that lacks some"),
        n_columns=len(incomplete),
        n_more=len(incomplete) - len(shown),
        patterns=_patterns(missingness["patterns"], rows, pictures),
        other=missingness["other_patterns"],
        error=count_error(missingness["error"]),
        together=[(a, b, figure(phi)) for a, b, phi in missingness["together"][:15]],
    )


def _patterns(patterns: Sequence[MissingPattern], rows: int, pictures: Pictures) -> Picture | None:
    first = sorted(patterns, key=lambda pattern: -pattern["rows"])[:MOST_PATTERNS]
    names = list(dict.fromkeys(name for pattern in first for name in pattern["columns"]))[:MOST_BARS]
    labels = distinct_names([f"{figure(p['rows'])} rows, {percent(share_of(p['rows'], rows))}" for p in first], 60)
    cells = [
        (label, short, name in pattern["columns"])
        for pattern, label in zip(first, labels, strict=True)
        for name, short in zip(names, distinct_names(names, 40), strict=True)
    ]
    data: ChartColumns = {
        "rows": [c[0] for c in cells],
        "name": [c[1] for c in cells],
        "missing": [c[2] for c in cells],
    }
    return pictures.add("patterns", data, "Which columns are missing together, for the most frequent patterns")


@dataclass(frozen=True)
class ImportanceView:
    """Permutation importance with its intervals, and the best of the random columns."""

    measured: Importance | None = None
    best: float | None = None
    useful: int = 0
    n_more: int = 0
    chart: Picture | None = None


def show_importance(profile: ProfileDocument, pictures: Pictures) -> ImportanceView:
    """The most important columns, compared with the random ones."""
    importance = profile["importance"]
    if importance is None:
        return ImportanceView()
    best = importance["probes"]["best"]
    ranked = sorted(importance["columns"], key=lambda c: -c["importance"])
    shown = ranked[:MOST_BARS]
    notes = ("not above the random columns", "above the random columns")
    data: ChartColumns = {
        "name": distinct_names([c["name"] for c in shown], 60),
        "value": [c["importance"] for c in shown],
        "low": [c["low"] for c in shown],
        "high": [c["high"] for c in shown],
        "strong": [c["is_useful"] for c in shown],
        "limit": [best for _ in shown],
        "note": [notes[c["is_useful"]] for c in shown],
    }
    return ImportanceView(
        measured=importance,
        best=best,
        useful=sum(c["is_useful"] for c in ranked),
        n_more=len(ranked) - len(shown),
        chart=pictures.add("intervals", data, "Importance of each column on held-out rows, with its interval"),
    )


def show_label_associations(columns: Sequence[ColumnView], pictures: Pictures) -> Picture | None:
    """The columns that are most strongly associated with the label."""
    measured = [(c.shown, c.association) for c in columns if c.association]
    measured.sort(key=lambda pair: -pair[1].strength)
    shown = measured[:MOST_BARS]
    data: ChartColumns = {
        "name": distinct_names([name for name, _ in shown], 60),
        "value": [measure.strength for _, measure in shown],
        "strong": [True for _ in shown],
        "note": [f"{measure.name} {figure(measure.value)}" for _, measure in shown],
    }
    return pictures.add("ranked", data, "Association of each column with the label")


@dataclass(frozen=True)
class DriftView:
    """How far each column moved, those that moved most first."""

    compared: TableDrift | None = None
    columns: Sequence[ColumnDrift] = ()
    error: str = "exact"
    chart: Picture | None = None


def show_drift(profile: ProfileDocument, pictures: Pictures) -> DriftView:
    """The comparison with another table, or with an earlier version."""
    drift = profile["drift"]
    if drift is None:
        return DriftView()
    columns = sorted(drift["columns"], key=lambda c: -(c["psi"] or 0.0))
    shown = columns[:MOST_BARS]
    data: ChartColumns = {
        "name": distinct_names([c["name"] for c in shown], 60),
        "value": [c["psi"] for c in shown],
        "strong": [c["severity"] in ("moderate", "severe") for c in shown],
        "note": [c["severity"] for c in shown],
    }
    return DriftView(
        compared=drift,
        columns=columns,
        error=rank_error(max((c["rank_error"] for c in columns), default=0.0)),
        chart=pictures.add("ranked", data, "Population stability index of each column"),
    )


@dataclass(frozen=True)
class TestView:
    """A test with its numbers in words."""

    __test__ = False  # the name is no test case

    result: HypothesisTest
    effect: str
    p: str
    q: str


def show_tests(profile: ProfileDocument) -> list[TestView]:
    """The tests in the order of their q-values."""
    tests = sorted(profile["tests"], key=lambda test: (test["q_value"] is None, test["q_value"] or 0.0))
    return [
        TestView(test, _effect(test["effect"]), p_value(test["p_value"]), p_value(test["q_value"])) for test in tests
    ]


def _effect(effect: EffectSize | None) -> str:
    if not effect:
        return ""
    interval = f" ({figure(effect['low'])} to {figure(effect['high'])})" if is_number(effect["low"]) else ""
    return f"{effect['name'].replace('_', ' ')} {figure(effect['value'])}{interval}"
