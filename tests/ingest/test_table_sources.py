"""Extraction from Delta tables: whole, by interval, beyond a watermark, and by the change data feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from traintable.config.ingest import IngestConfig
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.job import ingest
from traintable.ingest.recount import recount

UTC = dt.timezone.utc
COLUMNS = {"id": {"type": "bigint"}, "x": {"type": "double", "max": 100}, "at": {"type": "timestamp"}}
Land = Callable[..., dict[str, Any]]


def hour(n: float) -> dt.datetime:
    return dt.datetime(2026, 11, 1, tzinfo=UTC) + dt.timedelta(hours=n)


def table(*rows: tuple[int | None, float, dt.datetime | None]) -> pa.Table:
    ids, xs, ats = zip(*rows, strict=True)
    types = [pa.int64(), pa.float64(), pa.timestamp("us", "UTC")]
    return pa.table([pa.array(v, t) for v, t in zip((ids, xs, ats), types, strict=True)], names=list(COLUMNS))


@pytest.fixture
def land(spark: SparkSession, tmp_path: Path) -> Land:
    def call(*, interval: str | None = None, source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        known = {
            "name": "test",
            "root": str(tmp_path),
            "columns": COLUMNS,
            "key": ["id"],
            "output": {"table": "landed"},
        }
        found = {"format": "delta", "table": "source", **(source or {})}
        return ingest(IngestConfig.model_validate({**known, "source": found, **more}), interval=interval, spark=spark)

    return call


def rows(folder: Path, name: str = "landed") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaTable(str(folder / name)).to_pyarrow_table().to_pylist()
    return found


def ids(folder: Path) -> list[int]:
    return sorted(row["id"] for row in rows(folder))


def test_a_table_at_a_version_or_a_time(land: Land, tmp_path: Path) -> None:
    source = str(tmp_path / "source")
    write_deltalake(source, table((1, 1.0, hour(0)), (2, 200.0, hour(1))))
    write_deltalake(source, table((3, 3.0, hour(2))), mode="append")
    full = {"mode": "full"}
    result = land(load=full)
    assert result["rows"] == {"read": 3, "accepted": 2, "quarantined": 1}
    assert ids(tmp_path) == [1, 3]
    assert {row["_file"] for row in rows(tmp_path)} == {"source"}
    (kept,) = rows(tmp_path, "landed_quarantine")
    assert (kept["reasons"], kept["_file"]) == (["range:x"], "source")
    assert land(load=full)["status"] == "unchanged"
    assert land(load=full, source={"version": 0})["rows"]["read"] == 2
    assert ids(tmp_path) == [1]
    first = min(DeltaTable(source).history(), key=lambda c: c["version"])["timestamp"] / 1000
    as_of = dt.datetime.fromtimestamp(first, UTC).isoformat()
    assert land(load=full, source={"timestamp": as_of})["status"] == "unchanged"  # it is version 0
    with pytest.raises(InputMissing, match="a version committed at 2001-01-01 or before"):
        land(load=full, source={"timestamp": "2001-01-01"})
    assert land(load=full, source={"where": "x > 2"})["rows"]["read"] == 2


def test_intervals_of_a_table_in_any_order(land: Land, tmp_path: Path, spark: SparkSession) -> None:
    source = str(tmp_path / "source")
    write_deltalake(source, table(*((i, float(i), hour(i)) for i in range(72))))
    load = {"mode": "interval", "schedule": "daily", "column": "at"}
    assert land(load=load, interval="2026-11-03/2026-11-04")["rows"]["read"] == 24
    assert land(load=load, interval="2026-11-01/2026-11-02")["rows"]["read"] == 24
    write_deltalake(source, table((100, 1.0, hour(1.5))), mode="append")
    assert land(load=load, interval="2026-11-01/2026-11-03")["rows"]["read"] == 25 + 24
    assert ids(tmp_path) == [*range(72), 100]
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))
    write_deltalake(source, table((101, 1.0, None)), mode="append")
    with pytest.raises(InputMissing, match="no value in 1 rows"):
        land(load=load, interval="2026-11-01/2026-11-02")


def test_rows_beyond_the_watermark(land: Land, tmp_path: Path, spark: SparkSession) -> None:
    source = str(tmp_path / "source")
    load = {"mode": "watermark", "column": "at"}
    write_deltalake(source, table((1, 1.0, hour(0)), (2, 200.0, hour(1))))
    assert land(load=load)["rows"] == {"read": 2, "accepted": 1, "quarantined": 1}
    assert land(load=load)["status"] == "unchanged"
    write_deltalake(source, table((3, 1.0, hour(1)), (4, 1.0, hour(1.000001)), (5, 1.0, hour(3))), mode="append")
    assert land(load=load)["rows"]["read"] == 2  # what is not beyond it needs a lookback
    assert ids(tmp_path) == [1, 4, 5]
    DeltaTable(source).optimize.compact()
    assert land(load=load)["status"] == "unchanged"
    ledger = [row for row in rows(tmp_path, "landed_ledger") if row["status"] == "done"]
    assert [row["watermark"] for row in sorted(ledger, key=lambda row: row["at"])] == [
        "2026-11-01 01:00:00",
        "2026-11-01 03:00:00",
    ]
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))


def test_a_number_as_watermark(land: Land, tmp_path: Path) -> None:
    source, load = str(tmp_path / "source"), {"mode": "watermark", "column": "id"}
    for first in (0, 7, 20):
        write_deltalake(source, table(*((i, 1.0, hour(0)) for i in range(first, first + 7))), mode="append")
        land(load=load)
    assert ids(tmp_path) == [*range(14), *range(20, 27)]


CHANGES = {**COLUMNS, "_change_type": {}, "_commit_version": {"type": "bigint"}}


def test_changes_follow_a_whole_version(land: Land, tmp_path: Path, spark: SparkSession) -> None:
    source, load = str(tmp_path / "source"), {"mode": "changes"}
    write_deltalake(
        source,
        table(*((i, float(i), hour(i)) for i in range(6))),
        configuration={"delta.enableChangeDataFeed": "true"},
    )
    write_deltalake(source, table((6, 6.0, hour(6))), mode="append")
    assert land(load=load, columns=CHANGES)["rows"]["read"] == 7
    assert land(load=load, columns=CHANGES)["status"] == "unchanged"
    changed = DeltaTable(source)
    changed.delete("id = 2")
    changed.update(updates={"x": "50.0"}, predicate="id = 3")
    write_deltalake(source, table((7, 500.0, hour(7))), mode="append")
    result = land(load=load, columns=CHANGES)
    assert result["rows"] == {"read": 3, "accepted": 2, "quarantined": 1}
    found = sorted((row["_file"], row["id"], row["x"], row["_change_type"]) for row in rows(tmp_path))
    assert found[7:] == [("source@2", 2, 2.0, "delete"), ("source@3", 3, 50.0, "update_postimage")]
    assert {row[0] for row in found[:7]} == {"source@1"}
    (kept,) = rows(tmp_path, "landed_quarantine")
    assert kept["_file"] == "source@4"
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))


def test_a_table_of_the_catalog(land: Land, tmp_path: Path, spark: SparkSession) -> None:
    spark.sql(f"CREATE TABLE default.landing_plain USING parquet LOCATION '{tmp_path}/plain' AS SELECT 1L id, 2D x")
    try:
        source, columns = (
            {"format": "table", "table": "default.landing_plain"},
            {"id": COLUMNS["id"], "x": COLUMNS["x"]},
        )
        assert land(source=source, columns=columns, load={"mode": "full"})["rows"]["accepted"] == 1
        spark.sql("INSERT INTO default.landing_plain VALUES (2L, 3D)")
        assert land(source=source, columns=columns, load={"mode": "full"})["rows"]["accepted"] == 2
        assert ids(tmp_path) == [1, 2]
    finally:
        spark.sql("DROP TABLE default.landing_plain")
    with pytest.raises(InputMissing, match="landing_plain"):
        land(source=source, columns=columns, load={"mode": "full"})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"load": {"mode": "files"}}, "another mode than 'files'"),
        ({"load": {"mode": "interval", "schedule": "daily"}}, "`load.column`"),
        ({"load": {"mode": "watermark"}}, "`column` with mode"),
        ({"load": {"mode": "watermark", "column": "nope"}}, "a declared column"),
        ({"load": {"mode": "watermark", "column": "at", "lookback": "2 hours"}}, "`merge`"),
        ({"load": {"mode": "full", "merge": {"order_by": "at"}}}, "another mode than 'full'"),
        ({"source": {"version": 1}, "load": {"mode": "watermark", "column": "at"}}, "mode 'full' for one version"),
        ({"source": {"version": 1, "timestamp": "2026-01-01"}, "load": {"mode": "full"}}, "not both"),
    ],
)
def test_what_a_configuration_can_t_ask_for(land: Land, more: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        land(**more)


def test_an_undeclared_column_of_a_table(land: Land, tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "source"), table((1, 1.0, hour(0))).append_column("more", pa.array([1])))
    with pytest.raises(ConfigError, match="column 'more'"):
        land(load={"mode": "full"})
    assert land(load={"mode": "full", "drift": "add_columns"})["rows"]["accepted"] == 1
    assert rows(tmp_path)[0]["more"] == "1"


def merged(folder: Path) -> dict[int, tuple[Any, ...]]:
    return {row["id"]: (row["x"], row.get("_deleted")) for row in rows(folder)}


def test_changes_merged_are_the_table_itself(land: Land, tmp_path: Path, spark: SparkSession) -> None:
    source, feed = str(tmp_path / "source"), {"delta.enableChangeDataFeed": "true"}
    load = {"mode": "changes", "merge": {"order_by": "_commit_version", "deleted": "_change_type = 'delete'"}}
    write_deltalake(source, table(*((i, float(i), hour(i)) for i in range(6))), configuration=feed)
    land(load=load, columns=CHANGES)
    changed = DeltaTable(source)
    changed.delete("id = 2")
    changed.update(updates={"x": "50.0"}, predicate="id = 3")
    write_deltalake(source, table((3, 60.0, hour(3)), (9, 9.0, hour(9))), mode="overwrite")  # both gone and come again
    result = land(load=load, columns=CHANGES)
    assert (result["table"], result["status"]) == (str(tmp_path / "landed"), "published")
    found = merged(tmp_path)
    assert {key: x for key, (x, gone) in found.items() if not gone} == {3: 60.0, 9: 9.0}
    assert sorted(key for key, (_, gone) in found.items() if gone) == [0, 1, 2, 4, 5]
    version = DeltaTable(str(tmp_path / "landed")).version()
    assert land(load=load, columns=CHANGES)["status"] == "unchanged"
    assert DeltaTable(str(tmp_path / "landed")).version() == version
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))


def test_history_of_intervals_in_any_order(land: Land, tmp_path: Path) -> None:
    source = str(tmp_path / "source")
    rows_of = {day: [(i, float(i * day // 2), hour(24 * (day - 1) + i)) for i in range(4)] for day in (1, 2, 3)}
    write_deltalake(source, table(*(row for day in rows_of.values() for row in day)))
    load = {"mode": "interval", "schedule": "daily", "column": "at", "merge": {"scd": 2, "order_by": "at"}}
    for day in (3, 1, 2, 1):
        land(load=load, interval=f"2026-11-0{day}/2026-11-0{day + 1}")
    states: dict[int, list[tuple[float, int, bool]]] = {}
    for row in sorted(rows(tmp_path), key=lambda one: (one["id"], one["_valid_from"])):
        until = row["_valid_to"]
        states.setdefault(row["id"], []).append((row["x"], until and until.day, row["_is_current"]))
    # x is 0 on all days for 0; 0, 1, 1 for 1; 1, 2, 3 for 2; 1, 3, 4 for 3
    assert states[0] == [(0.0, None, True)]
    assert states[1] == [(0.0, 2, False), (1.0, None, True)]
    assert states[2] == [(1.0, 2, False), (2.0, 3, False), (3.0, None, True)]
    assert states[3] == [(1.0, 2, False), (3.0, 3, False), (4.0, None, True)]
