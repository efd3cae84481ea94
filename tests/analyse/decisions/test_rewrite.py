"""An edited plan keeps its comments, order and quotes when what has changed is written into it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from traintable.analyse import decisions
from traintable.config.plan import Plan

EDITED = """\
# Agreed on with the risk team.

features:  # twelve at most
  # the strongest one
  amount:
    impute: median  # not the mean
    scale: "robust"
    because: 12.00% of the rows have no value
  # by hand
  'on': {encode: one_hot, because: mine}  # a keyword of YAML 1.1
  city:
    encode: frequency
    because: 900 different values
    alternatives:
    - {encode: hashing, n_buckets: 64}
    - encode: ordinal  # perhaps
  # last of the features
drop:
  # never again
  id: {because: "an identifier"}  # a primary key
  2013-09-15: {because: a date}
# read this
advice:
  split:
  - split by time
# the end
"""
COMMENTS = {line.partition("#")[2] for line in EDITED.splitlines() if "#" in line}


@pytest.fixture
def edited(tmp_path: Path) -> dict[str, Any]:
    return read(EDITED, tmp_path)


def read(text: str, folder: Path) -> dict[str, Any]:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return decisions.read(path)


def lost(text: str) -> set[str]:
    """The comments that a text no longer has."""
    return COMMENTS - {line.partition("#")[2] for line in text.splitlines() if "#" in line}


def add_first(plan: dict[str, Any]) -> None:
    plan["features"] = {"new": {"scale": "standard"}, **plan["features"]}


def add_between(plan: dict[str, Any]) -> None:
    amount = plan["features"].pop("amount")
    plan["features"] = {"amount": amount, "no": {"scale": "standard", "because": "1: #2"}, **plan["features"]}


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda plan: plan["features"]["amount"].update(impute="mean"), set()),
        (lambda plan: plan["features"]["amount"].update(because="edited; the analysis says: " + "word " * 50), set()),
        (lambda plan: plan["features"]["amount"].pop("impute"), {" not the mean"}),
        (lambda plan: plan["features"]["amount"].pop("because"), set()),
        (lambda plan: plan["features"].pop("amount"), {" not the mean"}),
        (lambda plan: plan["features"].pop("on"), {" a keyword of YAML 1.1"}),
        (lambda plan: plan["features"]["on"].update(encode="ordinal"), set()),
        (lambda plan: plan["features"].update(on={"encode": "ordinal", "alternatives": [{"drop": True}]}), set()),
        (lambda plan: plan["features"].pop("city"), {" perhaps"}),
        (lambda plan: plan["features"]["city"].update(alternatives=[{"drop": True}]), set()),
        (lambda plan: plan["features"]["city"].pop("alternatives"), {" perhaps"}),
        (lambda plan: plan["features"].update(last={"scale": "standard"}), set()),
        (add_first, set()),
        (add_between, set()),
        (lambda plan: plan["drop"].pop("id"), {" a primary key"}),
        (lambda plan: plan["drop"].pop("2013-09-15"), set()),
        (lambda plan: plan.pop("drop"), {" a primary key", " never again"}),
        (lambda plan: plan.update(interactions=[{"columns": ["amount", "x"], "degree": 2}]), set()),
        (lambda plan: plan["advice"].update(split=["split by group"], rows=["few"]), set()),
        (lambda plan: plan.pop("advice"), set()),
        (lambda plan: plan["features"].update(amount="as it is"), {" not the mean"}),
    ],
)
def test_comments_stay_whatever_changes(edit: Edit, expected: set[str], edited: dict[str, Any], tmp_path: Path) -> None:
    merged = deepcopy(edited)
    edit(merged)
    text = decisions.rewrite(EDITED, edited, merged)
    assert read(text, tmp_path) == merged
    assert lost(text) == expected
    again = decisions.rewrite(text, merged, deepcopy(merged))
    assert again == text


def test_only_the_lines_that_have_changed_are_written_anew(edited: dict[str, Any]) -> None:
    merged = deepcopy(edited)
    merged["features"]["amount"]["because"] = "14.00% of the rows have no value"
    merged["features"]["new"] = {"scale": "standard", "because": "nothing remarkable"}
    text = decisions.rewrite(EDITED, edited, merged)
    expected = EDITED.replace("12.00%", "14.00%").replace(
        "  # last of the features\n",
        "  new:\n    scale: standard\n    because: nothing remarkable\n  # last of the features\n",
    )
    assert text == expected


def test_a_plan_that_has_not_changed_is_the_text_that_it_was(edited: dict[str, Any]) -> None:
    assert decisions.rewrite(EDITED, edited, deepcopy(edited)) == EDITED


def test_comments_stay_with_what_they_are_about(edited: dict[str, Any]) -> None:
    merged = deepcopy(edited)
    add_between(merged)
    del merged["features"]["on"]
    lines = decisions.rewrite(EDITED, edited, merged).splitlines()
    assert lines[lines.index("  # by hand") + 1] == "  city:"
    assert lines[lines.index("  # the strongest one") + 1] == "  amount:"
    assert lines[lines.index("# read this") + 1] == "advice:"


def test_a_merged_plan_is_a_plan_with_its_comments(tmp_path: Path) -> None:
    last = {"features": {"x": {"scale": "standard", "because": "nothing"}, "y": {"encode": "one_hot"}}}
    new = {"features": {"x": {"scale": "robust", "because": "3.0% beyond"}, "y": {"encode": "one_hot"}}}
    text = decisions.to_yaml(last).replace("{encode: one_hot}", "{encode: ordinal}  # few values") + "# mine\n"
    edited = read(text, tmp_path)
    merged, changes = decisions.merge(edited, last, new)
    written = decisions.rewrite(text, edited, merged)
    assert Plan.model_validate(read(written, tmp_path)).features["x"].scale == "robust"
    assert "  y: {encode: ordinal}  # few values\n" in written
    assert written.startswith("# A plan:")
    assert written.endswith("# mine\n")
    assert [(change.where, change.kept) for change in changes] == [("x", False)]
