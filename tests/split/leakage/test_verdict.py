"""What a finding says, what stops a run, and what the configuration allows with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from test_unavailable import config

from traintable.config.leakage import Allowed, Leakage, Limits
from traintable.errors import ConfigError, GateRefused
from traintable.split import LeakFinding, manifest_findings, refuse_severe, refuse_unavailable, unavailable_features

SEVERE = LeakFinding("predictors", "severe", ("a b",), "it tells the label", "Leave it out.", {"auc": 0.99912345})
OTHER = LeakFinding("groups", "severe", ("x", "y"), "rows of one group\nstand apart", "Split by group.")
WARNING = LeakFinding("gap", "warning", (), "splits differ", "Look at it.", {"auc": 0.8})


def allow(**settings: Any) -> Allowed:
    return Allowed(**{"because": "it is known then", **settings})


def test_a_finding_is_one_line_with_numbers_and_remedy() -> None:
    assert str(SEVERE) == "severe: predictors of 'a b': it tells the label (auc 0.9991). Leave it out."
    assert str(WARNING) == "warning: gap: splits differ (auc 0.8). Look at it."
    assert "\n" not in str(OTHER)


def test_a_finding_as_plain_values_survives_json() -> None:
    plain = SEVERE.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["columns"] == ["a b"]
    assert plain["numbers"] == {"auc": 0.9991}


def test_severe_findings_refuse_with_all_of_them_and_the_way_out() -> None:
    with pytest.raises(GateRefused) as caught:
        refuse_severe([SEVERE, OTHER, WARNING], table="t")
    error = caught.value
    assert error.exit_code == 3
    assert str(SEVERE) in error.found
    assert str(OTHER).removesuffix(".") in error.found  # the message ends with a period of its own
    assert str(WARNING) not in error.found
    assert "leakage.allow" in error.remedy
    assert "check: predictors, columns: [a b]" in error.remedy


@pytest.mark.parametrize(
    "allowed",
    [
        [allow(check="predictors"), allow(check="groups")],
        [allow(check="predictors", columns=["a b"]), allow(check="groups", columns=["y", "x", "z"])],
    ],
)
def test_allowed_findings_do_not_refuse_and_keep_their_reason(allowed: list[Allowed]) -> None:
    refuse_severe([SEVERE, OTHER, WARNING], allowed, table="t")
    reasons = [found.get("allowed_because") for found in manifest_findings([SEVERE, OTHER, WARNING], allowed)]
    assert reasons == ["it is known then", "it is known then", None]


@pytest.mark.parametrize(
    "allowed",
    [[], [allow(check="groups", columns=["x"])], [allow(check="predictors")], [allow(check="groups", columns=["z"])]],
)
def test_what_is_not_allowed_in_full_refuses(allowed: list[Allowed]) -> None:
    with pytest.raises(GateRefused, match="groups of 'x', 'y'"):
        refuse_severe([OTHER], allowed, table="t")


def test_warnings_refuse_nothing() -> None:
    refuse_severe([WARNING], table="t")


@pytest.mark.parametrize(
    "wrong",
    [
        {"allow": [{"check": "predictors"}]},
        {"allow": [{"check": "predictors", "because": "  "}]},
        {"allow": [{"check": "predictor", "because": "x"}]},
        {"limits": {"max_auc": 0.4}},
        {"limits": {"max_aux": 0.9}},
        {"limits": {"sample_rows": 10}},
        {"groups": [["a", "a"]]},
        {"groups": [[]]},
        {"groups": [""]},
        {"text": [""]},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Leakage.model_validate(wrong)


def test_the_columns_of_the_section_are_listed_once() -> None:
    section = Leakage.model_validate({"groups": ["a", ["b", "a"]], "time": "t", "text": ["n", "b"]})
    assert section.columns == ("a", "b", "n", "t")
    assert section.limits == Limits()
    assert Leakage().columns == ()


def test_a_feature_that_is_known_too_late_can_be_allowed_by_name() -> None:
    late = {"dep": "departure", "arr": "arrival"}
    section: dict[str, Any] = {"allow": [{"check": "unavailable", "columns": ["dep"], "because": "we wait for it"}]}
    allowed = config(["dep"], columns=late, leakage=section)
    refuse_unavailable(allowed)
    [found] = manifest_findings(unavailable_features(allowed), allowed.leakage.allow)
    assert (found["check"], found["columns"]) == ("unavailable", ["dep"])
    assert found["allowed_because"] == "we wait for it"
    with pytest.raises(ConfigError, match=r"prepare\.features\.arr"):
        refuse_unavailable(config(["dep", "arr"], columns=late, leakage=section))


def test_each_late_feature_is_found_also_through_an_expression() -> None:
    leaking = config(["x", "sched", "dep"], columns={"dep": "departure"}, derive={"x": "dep - sched"})
    found = {finding.columns: finding.message for finding in unavailable_features(leaking)}
    assert set(found) == {("x",), ("dep",)}
    assert "through 'dep'" in found["x",]
