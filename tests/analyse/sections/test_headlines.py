"""The things that matter first come first."""

from __future__ import annotations

from typing import Any, cast

import pytest

from traintable.analyse.document import ProfileDocument
from traintable.analyse.sections import headlines


def profile(**parts: Any) -> ProfileDocument:
    """A profile of 100 rows that has nothing remarkable but `parts`."""
    empty = {"label": None, "columns": [], "leaks": [], "imbalance": None, "associations": None}
    return cast("ProfileDocument", {"rows": 100, **empty, "anomalies": None, "drift": None, **parts})


def column(name: str, *flags: str, n: int = 100, **label: float) -> dict[str, Any]:
    flagged = [{"flag": flag, "text": f"about {flag}"} for flag in flags]
    return {"name": name, "n": n, "n_null": 100 - n, "flags": flagged, "label": label or None}


def titles(**parts: Any) -> list[str]:
    return [headline["title"] for headline in headlines.rank_headlines(profile(**parts))]


def test_nothing_remarkable() -> None:
    assert headlines.rank_headlines(profile(columns=[column("x")])) == []


def test_leaks_and_drift_come_before_what_is_merely_odd() -> None:
    leak = {"columns": ["x"], "message": "It tells the label.", "severity": "severe"}
    drift = {"columns": [{"name": "x", "kind": "number", "severity": "severe"}], "schema": []}
    found = titles(leaks=[leak], drift=drift, columns=[column("x", "skewed", "constant")])
    assert found == [
        "Suspected leaks: 1",
        "The table has changed",
        "Columns that are constant: 1",
        "Columns that are skewed: 1",
    ]


def test_that_times_have_moved_on_is_no_headline() -> None:
    assert titles(drift={"columns": [{"name": "t", "kind": "time", "severity": "severe"}], "schema": []}) == []


def test_five_at_most_of_which_the_most_severe_are_kept() -> None:
    flags = ("skewed", "heavy_tails", "high_missing", "rare_categories", "constant", "id_like", "mixed_formats")
    found = headlines.rank_headlines(profile(columns=[column("x", *flags)]))
    assert [headline["severity"] for headline in found] == ["medium", "medium", "medium", "low", "low"]


@pytest.mark.parametrize(("auc", "is_shown"), [(0.99, True), (0.01, True), (0.9, False), (0.5, False)])
def test_a_column_that_alone_determines_the_label(auc: float, is_shown: bool) -> None:
    found = titles(columns=[column("x", auc=auc)], label="y")
    assert ("Too good to be true" in found) == is_shown
    assert ("What says most about the label" in found) == (auc == 0.9)


def test_periods_are_strange_only_where_they_are() -> None:
    calm = {"period": "2024-01-01", "score": 2.0, "is_strange": False}
    strange = {"period": "2024-01-02", "score": 9.0, "is_strange": True}
    assert titles(anomalies={"by_time": [calm]}) == []
    (found,) = headlines.rank_headlines(profile(anomalies={"by_time": [calm, strange]}))
    assert found["text"] == "1 of 2 periods is unlike those before it, most of all 2024-01-02."


def test_mostly_empty_columns_are_severe_when_one_is_wholly_so() -> None:
    assert headlines.rank_headlines(profile(columns=[column("x", n=40)]))[0]["severity"] == "medium"
    (found,) = headlines.rank_headlines(profile(columns=[column("x", n=40), column("z", n=0)]))
    assert (found["severity"], found["columns"]) == ("high", ["z", "x"])


def test_what_is_severe_comes_first_whatever_it_is_about() -> None:
    balance = {"classes": {"a": 80, "b": 20}, "ratio": 4.0, "is_imbalanced": True, "metrics": ["Read recall."]}
    found = headlines.rank_headlines(profile(label="y", imbalance=balance, columns=[column("x", n=0), column("y")]))
    assert [(h["severity"], h["section"]) for h in found] == [("high", "missingness"), ("medium", "imbalance")]
