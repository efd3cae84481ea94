"""A manifest is what its JSON Schema says, and nobody else's metadata is taken for one."""

from __future__ import annotations

import json

import jsonschema
import pytest

from traintable.delta.manifest import json_schema, manifest_json, parse_manifest


@pytest.mark.parametrize("metadata", [None, "", "not json", "[1]", '"traintable"', '{"other": 1}'])
def test_what_somebody_else_wrote_is_none(metadata: str | None) -> None:
    assert parse_manifest(metadata) is None


def test_a_manifest_is_read_as_it_was_written() -> None:
    text = '{"traintable": "0.1", "rows": {"read": 3}, "unknown": [1, null]}'
    assert json.dumps(parse_manifest(text)) == text
    assert manifest_json(parse_manifest(text) or {}) == text
    with pytest.raises(ValueError, match="JSON"):
        manifest_json({"traintable": "0.1", "seed": float("inf")})


@pytest.mark.parametrize(
    ("manifest", "is_valid"),
    [
        ({"traintable": "0.1"}, True),
        ({"traintable": "0.1", "later": {"more": 1}}, True),  # of a version to come
        ({"run_id": "r"}, False),
        ({"traintable": "0.1", "rows": {"published": {}}}, False),
        ({"traintable": "0.1", "rows": {"read": "3"}}, False),
        ({"traintable": "0.1", "inputs": {"source": {"table": "t"}}}, False),
    ],
)
def test_the_schema_tells_right_from_wrong(manifest: dict[str, object], is_valid: bool) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert validator.is_valid(manifest) == is_valid
