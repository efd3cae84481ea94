"""What is wrong is said in one line with the designed exit code; nothing is half written and nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

Command = Callable[..., tuple[int, dict[str, Any], str]]
FLIGHTS = str(Path(__file__).parents[2] / "conf" / "flights.yaml")


def arguments(small: list[str], table: Path | str, *more: str) -> list[str]:
    settings = [*small, f"output.table={table}", *more]
    return ["run", "--config", FLIGHTS, *[word for setting in settings for word in ("--set", setting)]]


CASES = {
    "unknown key": (["split.tme.gap=1 day"], 2, "Did you mean 'time'?"),
    "unknown key deep down": (["split.time.gp=1 day"], 2, "Did you mean 'gap'?"),
    "wrong type of a value": (["gate.min_rows_per_split=many"], 2, "gate.min_rows_per_split"),
    "not a duration": (["split.time.gap=a while"], 2, "duration"),
    "missing table": (["source.table=data/warehouse/fligths"], 4, "nothing there"),
    "missing version": (["source.version=7"], 4, "versions 0 to 0"),
    "no rows after the filter": (["source.where=month = 99"], 4, "found none"),
    "unknown column in the filter": (["source.where=mnth = 1"], 2, "Did you mean 'month'?"),
    "unknown column as feature": (["prepare.features.distanse={scale: standard}"], 2, "Did you mean 'distance'?"),
    "known only after arrival": (["prepare.features.air_time={scale: standard}"], 2, "known at 'arrival'"),
    "a late one through an expression": (
        ["derive.gained=dep_delay - sched_dep_time", "prepare.features.gained={}"],
        2,
        "through 'dep_delay'",
    ),
    "the label as feature": (["prepare.features.late={}"], 2, "it is the label"),
    "no SQL": (["label.expr=arr_delay >"], 2, "a Spark SQL expression"),
    "a continuous label": (["label.expr=arr_delay * 1.5D"], 2, "Cut a continuous label"),
    "a column of the wrong type": (["label.expr=tailnum + interval 1 day"], 2, "(tailnum + interval 1 day)"),
    "a class missing from a split": (["label.expr=arr_delay > 2000"], 3, "none of class 1"),
    "an unknown expectation": (
        ["gate.expectations=[{type: expect_column_values_to_be_nul, column: late}]"],
        2,
        "Did you mean 'expect_column_values_to_be_null'?",
    ),
    "a value that does not fit": (["derive.r=distance / (month - month)"], 2, "Division by zero"),
    "a window": (["derive.r=distance - avg(distance) OVER ()"], 2, "with a window"),
    "chance": (["label.expr=rand() > 0.5"], 2, "whose value changes from run to run"),
    "a label named as a column but for case": (["label.name=Arr_Delay"], 2, "names that are free"),
    "a reserved name": (["derive.split=carrier"], 2, "names that are free"),
    "a number for a time": (["split.time.column=distance"], 2, "a date or a timestamp"),
    "a key that is missing": (["source.key=[time_hour, carier]"], 2, "source.key"),
    "the source as output": (["output.table=data/warehouse/flights"], 2, "output tables that are not inputs"),
    "somebody else's table": (["output.table=data/warehouse/airlines"], 2, "published here before"),
    "a folder of other files": (["output.table=data"], 2, "published here before"),
    "keys of different types": (
        ["joins=[{name: w, table: data/warehouse/planes, on: {flight: tailnum}, columns: [seats]}]"],
        2,
        "keys of the same type",
    ),
    "a join that multiplies": (
        ["joins=[{name: w, table: data/warehouse/weather, on: {origin: origin}, columns: [temp]}]"],
        2,
        "each key once",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_is_said_in_one_line(name: str, command: Command, small: list[str], tmp_path: Path) -> None:
    overrides, code, said = CASES[name]
    table = tmp_path / "t"
    exit_code, result, stderr = command(*arguments(small, table, *overrides))
    assert exit_code == code, stderr
    assert said in result["message"]
    assert set(result["error"]) >= {"where", "expected", "found", "remedy"}
    assert [line for line in stderr.splitlines() if line.startswith("error:")] == [f"error: {result['message']}"]
    assert result["status"] == ("refused" if code == 3 else "failed")
    assert not table.exists()
    assert not list(tmp_path.glob("*_staging"))


def test_storage_that_can_not_be_written(command: Command, small: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, result, _ = command(*arguments(small, tmp_path / "file" / "t"))
    assert code == 1
    assert "a path that can be written to" in result["message"]
    assert (tmp_path / "file").read_text() == "in the way"


def test_files_that_were_vacuumed(command: Command, small: list[str], warehouse: str, tmp_path: Path) -> None:
    shutil.copytree(warehouse, tmp_path / "data" / "warehouse")
    for file in (tmp_path / "data" / "warehouse" / "flights").glob("month=*/*.parquet"):
        file.unlink()
    code, result, _ = command(*arguments([*small, f"root={tmp_path}"], tmp_path / "t"))
    assert code == 4, result
    assert "vacuumed" in result["message"]


def test_a_table_without_history(command: Command, tmp_path: Path) -> None:
    code, result, _ = command("history", str(tmp_path / "nothing"))
    assert (code, result["status"]) == (4, "failed")


def test_a_missing_configuration_file(command: Command) -> None:
    code, result, _ = command("run", "--config", "nowhere.yaml")
    assert (code, result["status"]) == (4, "failed")


@pytest.fixture
def flawed(warehouse: str, tmp_path: Path) -> tuple[str, int]:
    """A flights table with planted flaws, and its number of rows."""
    rows = DeltaTable(f"{warehouse}/flights").to_pandas()
    rows["distance"] = rows["distance"].astype(str)
    first = rows.iloc[[0]]
    flaws = [
        first.assign(flight=900_001, distance="far away"),
        first.assign(flight=900_002, distance="-5.0"),
        first.assign(flight=900_003, distance=None),
        first.assign(carrier=None, flight=900_004),
        first.assign(flight=900_005, sched_dep_time=9999, distance="0"),
        rows.iloc[[1]],
        rows.iloc[[1]],
        rows.iloc[[2]].assign(arr_delay=77.0),  # conflicts with the row it was made from
        first.assign(flight=900_007, time_hour=None),
        first.assign(flight=900_006, arr_delay=None),
    ]
    flawed = pd.concat([rows, *flaws], ignore_index=True)
    write_deltalake(str(tmp_path / "flights"), flawed)
    return str(tmp_path / "flights"), len(flawed)


def test_each_flawed_row_is_kept_with_its_reasons(
    command: Command, small: list[str], flawed: tuple[str, int], warehouse: str, tmp_path: Path
) -> None:
    source, n = flawed
    raw = DeltaTable(f"{warehouse}/flights").to_pandas()
    code, result, stderr = command(*arguments(small, tmp_path / "t", f"source.table={source}"))
    assert code == 0, stderr
    assert result["rows"]["read"] == n
    reasons = result["reasons"]
    expected = {
        "type:distance": 1,
        "range:distance": 1,
        "null:distance": 1,
        "null:carrier": 1,
        "range:sched_dep_time+range:distance": 1,
        "duplicate": 2,
        "conflict": 2,
        "null:time_hour": 1,
        "no_label": int(raw["arr_delay"].isna().sum()) + 1,
    }
    assert {reason: count for reason, count in reasons.items() if reason != "gap"} == expected
    removed = pl.read_delta(f"{tmp_path}/t_quarantine")
    assert len(removed) == result["rows"]["quarantined"] + result["rows"]["filtered"]
    assert result["rows"]["quarantined"] == 8
    broken = removed.filter(pl.col("reasons").list.contains("type:distance"))["row"][0]
    assert json.loads(broken)["_unparsed"] == {"distance": "far away"}
    assert json.loads(broken)["flight"] == 900_001
