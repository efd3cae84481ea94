"""Extraction from Parquet, ORC, Avro and whole files: values of the promised types without loss, or the quarantine."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from traintable.config.ingest import IngestConfig
from traintable.errors import ConfigError
from traintable.ingest.job import ingest
from traintable.ingest.recount import recount
from traintable.ingest.replay import replay

UTC = dt.timezone.utc
COLUMNS = {"id": {"type": "bigint"}, "x": {"type": "double", "max": 100}, "at": {"type": "timestamp"}, "name": {}}
Land = Callable[..., dict[str, Any]]


def config(root: Path, kind: str, **more: Any) -> IngestConfig:
    known = {"name": "test", "root": str(root), "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}}
    return IngestConfig.model_validate({**known, "source": {"format": kind, "path": "raw"}, **more})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path


@pytest.fixture
def land(spark: SparkSession, root: Path) -> Land:
    return lambda kind, **more: ingest(config(root, kind, **more), spark=spark)


def rows(root: Path, table: str = "landed") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaTable(str(root / table)).to_pyarrow_table().to_pylist()
    return found


def flights(first: int, n: int) -> pa.Table:
    at = [dt.datetime(2013, 1, 1, tzinfo=UTC) + dt.timedelta(hours=i, microseconds=i) for i in range(n)]
    ids = range(first, first + n)
    return pa.table({"id": ids, "x": [i % 7 / 3 for i in range(n)], "at": at, "name": [f"f{i}" for i in ids]})


def written_by_spark(spark: SparkSession, table: pa.Table, kind: str, path: Path) -> None:
    """One file of a format that pyarrow doesn't write, or writes in types that Spark doesn't read."""
    folder = Path(tempfile.mkdtemp(dir=path.parents[1]))
    pq.write_table(table, folder / "rows.parquet")
    spark.read.parquet(str(folder / "rows.parquet")).coalesce(1).write.format(kind).save(str(folder / "stage"))
    (part,) = (folder / "stage").glob(f"*.{kind}")
    os.replace(part, path)


@pytest.mark.parametrize("kind", ["parquet", "orc", "avro"])
def test_good_rows_land_as_they_are_and_bad_ones_are_kept(
    root: Path, land: Land, spark: SparkSession, kind: str
) -> None:
    good, bad = flights(0, 500), flights(1000, 6).to_pylist()
    bad[1]["x"], bad[2]["id"], bad[4]["x"] = 100.5, None, float("nan")
    second = pa.Table.from_pylist(bad, good.schema)
    if kind == "parquet":
        pq.write_table(good, root / "raw/one file.parquet")
        pq.write_table(second, root / "raw/zwei+%41 ü.parquet", row_group_size=2)
    else:
        for name, table in (("one file", good), ("zwei+%41 ü", second)):
            written_by_spark(spark, table, kind, root / f"raw/{name}.{kind}")
    result = land(kind)
    assert result["rows"] == {"read": 506, "accepted": 503, "quarantined": 3}
    landed = sorted(rows(root), key=lambda row: row["id"])
    assert [{k: v for k, v in row.items() if k != "_file"} for row in landed[:500]] == good.to_pylist()
    assert {row["_file"] for row in landed} == {f"raw/one file.{kind}", f"raw/zwei+%41 ü.{kind}"}
    kept = sorted(rows(root, "landed_quarantine"), key=lambda row: row["position"])
    assert [(row["position"], row["reasons"]) for row in kept] == [
        (2, ["range:x"]),
        (3, ["null:id"]),
        (5, ["range:x"]),
    ]
    assert {row["_file"] for row in kept} == {f"raw/zwei+%41 ü.{kind}"}
    assert land(kind)["status"] == "unchanged"
    assert all(finding.ok for finding in recount(str(root / "landed"), spark=spark))
    # A promise that has changed takes a record back in, as it was.
    wide = {**COLUMNS, "x": {"type": "double"}}
    assert replay(config(root, kind, columns=wide), spark=spark)["rows"] == {"read": 3, "accepted": 1, "quarantined": 2}
    (back,) = [row for row in rows(root) if row["id"] == 1001]
    assert {k: v for k, v in back.items() if k != "_file"} == bad[1]


WHOLE = decimal.Decimal


@pytest.mark.parametrize(
    ("given", "values", "promised", "expected"),
    [
        (pa.float64(), [3.0, 3.5, None, float("nan"), 1e30], "bigint", [3, "bad", None, "bad", "bad"]),
        (pa.int64(), [3, 2**53 + 1, 2**53], "double", [3.0, "bad", 2.0**53]),
        (pa.int64(), [3, 40000], "smallint", [3, "bad"]),
        (pa.string(), ["3", " 4", "x", "", None], "int", [3, 4, "bad", "bad", None]),
        (pa.string(), ["2013-02-28", "2013-02-30"], "date", [dt.date(2013, 2, 28), "bad"]),
        (pa.int32(), [1, None], "string", ["1", None]),
        (pa.binary(), [b"a", b"\xff"], "string", ["a", "bad"]),
        (pa.decimal128(10, 3), [WHOLE("1.500"), WHOLE("1.505")], "decimal(10,2)", [WHOLE("1.50"), "bad"]),
        (pa.bool_(), [True, None], "int", ["bad", None]),
        (pa.int64(), [1], "timestamp", ["bad"]),
        (pa.list_(pa.int32()), [[1, 2], None], "array<bigint>", [[1, 2], None]),
        (pa.list_(pa.int32()), [[1]], "bigint", ["bad"]),
        (pa.struct([("a", pa.int32())]), [{"a": 1}], "string", ['{"a":1}']),
        (pa.date32(), [dt.date(2013, 1, 2)], "timestamp", [dt.datetime(2013, 1, 2, tzinfo=UTC)]),
        (pa.timestamp("us", "UTC"), [dt.datetime(2013, 1, 2, 3, tzinfo=UTC)], "date", ["bad"]),
    ],
)
def test_a_value_is_taken_where_nothing_of_it_is_lost(
    root: Path, spark: SparkSession, given: pa.DataType, values: list[Any], promised: str, expected: list[Any]
) -> None:
    from traintable.ingest.sources import typed
    from traintable.ingest.sources.files import list_files

    n = range(len(values))
    pq.write_table(pa.table({"id": n, "v": pa.array(values, given)}), root / "raw/a.parquet")
    setting = config(root, "parquet", columns={"id": {"type": "int"}, "v": {"type": promised}})
    files = list_files(str(root / "raw"), root=str(root))
    found = (
        typed.read_typed(spark, files, setting, str(root))
        .rows()
        .withColumn("bad", F.col("_wrong._reasons"))
        .drop("_wrong")
        .toArrow()
        .to_pylist()
    )
    got = {row["id"]: row["v"] if row["bad"] is None else "bad" for row in found}
    assert [got[i] for i in n] == expected
    assert all(row["bad"] in (None, ["type:v"]) for row in found)


def test_files_of_other_columns_and_files_that_are_none(root: Path, land: Land) -> None:
    pq.write_table(flights(0, 5), root / "raw/a.parquet")
    pq.write_table(flights(10, 5).append_column("gate", pa.array(list("abcde"))), root / "raw/b.parquet")
    with pytest.raises(ConfigError, match="column 'gate'"):
        land("parquet")
    pq.write_table(flights(20, 5).drop_columns(["name"]), root / "raw/c.parquet")
    whole = (root / "raw/a.parquet").read_bytes()
    (root / "raw/cut.parquet").write_bytes(whole[: len(whole) // 2])
    (root / "raw/empty.parquet").write_bytes(b"")
    middle = 20  # within the first page
    (root / "raw/flipped.parquet").write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    result = land("parquet", load={"drift": "add_columns"})
    assert result["unreadable"][:2] == ["raw/cut.parquet", "raw/empty.parquet"]
    assert result["rows"] == {"read": 15 + 5 * ("raw/flipped.parquet" not in result["unreadable"]),
                            "accepted": result["rows"]["read"], "quarantined": 0}  # fmt: skip
    by_id = {row["id"]: row for row in rows(root)}
    assert (by_id[0]["gate"], by_id[10]["gate"], by_id[20]["name"]) == (None, "a", None)


def test_columns_that_nobody_has_declared_are_quarantined(root: Path, land: Land) -> None:
    pq.write_table(flights(0, 5), root / "raw/a.parquet")
    pq.write_table(flights(10, 5).append_column("gate", pa.array(list("abcde"))), root / "raw/b.parquet")
    result = land("parquet", load={"drift": "quarantine"})
    assert result["rows"] == {"read": 10, "accepted": 5, "quarantined": 5}
    kept = rows(root, "landed_quarantine")
    assert [row["reasons"] for row in kept] == [["drift:gate"]] * 5
    assert '"gate":"a"' in min(kept, key=lambda row: row["position"])["raw"]


def test_whole_files_as_rows(root: Path, land: Land) -> None:
    (root / "raw/a.bin").write_bytes(b"\x00\x01")
    (root / "raw/b.bin").write_bytes(b"x" * 5000)
    columns = {"path": {}, "length": {"type": "bigint", "max": 1000}, "content": {"type": "binary"}}
    result = land("binary", columns=columns, key=["path"])
    assert result["rows"] == {"read": 2, "accepted": 1, "quarantined": 1}
    assert [(row["content"], row["_file"]) for row in rows(root)] == [(b"\x00\x01", "raw/a.bin")]
    (kept,) = rows(root, "landed_quarantine")
    assert (kept["reasons"], kept["position"]) == (["range:length"], 1)
    assert "content" not in kept["raw"]
