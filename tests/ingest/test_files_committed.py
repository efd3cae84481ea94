"""Rows that tasks write as Parquet files: any reader finds them, their statistics hold, one commit takes them."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from traintable.config.ingest import IngestConfig
from traintable.delta import data_files as delta_files
from traintable.delta.data_files import DataFiles
from traintable.delta.table import Table
from traintable.ingest.job import ingest
from traintable.ingest.parquet_files import write_good
from traintable.ingest.recount import recount
from traintable.ingest.tables import n_written
from traintable.spark.task_results import UnreadableFile, UnreadableFiles, values_of

SCHEMA = pa.schema(
    [
        ("i", pa.int32()),
        ("x", pa.float64()),
        ("s", pa.string()),
        ("d", pa.date32()),
        ("t", pa.timestamp("us", tz="UTC")),
        ("b", pa.bool_()),
        ("m", pa.decimal128(9, 2)),
        ("l", pa.list_(pa.int64())),
    ]
)
COLUMNS = {
    "i": {"type": "int"},
    "x": {"type": "double"},
    "s": {},
    "t": {"type": "timestamp"},
    "l": {"type": "array<bigint>"},
}


def some_rows(draw: random.Random, n: int) -> pa.RecordBatch:
    def value(field: pa.Field) -> Any:
        if draw.random() < 0.2:
            return None
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=draw.randrange(-(10**15), 10**15))
        return {
            "i": draw.randrange(-5, 5),
            "x": draw.choice([1.5, -0.0, math.nan, math.inf, 2.0]) if draw.random() < 0.1 else draw.random(),
            "s": draw.choice("aäz\U0001f600") * draw.choice([0, 1, 31, 32, 33, 40]),
            "d": date(1500, 1, 1) + timedelta(days=draw.randrange(200_000)),
            "t": moment,
            "b": draw.random() < 0.5,
            "m": draw.randrange(1000),
            "l": [1, None],
        }[field.name]

    columns = [pa.array([value(field) for _ in range(n)], field.type) for field in SCHEMA]
    wrong = pa.array([{"_raw": "x"} if draw.random() < 0.3 else None for _ in range(n)])
    return pa.RecordBatch.from_arrays([*columns, wrong], names=[str(i) for i in range(len(columns) + 1)])


def results(batches: Iterator[pa.RecordBatch]) -> list[Any]:
    """What tasks answer with."""
    return list(values_of(text for batch in batches for text in batch.column(0).to_pylist()))


def text_of(value: Any) -> Any:
    """A value as the statistics have it, before anything is cut."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("seed", range(12))
def test_good_rows_are_one_file_whose_statistics_hold(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_files, "GROUP_BYTES", 2000)
    draw = random.Random(seed)
    batches = [some_rows(draw, draw.randrange(40)) for _ in range(5)]
    good = pa.concat_tables(
        pa.Table.from_batches([pa.RecordBatch.from_arrays(b.columns[:-1], schema=SCHEMA).filter(b.column(8).is_null())])
        for b in batches
        if len(b)
    )
    [[path, size, n, stats]] = results(write_good(batches, str(tmp_path / "table"), SCHEMA))
    assert size == (tmp_path / "table" / path).stat().st_size
    assert repr(pq.read_table(tmp_path / "table" / path).to_pylist()) == repr(good.to_pylist())
    found = json.loads(stats)
    assert found["numRecords"] == n == len(good)
    for name in SCHEMA.names[:-1]:
        values = [value for value in good.column(name).to_pylist() if value is not None]
        assert found["nullCount"][name] == len(good) - len(values)
        low, high = found["minValues"].get(name), found["maxValues"].get(name)
        assert (low is None) == (
            name in ("b", "m") or not values or (name == "x" and not all(map(math.isfinite, values)))
        )
        if low is not None:
            texts = [text_of(value) for value in values]
            assert all(low[:-1] <= text if name == "t" else low <= text for text in texts)
            assert high is None or all(text <= high[:-1] if name == "t" else text <= high for text in texts)
            assert name not in ("i", "x") or (low, high) == (min(values), max(values))


def test_no_rows_no_file_and_nothing_stays_of_one_that_fails(tmp_path: Path) -> None:
    assert results(write_good([], str(tmp_path / "none"), SCHEMA)) == [None]
    assert not (tmp_path / "none").exists()

    def breaking() -> Iterator[pa.RecordBatch]:
        yield some_rows(random.Random(0), 50)
        raise OSError("no more")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta_files, "GROUP_BYTES", 1)
        with pytest.raises(OSError, match="no more"):
            list(write_good(breaking(), str(tmp_path / "some"), SCHEMA))
        assert list((tmp_path / "some").iterdir()) == []

        def unreadable() -> Iterator[pa.RecordBatch]:
            yield some_rows(random.Random(0), 50)
            raise UnreadableFiles(UnreadableFile("a.csv", "no more"))

        with pytest.raises(UnreadableFiles, match=r"a\.csv: no more"):  # as data, which the driver raises
            results(write_good(unreadable(), str(tmp_path / "some"), SCHEMA))
    assert list((tmp_path / "some").iterdir()) == []


def config(root: Path, **more: Any) -> IngestConfig:
    source = {"format": "json", "path": "raw"}
    known = {"name": "files", "root": str(root), "source": source, "columns": COLUMNS, "output": {"table": "landed"}}
    return IngestConfig.model_validate({**known, **more})


def put(root: Path, name: str, first: int) -> None:
    lines = [
        {"i": i, "x": i / 2, "s": f"s{i}", "t": f"2026-01-{1 + i % 28:02}T00:00:00.123456Z", "l": [i, None]}
        for i in range(first, first + 50)
    ]
    path = root / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


_ONE_BAD = {"read": 1, "accepted": 0, "quarantined": 1}


def operations(root: Path) -> list[str]:
    return [str(commit["operation"]) for commit in reversed(DeltaTable(str(root / "landed")).history())]


def test_spark_and_others_read_what_was_committed(spark: SparkSession, tmp_path: Path) -> None:
    put(tmp_path, "a.json", 0)
    assert ingest(config(tmp_path), spark=spark)["rows"]["accepted"] == 50
    put(tmp_path, "b.json", 100)
    assert ingest(config(tmp_path), spark=spark)["rows"]["accepted"] == 50
    table = str(tmp_path / "landed")
    rows = spark.read.format("delta").load(table)
    assert [f"{name} {kind}" for name, kind in rows.dtypes] == [
        "i int",
        "x double",
        "s string",
        "t timestamp",
        "l array<bigint>",
        "_file string",
    ]
    kept = rows.where((F.col("i") > 120) & (F.col("t") >= "2026-01-05") & F.startswith("s", F.lit("s1")))
    everything = DeltaTable(table).to_pyarrow_table().to_pylist()
    bound = datetime(2026, 1, 5, tzinfo=timezone.utc)
    expected = [row["i"] for row in everything if row["i"] > 120 and row["t"] >= bound and row["s"].startswith("s1")]
    assert sorted(row["i"] for row in kept.select("i").collect()) == sorted(expected)
    assert len(everything) == rows.count() == 100
    assert all("CREATE" in one or "WRITE" in one for one in operations(tmp_path))
    runs = [json.loads(c["userMetadata"])["run"] for c in DeltaTable(table).history()]
    assert [n_written(Table(table), run) for run in runs] == [50, 50]


def test_a_run_of_bad_records_only_is_done_once_too(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for n, name in enumerate(("a.json", "b.json", "c.json")):
        if name == "c.json":
            put(tmp_path, name, 0)
        else:
            (tmp_path / "raw" / name).write_text("[]\n")
        found = ingest(config(tmp_path), spark=spark)["rows"]
        assert found == ({"read": 50, "accepted": 50, "quarantined": 0} if n == 2 else _ONE_BAD), name
        assert ingest(config(tmp_path), spark=spark)["status"] == "unchanged"
    assert recount(str(tmp_path / "landed"), spark=spark)[-1].ok


def test_days_of_long_ago_are_the_same_to_all_readers(spark: SparkSession, tmp_path: Path) -> None:
    days = ["0001-01-01", "1066-10-14", "1582-10-04", "1582-10-15", "1900-01-01", "9999-12-31"]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.json").write_text("".join(f'{{"d": "{day}", "t": "{day}T00:00:00Z"}}\n' for day in days))
    columns = {"d": {"type": "date"}, "t": {"type": "timestamp"}}
    assert ingest(config(tmp_path, columns=columns), spark=spark)["rows"]["accepted"] == len(days)
    rows = spark.read.format("delta").load(str(tmp_path / "landed"))
    texts = rows.select(F.col("d").cast("string"), F.date_format("t", "yyyy-MM-dd'T'HH:mm:ss")).collect()
    assert sorted(tuple(row) for row in texts) == [(day, f"{day}T00:00:00") for day in days]
    for day in days:
        assert rows.where((F.col("d") == day) & (F.col("t") == f"{day}T00:00:00Z")).count() == 1


def test_a_table_that_asks_more_of_its_rows_is_written_by_spark(spark: SparkSession, tmp_path: Path) -> None:
    put(tmp_path, "a.json", 0)
    ingest(config(tmp_path), spark=spark)
    table = str(tmp_path / "landed")
    schema = pa.schema([("i", pa.int32()), ("x", pa.float64()), ("_file", pa.string())])

    def takes_files(schema: pa.Schema, partition: dict[str, str]) -> bool:
        return Table(table).takes_files(DataFiles.of_one_partition([], schema, partition))

    assert takes_files(schema, {})
    assert not takes_files(schema, {"_interval": "2026-01-01"})
    assert not takes_files(pa.schema([("i", pa.int64())]), {})
    assert not takes_files(pa.schema([("new", pa.int64())]), {})
    assert not takes_files(pa.schema([("n", pa.timestamp("us"))]), {})
    spark.sql(f"ALTER TABLE delta.`{table}` ADD CONSTRAINT low CHECK (i < 60)")
    assert not takes_files(schema, {})
    put(tmp_path, "b.json", 40)
    with pytest.raises(Exception, match="low"):
        ingest(config(tmp_path), spark=spark)
    assert spark.read.format("delta").load(table).count() == 50
