"""One log entry makes files a version, where there is none yet; readers of others see all of it or nothing."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from servers.fixtures import S3
from tiny_files import ARROW, SCHEMA, written
from traintable.delta import write_version as committing
from traintable.delta.commits import commits, storage_options
from traintable.delta.data_files import DataFiles, FileWriter, Written
from traintable.delta.table import Table
from traintable.errors import ConfigError, LeaseLost
from traintable.storage.folder import folder


@pytest.fixture(params=["disk", "s3"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "tables" / "t")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3a://{s3.new_bucket()}/tables/t"


def publish(table: str, ids: range, run: str = "r") -> int:
    return commit_files(table, written(table, ids), {"traintable": "0", "run_id": run, "n": len(ids)})


def commit_files(table: str, files: dict[str, list[Written]], manifest: dict[str, Any]) -> int:
    properties = {"traintable.features": json.dumps(["a", "b"])}
    return Table(table).replace_with_files(DataFiles.of_splits(files, SCHEMA), metadata=manifest, properties=properties)


def can_take(table: str) -> bool:
    return Table(table).can_be_replaced_with_files(["split"])


def opened(table: str, version: int | None = None) -> DeltaTable:
    return DeltaTable(table, version=version, storage_options=storage_options(table))


def ids(table: str, version: int | None = None) -> list[int]:
    found = opened(table, version).to_pyarrow_table()
    assert found.column("features").to_pylist() == [[float(n), 0.5] for n in found.column("id").to_pylist()]
    return sorted(found.column("id").to_pylist())


def test_each_version_is_the_rows_of_its_files(table: str) -> None:
    for version, rows in enumerate((range(30), range(10, 25), range(7))):
        assert publish(table, rows, f"run-{version}") == version
        assert ids(table) == list(rows)
    assert ids(table, 0) == list(range(30))
    assert [commit.metadata_object()["run_id"] for commit in commits(table)] == ["run-2", "run-1", "run-0"]
    assert {commit.operation for commit in commits(table)} == {"WRITE"}
    metadata = opened(table).metadata()
    assert json.loads(metadata.configuration["traintable.features"]) == ["a", "b"]
    assert metadata.partition_columns == ["split"]
    assert metadata.id == opened(table, 0).metadata().id
    assert opened(table).protocol().min_writer_version == 2


def test_spark_reads_and_tells_of_it(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    publish(table, range(30))
    publish(table, range(20))
    read = spark.read.format("delta").load(table)
    assert read.where("split = 'train' AND id >= 9").count() == sum(n % 3 == 0 and n >= 9 for n in range(20))
    assert [field.name for field in read.schema] == ["id", "features", "split"]
    told = spark.sql(f"DESCRIBE HISTORY delta.`{table}`").collect()
    assert [json.loads(row["userMetadata"])["n"] for row in told] == [20, 30]
    assert told[0]["operationMetrics"]["numOutputRows"] == "20"
    assert ids(table, 0) == list(range(30))
    spark.createDataFrame([(99, [1.0, 0.5], "train")], "id bigint, features array<float>, split string").write.format(
        "delta"
    ).mode("append").save(table)
    assert publish(table, range(5)) == opened(table).version()
    assert ids(table) == list(range(5))


def test_statistics_let_readers_pass_files_over(tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    publish(table, range(3000))
    found = pl.scan_delta(table).filter((pl.col("id") == 1500) & (pl.col("split") == "train")).collect()
    assert found["id"].to_list() == [1500]
    actions = opened(table).get_add_actions(flatten=True)
    names = ("partition.split", "min.id", "max.id", "num_records")
    bounds = zip(*(actions.column(name).to_pylist() for name in names), strict=True)
    assert sorted(bounds) == [("test", 2, 2999, 1000), ("train", 0, 2997, 1000), ("validation", 1, 2998, 1000)]


def test_what_somebody_else_has_committed_is_not_overwritten(table: str) -> None:
    publish(table, range(9))
    files = written(table, range(3))
    with pytest.MonkeyPatch.context() as patch:
        stale = opened(table)
        publish(table, range(6), "theirs")
        patch.setattr(committing, "_open_table", lambda _: stale)
        with pytest.raises(LeaseLost, match="version 1 first, found that another writer has written it"):
            commit_files(table, files, {})
    assert ids(table) == list(range(6))
    assert commits(table)[0].metadata_object()["run_id"] == "theirs"


def test_of_many_that_commit_at_once_one_has(table: str) -> None:
    """Without a lease, to try what stands behind it."""
    publish(table, range(1))
    done: list[str] = []

    def write(run: str) -> Callable[[], None]:
        def work() -> None:
            for _ in range(4):
                try:
                    publish(table, range(3), run)
                    done.append(run)
                except LeaseLost:
                    pass

        return work

    threads = [threading.Thread(target=write(f"run-{i}")) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(c.metadata_object()["run_id"] for c in commits(table)[:-1]) == sorted(done)
    assert opened(table).version() == len(done)


def test_the_log_is_summed_up_now_and_then(table: str) -> None:
    for n in range(1, 23):
        publish(table, range(n))
    found = [name for name in folder(f"{table}/_delta_log").names() if "checkpoint" in name]
    assert {name[:20] for name in found if name.endswith(".parquet")} == {f"{n:020}" for n in (10, 20)}
    for version in (0, 9, 10, 15, 21):
        assert ids(table, version) == list(range(version + 1))


def test_a_log_that_can_not_be_summed_up_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any) -> None:
        raise OSError("full")

    monkeypatch.setattr(DeltaTable, "create_checkpoint", fails)
    for n in range(1, 13):
        publish(str(tmp_path / "t"), range(n))
    assert ids(str(tmp_path / "t")) == list(range(12))


def test_a_table_with_features_of_others_is_not_taken(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    assert can_take(table)
    publish(table, range(3))
    assert can_take(table)
    spark.sql(f"ALTER TABLE delta.`{table}` ADD CONSTRAINT positive CHECK (id >= 0)")
    assert not can_take(table)


def test_files_that_are_gone_are_not_committed(table: str) -> None:
    """As where somebody else has cleaned up meanwhile, or tasks have another disk."""
    publish(table, range(9))
    files = written(table, range(6))
    folder(f"{table}/split=test").remove(files["test"][0].path)
    with pytest.raises(
        LeaseLost, match="the files that tasks have written, 1 in the folder 'split=test', found 1 of them gone"
    ):
        commit_files(table, files, {})
    assert ids(table) == list(range(9))


def test_a_table_to_which_rows_are_only_added_is_not_taken(tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    publish(table, range(3))
    opened(table).alter.set_table_properties({"delta.appendOnly": "true"})
    assert not can_take(table)
    with pytest.raises(ConfigError, match="whose rows may be replaced"):
        publish(table, range(3))


@pytest.mark.parametrize("seed", range(3))
def test_files_of_many_groups_hold_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr("traintable.delta.data_files.GROUP_BYTES", rng.choice([1, 100, 5000]))
    writer = FileWriter(str(tmp_path), ARROW)
    n = 0
    for size in [rng.randrange(0, 50) for _ in range(20)]:
        values = list(range(n, n + size))
        writer.add(pa.RecordBatch.from_pydict({"id": values, "features": [[1.0, 2.0]] * size}, schema=ARROW))
        n += size
    file = writer.close()
    assert file is not None
    assert file.n == n
    assert pl.read_parquet(tmp_path / file.path)["id"].to_list() == list(range(n))
    assert FileWriter(str(tmp_path / "none"), ARROW).close() is None
    assert not (tmp_path / "none").exists()
