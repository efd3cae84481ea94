"""What the gate says of a version that follows another one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest

from traintable.config.dataset import DriftBounds
from traintable.errors import ConfigError
from traintable.quality.previous_version import PublishedVersion, compare_with_previous, require_allowable
from traintable.quality.summary import FeatureSummary

COLUMNS = {"id": "bigint", "late": "int", "split": "string", "features": "array<float>"}


def version(shift: float = 0.0, **other: Any) -> PublishedVersion:
    values = np.random.default_rng(0).normal(size=(5000, 2)).astype(np.float32)
    summary = FeatureSummary.empty(("a", "b"))
    summary.add(values + np.array([0, shift], np.float32))
    known: dict[str, Any] = {"columns": COLUMNS, "features": ("a", "b"), "inputs": ("x", "y"), "rows": {"train": 5000}}
    return PublishedVersion(3, **{**known, "summary": summary, **other})


def said(
    now: PublishedVersion, bounds: DriftBounds | None = None, allow: Collection[str] = ()
) -> dict[str, tuple[bool, str]]:
    found = list(compare_with_previous(version(), now, version().drift(now), bounds or DriftBounds(), allow))
    return {rule.id: (rule.success, rule.level) for rule in found}


def test_the_same_again_is_fine() -> None:
    assert said(version()) == {"schema": (True, "fail"), "fewer_rows": (True, "fail"), "drift": (True, "fail")}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"columns": {**COLUMNS, "weight": "double"}}, {"schema": (True, "fail")}),
        ({"columns": {**COLUMNS, "id": "string"}}, {"schema": (False, "fail")}),
        ({"columns": {"id": "bigint", "late": "int", "split": "string"}}, {"schema": (False, "fail")}),
        (
            {"inputs": ("x", "y", "z"), "features": ("a", "b", "c")},
            {"schema": (True, "fail"), "features": (False, "warn")},
        ),
        ({"inputs": ("x",), "features": ("a",)}, {"schema": (False, "fail")}),
        ({"features": ("a", "b=new")}, {"schema": (True, "fail"), "features": (False, "warn")}),
        ({"rows": {"train": 2400}}, {"fewer_rows": (False, "fail")}),
        ({"rows": {"train": 2500}}, {"fewer_rows": (True, "fail")}),
        ({"rows": {"train": 50_000}}, {"fewer_rows": (True, "fail")}),
    ],
)
def test_additions_pass_and_losses_do_not(other: dict[str, Any], expected: dict[str, tuple[bool, str]]) -> None:
    found = said(version(**other))
    assert {**found, **expected} == found
    assert ("features" in found) == ("features" in expected)


@pytest.mark.parametrize(("shift", "level"), [(0.05, None), (0.7, "warn"), (9.0, "fail")])
def test_drift_warns_and_fails_beyond_its_bounds(shift: float, level: str | None) -> None:
    found = said(version(shift))
    assert "drift:a" not in found
    assert found.get("drift:b") == (None if level is None else (False, level))
    assert ("drift" in found) == (level is None)


def test_bounds_can_be_taken_away() -> None:
    far = version(9.0, rows={"train": 1})
    none = DriftBounds(warn=None, fail=None, fewer_rows=None)
    assert said(far, none) == {"schema": (True, "fail"), "fewer_rows": (True, "fail")}


@pytest.mark.parametrize(("kind", "rule"), [("schema", "schema"), ("rows", "fewer_rows"), ("drift", "drift:b")])
def test_what_is_allowed_only_warns(kind: str, rule: str) -> None:
    bad = version(9.0, rows={"train": 1}, columns={"id": "bigint"})
    assert said(bad)[rule] == (False, "fail")
    assert said(bad, allow=[kind])[rule] == (False, "warn")
    assert sum(level == "fail" for _, level in said(bad, allow=[kind]).values()) == 2


def test_only_what_is_known_can_be_allowed() -> None:
    require_allowable(("drift", "rows", "schema"))
    with pytest.raises(ConfigError, match="expected one of drift, rows, schema, found 'all'"):
        require_allowable(["all"])
