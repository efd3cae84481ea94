"""The main job looks for leaks before it fits: severe ones stop it, allowed ones are published with their reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from traintable.config.dataset import Config, load
from traintable.errors import GateRefused
from traintable.publish import history
from traintable.run import Outcome, run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FLIGHTS = Path(__file__).parents[2] / "conf" / "flights.yaml"
# The delay itself becomes a feature, and is said to be known in time.
LEAKING = (
    "prepare={features: {arr_delay: {}, distance: {}, origin: {encode: one_hot}}}",
    "columns.arr_delay={type: double, available_at: schedule}",
    "gate.expectations=[{type: expect_column_values_to_not_be_null, column: late}]",
    "leakage.groups=[[carrier, flight]]",
)
ALLOWED = (
    "leakage.allow=[{check: predictors, columns: [arr_delay], because: to see it}, "
    "{check: groups, because: a flight number says little}]"
)


def leaking(small: list[str], table: Path, *more: str) -> Config:
    return load(FLIGHTS, [*small, *LEAKING, f"output.table={table}", *more])


def test_the_example_has_no_severe_finding(published: Outcome, table: Path) -> None:
    assert [found for found in published.details["leakage"] if found["severity"] == "severe"] == []
    told = next(commit["manifest"] for commit in history(str(table)) if commit["version"] == published.version)
    assert told["leakage"] == published.details["leakage"]
    assert "look for leaks" in published.details["seconds"]


def test_a_severe_leak_refuses_and_nothing_is_published(spark: SparkSession, small: list[str], tmp_path: Path) -> None:
    with pytest.raises(GateRefused) as caught:
        run(leaking(small, tmp_path / "t"), spark=spark)
    assert "predictors of 'arr_delay'" in caught.value.found
    assert "groups of 'carrier', 'flight'" in caught.value.found
    assert not (tmp_path / "t").exists()
    assert not (tmp_path / "t_staging").exists()


def test_an_allowed_leak_is_published_with_its_reason(spark: SparkSession, small: list[str], tmp_path: Path) -> None:
    outcome = run(leaking(small, tmp_path / "t", ALLOWED), spark=spark)
    assert outcome.status == "published"
    found = {(f["check"], *f["columns"]): f.get("allowed_because") for f in outcome.details["leakage"]}
    assert found["predictors", "arr_delay"] == "to see it"
    assert found["groups", "carrier", "flight"] == "a flight number says little"
