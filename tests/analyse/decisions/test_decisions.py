"""Each decision follows from a number, is a plan that can be carried out, and an edit of it stays."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from traintable.analyse import decisions
from traintable.config.plan import Plan


def number(name: str, **found: Any) -> dict[str, Any]:
    known = {"skewness": 0.1, "kurtosis": 0.0, "distinct": {"value": 500, "error": 0.0}, "n": 1000}
    beyond = {"iqr": {"low": 0.0, "high": 1.0, "n": found.pop("n_beyond", 0)}}
    base = {"name": name, "type": "double", "kind": "number", "role": "feature", "flags": [], "outliers": beyond}
    return {**base, **known, **found}


def category(name: str, distinct: int, **found: Any) -> dict[str, Any]:
    base = {"name": name, "type": "string", "kind": "category", "role": "feature", "flags": [], "n": 1000}
    return {**base, "distinct": {"value": distinct, "error": 0.0}, **found}


def flag(name: str) -> dict[str, str]:
    return {"flag": name, "text": f"it is {name}"}


LABEL = number("late", role="label", distinct={"value": 2, "error": 0.0})


def profile(*columns: dict[str, Any], **sections: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"rows": 1000, "label": "late", "imbalance": None, "associations": None}
    known |= {"hints": [], "leaks": [], "importance": None}
    return {**known, "columns": [LABEL, *columns], **sections}


def decided(*columns: dict[str, Any], **sections: Any) -> dict[str, Any]:
    plan = decisions.decide(profile(*columns, **sections))
    if plan["features"]:
        Plan.model_validate(plan)
    return plan


def bare(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("because", "alternatives")}


@pytest.mark.parametrize(
    ("column", "expected", "because"),
    [
        (number("x"), {"scale": "standard"}, "nothing remarkable"),
        (number("x", n=995), {"impute": "mean", "scale": "standard"}, "0.50% of the rows"),
        (number("x", n=900), {"impute": "mean", "indicator": True, "scale": "standard"}, "10.00%"),
        (number("x", n=999, skewness=2.5), {"impute": "median", "scale": "standard"}, "skewness 2.5"),
        (
            number("x", kurtosis=40.0, n_beyond=30),
            {"outliers": {"method": "quantile", "low": 0.001, "high": 0.999}, "scale": "standard"},
            "excess kurtosis 40.0",
        ),
        (number("x", n_beyond=30), {"scale": "robust"}, "3.0% beyond"),
        (number("x", n=990, distinct={"value": 2, "error": 0.0}), {"impute": "mode", "indicator": True}, "two values"),
        (category("x", 5), {"encode": "one_hot"}, "5 different values"),
        (category("x", 900), {"encode": "target"}, "900 different"),
        (category("x", 20_000), {"encode": "hashing", "n_buckets": 256}, "20,000 different"),
        (category("x", 5, flags=[flag("mixed_formats")]), {"encode": "one_hot", "trim": True}, "mixed formats"),
    ],
)
def test_what_becomes_of_a_column(column: dict[str, Any], expected: dict[str, Any], because: str) -> None:
    entry = decided(column)["features"]["x"]
    assert bare(entry) == expected
    assert because in entry["because"]


@pytest.mark.parametrize(
    ("column", "because"),
    [
        (number("x", flags=[flag("constant")]), "constant"),
        (number("x", n=0, flags=[flag("all_missing")]), "all_missing"),
        (number("x", flags=[flag("near_key"), flag("id_like")]), "identifier"),
        (category("x", 990, kind="text"), "free text"),
        (category("x", 5, kind="other", type="array<int>"), "array<int>"),
    ],
)
def test_what_is_no_feature_is_left_out(column: dict[str, Any], because: str) -> None:
    plan = decided(column, number("y"))
    assert list(plan["features"]) == ["y"]
    assert because in plan["drop"]["x"]["because"]


def test_a_label_of_words_has_no_mean_to_encode_by() -> None:
    plan = decisions.decide(
        {**profile(category("x", 900)), "columns": [category("late", 2, role="label"), category("x", 900)]}
    )
    assert plan["features"]["x"]["encode"] == "frequency"


def test_leaks_and_redundant_columns_go_and_what_is_known_too_late() -> None:
    leak = {"check": "predictors", "severity": "severe", "columns": ["x"], "message": "it tells the label"}
    cluster = {"columns": ["y", "z"], "representative": "z", "reason": "r = 0.99"}
    columns = [number("x"), number("y"), number("z"), number("w")]
    found = profile(*columns, leaks=[leak], associations={"clusters": [cluster]})
    plan = decisions.decide(found, unavailable={"w": "known on arrival", "gone": "the label"})
    assert list(plan["features"]) == ["z"]
    assert plan["drop"]["x"]["because"] == "suspected leak: it tells the label"
    assert "r = 0.99" in plan["drop"]["y"]["because"]
    assert plan["drop"]["w"]["because"] == "known on arrival"
    assert "gone" in plan["drop"]
    allowed = profile(number("x"), leaks=[{**leak, "allowed_because": "it is known"}])
    assert "x" in decisions.decide(allowed)["features"]


def test_hints_become_steps() -> None:
    shape = {
        "hint": "transform",
        "columns": ["x"],
        "text": "skew goes.",
        "plan": {"features": {"x": {"transform": "log1p"}}},
    }
    part = {"columns": ["x", "y"], "degree": 2, "interaction_only": True}
    pair = {"hint": "interaction", "columns": ["x", "y"], "text": "gain", "plan": {"interactions": [part]}}
    rare = {
        "hint": "rare_categories",
        "columns": ["c"],
        "text": "rare.",
        "plan": {"features": {"c": {"min_frequency": 20}}},
    }
    wave = {
        "hint": "periodic",
        "columns": ["t"],
        "text": "by hour.",
        "plan": {"features": {"t_hour": {"expr": "hour(t)"}}},
    }
    time = {"name": "t", "type": "timestamp", "kind": "time", "role": "feature", "flags": [], "n": 1000}
    time["coverage"] = None
    hints = [shape, pair, pair, rare, wave]
    plan = decided(number("x", skewness=3.0), number("y"), category("c", 5), time, hints=hints)
    assert bare(plan["features"]["x"]) == {"transform": "log1p", "scale": "standard"}
    assert plan["interactions"] == [part]
    assert plan["features"]["c"]["min_frequency"] == 20
    assert plan["features"]["t_hour"]["expr"] == "hour(t)"
    assert "t_hour" in plan["drop"]["t"]["because"]
    assert "interactions" not in decided(number("x"), category("y", 5), hints=[pair])


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    odd = "a: `b` 'c' \"d\" #\n<script>"
    plan = decided(number(odd), number("no", n=900), category("on", 5))
    path = tmp_path / "plan.yaml"
    path.write_text(decisions.to_yaml(plan), encoding="utf-8")
    assert decisions.read(path) == plan


FIRST = decisions.decide(profile(number("x"), number("y", n=900), category("c", 5), number("z")))


def again(**changed: dict[str, Any]) -> dict[str, Any]:
    columns = {"x": number("x"), "y": number("y", n=900), "c": category("c", 5), "z": number("z"), **changed}
    return decisions.decide(profile(*columns.values()))


def test_nothing_new_changes_nothing() -> None:
    assert decisions.merge(FIRST, FIRST, FIRST) == (FIRST, [])
    assert decisions.merge(FIRST, None, FIRST) == (FIRST, [])


def test_what_was_not_edited_follows_the_analysis() -> None:
    new = again(y=number("y", n=800), new=number("new"))
    plan, changes = decisions.merge(FIRST, FIRST, new)
    assert plan == new
    assert [(c.where, c.kept) for c in changes] == [("y", False), ("new", False)]
    assert "10.00%" in changes[0].before
    assert "20.00%" in changes[0].after


def test_edits_stay_and_new_evidence_is_shown() -> None:
    edited = deepcopy(FIRST)
    edited["features"]["y"] = {"impute": "constant", "fill_value": 0.0}
    del edited["features"]["z"]
    edited["features"]["mine"] = {"expr": "x / y"}
    edited["reduce"] = {"columns": ["x", "y"], "k": 1}
    new = again(y=number("y", n=800), z=number("z", skewness=4.0))
    plan, changes = decisions.merge(edited, FIRST, new)
    assert bare(plan["features"]["y"]) == {"impute": "constant", "fill_value": 0.0}
    assert "20.00%" in plan["features"]["y"]["because"]
    assert "z" not in plan["features"]
    assert plan["features"]["mine"] == {"expr": "x / y"}
    assert plan["reduce"] == edited["reduce"]
    assert {c.where: c.kept for c in changes} == {"y": True, "z": True}
    Plan.model_validate(plan)
    once_more, changes = decisions.merge(plan, new, new)
    assert bare(once_more["features"]["y"]) == {"impute": "constant", "fill_value": 0.0}
    assert "z" not in once_more["features"]
    assert not changes


def test_a_column_moved_to_the_other_section_stays_there() -> None:
    edited = deepcopy(FIRST)
    edited["drop"] = {"x": {"because": "the law says so"}}
    del edited["features"]["x"]
    plan, _ = decisions.merge(edited, FIRST, FIRST)
    assert "x" not in plan["features"]
    assert "x" in plan["drop"]


def test_a_plan_of_unknown_origin_is_a_persons() -> None:
    mine = {"features": {"x": {"scale": "max_abs"}, "c": {"encode": "one_hot"}}}
    plan, changes = decisions.merge(mine, None, FIRST)
    assert plan["features"]["x"]["scale"] == "max_abs"
    assert set(plan["features"]) == {"x", "y", "c", "z"}
    assert {c.where for c in changes} == {"x", "y", "z"}
