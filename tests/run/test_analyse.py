"""From the configuration to report and plan, and from the plan to the training table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from deltalake import DeltaTable, write_deltalake

from traintable.analyse import profile_schema

ROOT = Path(__file__).parent.parent.parent
Command = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analysis")


@pytest.fixture(scope="module")
def settings(folder: Path, small: Sequence[str]) -> list[str]:
    """The arguments that name the flights, with a plan in a file that is not there yet."""
    text = (ROOT / "conf" / "flights.yaml").read_text(encoding="utf-8")
    config = folder / "flights.yaml"
    config.write_text(re.sub(r"(?m)^prepare:\n((?: .*)?\n)+", "prepare: plan.yaml\n", text), encoding="utf-8")
    more = [
        *small,
        f"output.table={folder}/training/flights",
        "split.time.test=2013-03-08",
        "source.where='month > 1'",
        "gate.expectations=[]",
    ]
    return ["--config", str(config), *[part for override in more for part in ("--set", override)]]


def test_report_and_plan_and_a_run_of_the_plan_as_it_is(command: Command, folder: Path, settings: list[str]) -> None:
    code, result, printed = command("analyse", *settings)
    assert (code, result["status"]) == (0, "published"), printed
    profile = json.loads(Path(result["profile"]).read_text(encoding="utf-8"))
    jsonschema.validate(profile, profile_schema(), jsonschema.Draft202012Validator)
    assert all(profile[section] for section in ("anomalies", "importance", "hints"))
    assert result["rows"]["read"] == profile["rows"] > 10_000
    assert "arr_delay" not in {column["name"] for column in profile["columns"]}  # known after the flight only
    report = Path(result["report"]).read_text(encoding="utf-8")
    assert len(report) < 3_000_000
    assert "plane_seats" in report
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    assert result["plan"] == str(folder / "plan.yaml")
    assert all(feature["because"] for feature in plan["features"].values())

    code, again, _ = command("analyse", *settings)
    assert (code, again["status"], again["changes"]) == (0, "unchanged", [])

    code, ran, printed = command("run", *settings)
    assert (code, ran["status"]) == (0, "published"), printed
    assert ran["features"] >= result["features"]
    assert ran["rows"]["published"]["train"] == profile["rows"]


def test_edits_stay_when_the_rows_have_changed_which_is_result(
    command: Command, folder: Path, settings: list[str], warehouse: str
) -> None:
    plan = folder / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    name = next(name for name, feature in yaml.safe_load(text)["features"].items() if "scale" in feature)
    text = re.sub(r"(?m)^    scale: \w+$", "    scale: max_abs  # as the risk team wants it", text, count=1)
    text = text.replace("features:\n", "# ours\nfeatures:\n  # the first\n", 1) + "# the end\n"
    plan.write_text(text, encoding="utf-8")
    moved = folder / "data" / "warehouse" / "flights"
    source = DeltaTable(f"{warehouse}/flights").to_pandas()
    changed = source.assign(distance=source["distance"] * 1.2, arr_delay=source["arr_delay"] + 20)
    write_deltalake(moved, source, partition_by=["month"])
    write_deltalake(moved, changed, partition_by=["month"], mode="overwrite")
    overrides = [f"source.table={moved}", "source.version=1", "analysis.against.version=0"]
    code, result, printed = command("analyse", *settings, *[part for o in overrides for part in ("--set", o)])
    assert (code, result["status"]) == (0, "published"), printed
    merged = plan.read_text(encoding="utf-8")
    assert yaml.safe_load(merged)["features"][name]["scale"] == "max_abs"
    assert "    scale: max_abs  # as the risk team wants it\n" in merged
    assert "# ours\nfeatures:\n  # the first\n" in merged
    assert "# the end" in merged
    profile = json.loads(Path(result["profile"]).read_text(encoding="utf-8"))
    jsonschema.validate(profile, profile_schema(), jsonschema.Draft202012Validator)
    drift = profile["drift"]
    assert drift["against"] == f"{moved}@0"
    assert [c["name"] for c in drift["columns"] if c["severity"] != "none"] == ["distance", "late"]
    assert drift["schema"] == []
    assert result["changes"]


def test_an_edit_that_is_no_plan_is_refused_in_words(command: Command, folder: Path, settings: list[str]) -> None:
    plan = folder / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("impute: mean", "impute: average"), encoding="utf-8")
    code, result, _ = command("analyse", *settings)
    assert (code, result["status"]) == (2, "failed")
    assert "plan.yaml: features." in result["message"]
    assert "average" in plan.read_text(encoding="utf-8")
    plan.write_text(text, encoding="utf-8")


def test_another_table_to_compare_with_that_is_not_there(command: Command, settings: list[str]) -> None:
    code, result, _ = command("analyse", *settings, "--set", "analysis.against.table=nowhere")
    assert (code, result["status"]) == (4, "failed")
    assert "nowhere" in result["message"]


def test_a_comparison_with_nothing_is_refused(command: Command, settings: list[str]) -> None:
    code, result, _ = command("analyse", *settings, "--set", "analysis.against={}")
    assert (code, result["status"]) == (2, "failed")
    assert "analysis.against" in result["message"]
