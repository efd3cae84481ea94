"""The JSON Schema of a profile says exactly which keys it has, and the types of a plan know what a plan takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

import profile_sample
from traintable import analyse
from traintable.analyse.document import FeatureDecision, OutlierDecision, Product, ProfileDocument, ProposedPlan
from traintable.analyse.json_values import as_json
from traintable.config import plan

SCHEMA = analyse.profile_schema()
SAMPLE = as_json(profile_sample.profile())

Edit = Callable[[dict[str, Any]], object]


def column(document: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(c for c in document["columns"] if c["kind"] == kind and c["n"])


def test_a_sample_of_every_section_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(SAMPLE, SCHEMA, jsonschema.Draft202012Validator)
    jsonschema.validate(as_json(profile_sample.empty()), SCHEMA, jsonschema.Draft202012Validator)
    TypeAdapter(ProfileDocument).validate_json(json.dumps(SAMPLE), strict=True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.update(embedding=None),
        lambda p: p.pop("missingness"),
        lambda p: p.update(profile=2),
        lambda p: p["columns"][0].update(median=1.0),
        lambda p: p["columns"][0].pop("n_null"),
        lambda p: column(p, "number")["outliers"].pop("mad"),
        lambda p: column(p, "number")["outliers"]["iqr"].update(middle=0.0),
        lambda p: column(p, "time")["coverage"]["days"].append(["2013-01-01", 1, 2]),
        lambda p: column(p, "time")["coverage"]["days"].append(["2013-01-01", "many"]),
        lambda p: p["columns"][0]["flags"].append({"flag": "odd", "text": "It is odd."}),
        lambda p: p["associations"]["information"].pop("columns"),
        lambda p: p["tests"][0].update(p_value="0.05"),
        lambda p: p["hints"][0].update(hint="transform"),
        lambda p: p["hints"][1]["plan"].update(interactions=[]),
        lambda p: p["drift"]["columns"][0]["missing"].pop("after"),
        lambda p: p["leaks"][0].pop("remedy"),
        lambda p: p["headlines"][0].update(severity="severe"),
    ],
)
def test_an_unknown_or_missing_key_or_another_type_is_refused(edit: Edit) -> None:
    broken = deepcopy(SAMPLE)
    edit(broken)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA, jsonschema.Draft202012Validator)
    with pytest.raises(ValidationError):
        TypeAdapter(ProfileDocument).validate_json(json.dumps(broken), strict=True)


def test_every_part_has_the_declared_keys_only() -> None:
    objects = {name: part for name, part in SCHEMA["$defs"].items() if part["type"] == "object"}
    assert len(objects) > 35
    assert [name for name, part in objects.items() if part["additionalProperties"] is not False] == []
    assert [name for name, part in objects.items() if not part.get("description")] == []


@pytest.mark.parametrize(
    ("decision", "model"),
    [
        (FeatureDecision, plan.Feature),
        (OutlierDecision, plan.Outliers),
        (Product, plan.Interactions),
        (ProposedPlan, plan.Plan),
    ],
)
def test_what_an_analysis_proposes_are_keys_of_a_plan(decision: type, model: type[Any]) -> None:
    names = get_type_hints(decision).keys()
    assert names
    assert set(names) <= set(model.model_fields)


def test_the_values_that_an_analysis_proposes_are_those_of_a_plan() -> None:
    for name in ("impute", "transform", "scale", "encode"):
        proposed = get_args(get_type_hints(FeatureDecision)[name])
        allowed = [value for part in get_args(plan.Feature.model_fields[name].annotation) for value in get_args(part)]
        assert proposed
        assert set(proposed) <= set(allowed)
