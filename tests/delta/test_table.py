"""A table is written to in whole commits, once for each transaction, by who holds the lease where it is shared."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from servers.fixtures import S3
from traintable.delta import write_version
from traintable.delta.commits import commits, storage_options
from traintable.delta.data_files import DataFiles, FileWriter
from traintable.delta.lease import newest_of
from traintable.delta.properties import OWN_PROPERTIES
from traintable.delta.table import MergeClauses, Table, Transaction
from traintable.delta.versions import newest_version, table_folder
from traintable.errors import ConfigError, LeaseLost, TableBusy
from traintable.storage.folder import folder

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


@pytest.fixture(params=["disk", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "t")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3a://{s3.new_bucket()}/t"


def files_of(address: str, ids: range, partition: dict[str, str] | None = None) -> DataFiles:
    writer = FileWriter(address, SCHEMA)
    writer.add(pa.RecordBatch.from_pydict({"id": list(ids), "text": [f"t{i}" for i in ids]}, schema=SCHEMA))
    file = writer.close()
    return DataFiles.of_one_partition([] if file is None else [file], SCHEMA, partition)


def opened(address: str) -> DeltaTable:
    return DeltaTable(address, storage_options=storage_options(address))


def ids(address: str) -> list[int]:
    return sorted(opened(address).to_pyarrow_table().column("id").to_pylist())


def properties(address: str) -> dict[str, Any]:
    return dict(opened(address).metadata().configuration)


def test_files_are_added_once_for_each_transaction(address: str) -> None:
    table = Table(address)
    assert not table.exists
    assert not table.has(Transaction("stream", 0))
    for batch in (0, 1, 1, 0, 2):  # Delta takes none after one of the same application with a greater number
        known = table.has(Transaction("stream", batch))
        files = files_of(address, range(10 * batch, 10 * batch + 3), {"day": "1"})
        version = table.append_files(files, transaction=Transaction("stream", batch), metadata={"batch": batch})
        assert version == table.version == (max(1, batch) if known else batch)
    assert ids(address) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert [commit.metadata_object() for commit in table.commits()] == [{"batch": n} for n in (2, 1, 0)]
    assert [(commit.metrics or {})["numOutputRows"] for commit in table.newest_commits()] == ["3"] * 3
    assert opened(address).metadata().partition_columns == ["day"]
    assert properties(address) == OWN_PROPERTIES


def test_of_many_that_add_files_at_once_all_do(address: str) -> None:
    Table(address).append_files(files_of(address, range(1)))

    def write(start: int) -> Callable[[], None]:
        def work() -> None:
            for i in range(3):
                files = files_of(address, range(start + i, start + i + 1))
                Table(address).append_files(files, transaction=Transaction(f"writer {start}", i + 1))

        return work

    threads = [threading.Thread(target=write(10 * (i + 1))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(address) == [0, *(10 * (i + 1) + k for i in range(4) for k in range(3))]
    assert Table(address).version == 12


def test_what_was_committed_meanwhile_stays_and_is_not_done_again(tmp_path: Path) -> None:
    """The table is opened, and then another commit comes first."""
    address, real = str(tmp_path / "t"), write_version._open_table
    Table(address).append_files(files_of(address, range(1)))
    meanwhile: list[Transaction | None] = [None, Transaction("me", 1)]

    def slow(table: str) -> Any:
        found = real(table)
        if meanwhile:
            other = meanwhile.pop(0)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(write_version, "_open_table", real)
                Table(table).append_files(files_of(table, range(100, 101)), transaction=other)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_version, "_open_table", slow)
        version = Table(address).append_files(files_of(address, range(7, 8)), transaction=Transaction("me", 1))
    assert (version, ids(address)) == (2, [0, 100, 100])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_version, "create_commit", lambda *_: False)
        with pytest.raises(TableBusy, match="other writers were first each time"):
            Table(address).append_files(files_of(address, range(1)))


def test_a_table_that_does_not_take_files_as_they_are_refuses_them(tmp_path: Path) -> None:
    address = str(tmp_path / "t")
    Table(address).append_files(files_of(address, range(2)))
    for wrong in (files_of(address, range(1), {"day": "1"}), DataFiles.of_one_partition([], pa.schema([("n", "i4")]))):
        assert not Table(address).takes_files(wrong)
        with pytest.raises(ConfigError, match="the same columns and partitions"):
            Table(address).append_files(wrong)
    assert not Table("a.b").takes_files(files_of(address, range(1)))


def test_rows_of_spark_are_added_replaced_and_merged_once(spark: SparkSession, tmp_path: Path) -> None:
    address = str(tmp_path / "t")
    table = Table(address)

    def rows(*numbers: int, day: int = 1) -> Any:
        return spark.createDataFrame([(n, day) for n in numbers], "id bigint, day int")

    once = Transaction("run", 1)
    assert [table.append(rows(1, 2), transaction=once, metadata={"n": i}, partition_by=["day"]) for i in (0, 1)] == [
        0,
        0,
    ]
    assert table.replace(rows(3, day=2), where="day = 2", metadata={"n": 2}) == 1
    assert table.replace(rows(4, 5, day=2), where="day = 2", metadata={"n": 3}) == 2
    assert ids(address) == [1, 2, 4, 5]
    clauses = MergeClauses(
        "target.id = source.id", delete="source.id = 1", update={"day": "9"}, insert={"id": "source.id", "day": "0"}
    )
    for _ in range(2):
        again = Transaction("merge", 1)
        assert table.merge(rows(1, 2, 8), clauses, transaction=again, metadata={"n": 4}) == 3
    assert sorted(map(tuple, table.rows(spark).collect())) == [(2, 9), (4, 2), (5, 2), (8, 0)]
    assert table.update(spark, "id = 8", {"day": "7"}, metadata={"n": 5}) == 4
    assert table.delete(spark, "day = 2", metadata={"n": 6}) == 5
    assert table.delete(spark, "day = 2", metadata={"n": 7}) == 5  # there is nothing to be done
    assert [commit.metadata_object()["n"] for commit in commits(address)] == [6, 5, 4, 3, 2, 0]
    assert properties(address) == OWN_PROPERTIES
    more = spark.createDataFrame([(1, 1, "x")], "id bigint, day int, text string")
    assert table.append(more, add_columns=True) == 6
    assert table.replace(more, new_schema=True, properties={"traintable.features": "[]"}, metadata={"n": 8}) == 7
    assert (table.rows(spark).columns, ids(address)) == (["id", "day", "text"], [1])
    assert properties(address) == {**OWN_PROPERTIES, "traintable.features": "[]"}
    assert Table(address).rows(spark, 5).count() == 2
    with pytest.raises(PySparkException):
        Table(address).create(more)
    assert table.version == 7


def test_a_table_of_the_catalog_is_written_to_in_the_same_way(spark: SparkSession) -> None:
    spark.sql("CREATE SCHEMA IF NOT EXISTS one_table")
    table = Table("one_table.t", spark=spark)
    try:
        assert not table.exists
        assert table.append(spark.range(3), metadata={"n": 0}) == 0
        assert table.replace(spark.range(5), metadata={"n": 1}) == table.version == 1
        assert table.replace(spark.range(2), new_schema=True, metadata={"n": 2}) == 2
        assert [commit.metadata_object()["n"] for commit in table.commits(after=0)] == [2, 1]
        assert (table.exists, table.rows(spark, 1).count()) == (True, 5)
        told = {row["key"]: row["value"] for row in spark.sql("SHOW TBLPROPERTIES one_table.t").collect()}
        assert told.items() >= OWN_PROPERTIES.items()
        with pytest.raises(ConfigError, match="expected a local path"):
            table.has(Transaction("a", 1))
    finally:
        spark.sql("DROP SCHEMA one_table CASCADE")


def test_rows_in_memory_are_added_with_columns_that_are_new(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "t"))
    assert [table.append_arrow(pa.table({"id": [n]}), compact_above=3) for n in range(3)] == [0, 1, 2]
    assert table.append_arrow(pa.table({"id": [3], "more": ["x"]}), compact_above=3) == 3
    assert (len(opened(table.address).file_uris()), table.version) == (1, 4)
    assert table.to_arrow().sort_by("id").to_pydict() == {"id": [0, 1, 2, 3], "more": [None, None, None, "x"]}
    assert properties(table.address) == OWN_PROPERTIES


def test_a_shared_table_is_written_to_with_the_lease(tmp_path: Path) -> None:
    address = str(tmp_path / "t")
    lease = folder(f"{address}_lease")
    Table(address).append_files(files_of(address, range(1)))
    assert newest_of(lease) == 0
    shared = Table(address, is_shared=True)
    shared.append_files(files_of(address, range(1)))
    assert newest_of(lease) == 1
    with shared.exclusive() as held:
        shared.append_files(files_of(address, range(1)))
        shared.append_arrow(pa.table({"id": [9]}))
        assert (held.token, newest_of(lease)) == (2, 2)
        lease.create(f"{3:020}.json", json.dumps({"over": True}).encode())  # somebody has taken this one to be gone
        for commit in (
            lambda: shared.append_files(files_of(address, range(1))),
            lambda: shared.append_arrow(pa.table({"id": [9]})),
            lambda: shared.replace_with_files(files_of(address, range(1))),
        ):
            with pytest.raises(LeaseLost, match="lease 3 of another writer"):
                commit()
    assert shared.version == 3
    lease.create(f"{4:020}.json", json.dumps({"ttl_seconds": 60}).encode())
    with pytest.raises(TableBusy), Table(address).exclusive(wait_seconds=0.1):
        pass


def test_metadata_is_json(tmp_path: Path) -> None:
    address = str(tmp_path / "t")
    with pytest.raises(ValueError, match="JSON"):
        Table(address).append_files(files_of(address, range(1)), metadata={"x": float("nan")})
    assert not Table(address).exists


def test_a_line_of_the_log_ends_where_json_ends_it(tmp_path: Path) -> None:
    """Other writers put U+2028 and the like into it as they are."""
    address, odd = str(tmp_path / "t"), "a\u2028b\u0085c\x1ed"
    write_deltalake(address, pa.table({"id": [1]}))
    properties = CommitProperties(custom_metadata={"userMetadata": "x"})
    write_deltalake(address, pa.table({"id": [2]}), mode="append", commit_properties=properties)
    entry = tmp_path / "t" / "_delta_log" / f"{1:020}.json"
    lines = [json.loads(line) for line in entry.read_bytes().splitlines()]
    for line in lines:
        if "commitInfo" in line:
            line["commitInfo"]["userMetadata"] = odd
    entry.write_bytes("\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode())
    assert commits(address)[0].metadata == odd
    assert len(newest_version(table_folder(address)).files) == 2
