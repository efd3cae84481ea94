"""What readers without Spark take of a training table: gated versions only, each whole and once."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import DeltaError
from pyspark.sql import SparkSession

from gated_tables import PASSED, manifest_of, publish, some_rows, write
from servers.fixtures import S3
from traintable.delta.commits import storage_options
from traintable.errors import ConfigError, InputMissing
from traintable.publish import newest_manifest
from traintable.publish.erasure import forget
from traintable.reading import batches, follow, newest_gated, passed_gate


@pytest.fixture(params=["disk", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "t")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3a://{s3.new_bucket()}/tables/t"


@pytest.fixture
def table(tmp_path: Path) -> str:
    return str(tmp_path / "t")


def opened(table: str, version: int | None = None) -> DeltaTable:
    return DeltaTable(table, version=version, storage_options=storage_options(table))


def compacted(table: str) -> None:
    """Replace the small files of a table by one a split, and remove these at once."""
    opened(table).optimize.compact()
    opened(table).vacuum(0, enforce_retention_duration=False, dry_run=False)


class Once(threading.Event):
    """What ends a reader when it begins to wait."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def seen(table: str, **options: Any) -> list[int]:
    """What a reader sees who looks once."""
    return list(follow(table, stop=Once(), **options))


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"gate": PASSED}, True),
        ({"gate": {**PASSED, "refusals": [{"rule": "x"}]}}, False),
        ({"gate": "passed"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_gate_has_passed_where_the_manifest_says_so(manifest: dict[str, Any] | None, expected: bool) -> None:
    assert passed_gate(manifest) is expected


def test_what_somebody_writes_on_top_is_not_taken(address: str) -> None:
    publish(address, some_rows(6))
    publish(address, some_rows(9))
    assert newest_gated(address) == 1
    write(address, some_rows(2), None, mode="append")
    write(address, some_rows(4), manifest_of(some_rows(4), gate=None))
    write(address, some_rows(4), manifest_of(some_rows(4), gate={**PASSED, "refusals": [{"rule": "x"}]}))
    assert newest_gated(address) == 1
    assert sum(len(batch) for part in ("train", "test") for batch in batches(address, split=part)) == 9
    publish(address, some_rows(3))
    assert newest_gated(address) == 5


def test_rows_that_are_not_those_of_the_manifest_are_not_taken(table: str, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody commits other rows with a manifest of ours, as Spark does with a setting of the session."""
    publish(table, some_rows(6))
    write(table, some_rows(5), manifest_of(some_rows(6)))
    write(table, some_rows(6, splits=("train",)), manifest_of(some_rows(6)))
    assert newest_gated(table) == 0
    assert seen(table, after=-1) == [0]
    assert (
        "version 2 is left out: published {'train': 4, 'validation': 0, 'test': 2}, found version 2 {'train': 6}"
        in caplog.text
    )


def test_upkeep_leaves_the_version_or_takes_its_place(table: str, caplog: pytest.LogCaptureFixture) -> None:
    half = some_rows(3)
    write(table, half, None)
    rows = pa.concat_tables([half, half])
    write(table, half, manifest_of(rows), mode="append")
    opened(table).optimize.compact()
    assert opened(table).history(1)[0]["operation"] == "OPTIMIZE"
    assert newest_gated(table) == 1
    compacted(table)
    with pytest.raises(OSError, match="not found"):
        opened(table, 1).to_pyarrow_table()
    version = newest_gated(table)
    assert (version, opened(table).version()) == (4, 4)  # two commits of VACUUM have followed
    assert opened(table, version).to_pyarrow_table().num_rows == 6
    assert seen(table) == [4]
    assert not caplog.records


def test_upkeep_of_what_somebody_else_has_written_is_not_taken(table: str) -> None:
    """They have as many rows of each split."""
    half = some_rows(3)
    publish(table, pa.concat_tables([half, half]))
    write(table, half, None)
    write(table, half, None, mode="append")
    compacted(table)
    with pytest.raises(InputMissing, match="found none"):
        newest_gated(table)


def test_rows_that_were_forgotten_are_not_missed(spark: SparkSession, table: str) -> None:
    for n in (6, 9):
        write(table, some_rows(n), {**manifest_of(some_rows(n)), "key": ["id"]})
    forget(table, {"id": 4})
    assert seen(table, after=-1) == [0, 1, 2]
    for version, n in ((0, 5), (1, 8), (2, 8)):
        left = [
            i
            for part in ("train", "test")
            for batch in batches(table, version, split=part)
            for i in batch["id"].to_pylist()
        ]
        assert sorted(left) == [i for i in range(n + 1) if i != 4]
    manifest = newest_manifest(table)[1]
    write(table, some_rows(7), manifest)  # fewer than are left
    write(table, some_rows(12), manifest)
    assert newest_gated(table) == 2


def test_a_version_whose_files_are_gone_is_left_out_and_told(
    address: str, s3: S3, caplog: pytest.LogCaptureFixture
) -> None:
    for n in (3, 6, 9):
        publish(address, some_rows(n))
    opened(address).vacuum(0, enforce_retention_duration=False, dry_run=False)
    with pytest.raises(OSError, match="not found"):
        opened(address, 1).to_pyarrow_table()
    assert seen(address, after=-1) == [2]
    assert [record.levelno for record in caplog.records if record.name == "traintable.reading._gated"] == [
        logging.WARNING
    ] * 2
    with pytest.raises(InputMissing, match=r"version 1: .* not found"):
        list(batches(address, 1, split="train"))


def test_a_follower_gets_each_version_once_and_in_order(address: str) -> None:
    publish(address, some_rows(3))
    stop, got = threading.Event(), []
    publish(address, some_rows(6))
    reader = threading.Thread(target=lambda: got.extend(follow(address, poll_seconds=0.02, stop=stop)))
    followed = follow(address, poll_seconds=0.02)
    reader.start()
    assert next(followed) == 1  # the newest, not all that were before
    for n in (1, 4, 5):  # while it reads the first, three come
        publish(address, some_rows(n))
    write(address, some_rows(2), None, mode="append")
    publish(address, some_rows(8))
    assert list(islice(followed, 4)) == [2, 3, 4, 6]
    while len(got) < 5:
        stop.wait(0.02)
    stop.set()
    reader.join(10)
    assert got == [1, 2, 3, 4, 6]
    assert seen(address, after=2) == [3, 4, 6]
    assert seen(address, after=6) == []
    assert seen(address) == [6]


def test_a_follower_waits_for_a_first_gated_version(table: str) -> None:
    write(table, some_rows(2), None)
    followed = follow(table, poll_seconds=0.02)
    threading.Timer(0.3, publish, (table, some_rows(5))).start()
    assert next(followed) == 1


def test_a_follower_tells_when_versions_may_have_been_missed(table: str) -> None:
    for n in range(1, 6):
        publish(table, some_rows(n))
        if n == 3:
            opened(table).create_checkpoint()
    for version in range(2):
        os.remove(f"{table}/_delta_log/{version:020}.json")  # as the clean-up of a log does
    assert seen(table, after=1) == [2, 3, 4]
    assert seen(table) == [4]
    with pytest.raises(InputMissing, match="version 0 and all that came after it in the log, found versions 2 to 4"):
        seen(table, after=0)
    with pytest.raises(InputMissing, match="found versions 2 to 4"):
        seen(table, after=5)  # a table that is not the one that was followed


def test_a_log_that_begins_later_is_read_from_there(table: str) -> None:
    """A version that is in the log, but can't be put together any more, is left out."""
    for n in range(1, 5):
        publish(table, some_rows(n))
    for version in range(2):
        os.remove(f"{table}/_delta_log/{version:020}.json")
    with pytest.raises(DeltaError):
        opened(table, 2)
    assert seen(table, after=1) == []


def test_a_fault_of_the_storage_is_no_missing_version(s3: S3) -> None:
    """What can't be read now, and may be later, is not left out."""
    address = f"s3a://{s3.new_bucket()}/t"
    publish(address, some_rows(3))
    name = next(
        o["Key"] for o in s3.client.list_objects_v2(Bucket=address.split("/")[2])["Contents"] if "part-" in o["Key"]
    )
    s3.client.put_object(Bucket=address.split("/")[2], Key=name, Body=b"x")
    with pytest.raises(InputMissing, match="version 0"):
        newest_gated(address)
    with pytest.raises(InputMissing, match="version 0"):
        seen(address, after=-1)


@pytest.fixture(scope="module")
def in_groups(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A version of several files, some of which have several row groups."""
    table = str(tmp_path_factory.mktemp("groups") / "t")
    for n, mode in ((300, "overwrite"), (900, "append"), (40, "append")):
        rows = some_rows(n, seed=n)
        options = {"writer_properties": WriterProperties(max_row_group_size=100)}
        write(table, rows, manifest_of(rows), mode=mode, **options)
    return table


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50])
def test_shards_share_the_rows_and_keep_their_order(in_groups: str, n: int) -> None:
    whole = list(batches(in_groups, 2, split="train"))
    shards = [list(batches(in_groups, 2, split="train", shard=(i, n), batch_size=30)) for i in range(n)]
    expected = opened(in_groups, 2).to_pyarrow_dataset().to_table()
    expected = expected.filter(pa.compute.equal(expected["split"], "train"))
    got = pa.Table.from_batches([batch for shard in shards for batch in shard])
    assert got.schema == expected.schema
    assert sorted(map(str, got.to_pylist())) == sorted(map(str, expected.to_pylist()))
    assert max(len(batch) for shard in shards for batch in shard) <= 30
    opened(in_groups, 2).create_checkpoint()  # from which the log is read in another order
    again = [list(batches(in_groups, 2, split="train", shard=(i, n), batch_size=30)) for i in range(n)]
    assert again == shards
    if n == 1:
        assert pa.Table.from_batches(whole) == got
        files = sorted(Path(in_groups, "split=train").glob("*.parquet"))
        assert got["id"].to_pylist() == [i for file in files for i in pq.read_table(file)["id"].to_pylist()]
    n_groups = 2 + 6 + 1  # of two files several, and of the third one
    assert sum(map(bool, shards)) == min(n, n_groups)


def test_a_batch_has_the_columns_that_are_asked_for_in_their_order(in_groups: str) -> None:
    first = next(batches(in_groups, 1, split="test", columns=["late", "split", "id"]))
    assert first.schema.names == ["late", "split", "id"]
    assert set(first["split"].to_pylist()) == {"test"}


def test_a_split_without_rows_gives_none(in_groups: str) -> None:
    assert list(batches(in_groups, 0, split="validation")) == []


def test_a_batch_of_the_split_alone_has_its_rows(in_groups: str) -> None:
    assert sum(len(batch) for batch in batches(in_groups, 2, split="test", columns=["split"])) == 413


def test_any_name_of_a_column_is_taken_by_the_letter(table: str) -> None:
    names = ["a", "a.b", "x<missing>", "dest_ä"]
    rows = some_rows(3).drop_columns(["features"])
    for i, name in enumerate(names):
        rows = rows.append_column(name, pa.array([float(i)] * 3))
    publish(table, rows)
    for chosen in (names, names[::-1], ["a"], ["a.b"]):
        (batch,) = batches(table, split="test", columns=chosen)
        assert batch.to_pylist() == [{name: float(names.index(name)) for name in chosen}]


def test_a_column_that_a_file_has_not_is_null(table: str) -> None:
    """So says the protocol, of files that were written before a column was added."""
    write(table, some_rows(3), None)
    more = some_rows(6).append_column("weight", pa.array([1.5] * 6))
    write(table, more, None, mode="append", schema_mode="merge")
    weights = [batch["weight"].to_pylist() for batch in batches(table, 1, split="train")]
    assert sorted(weights, key=len) == [[None] * 2, [1.5] * 4]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"split": "trian"}, "Did you mean 'train'"),
        ({"split": "train", "columns": ["feature"]}, "Did you mean 'features'"),
        ({"split": "train", "batch_size": 0}, "batch_size: expected 1 or more, found 0"),
        ({"split": "train", "shard": (2, 2)}, "shard: expected"),
        ({"split": "train", "shard": (-1, 2)}, "shard: expected"),
    ],
)
def test_what_can_not_be_is_told_at_the_call(in_groups: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        batches(in_groups, 0, **wrong)


@pytest.mark.parametrize("version", [99, -1])
def test_a_version_that_is_not_there_is_told(in_groups: str, version: int) -> None:
    with pytest.raises(InputMissing, match=f"version {version}"):
        batches(in_groups, version, split="train")


def calls(table: str) -> Iterator[Any]:
    yield lambda: newest_gated(table)
    yield lambda: next(follow(table))
    yield lambda: batches(table, split="train")


def test_a_table_that_is_not_there_is_told(tmp_path: Path, s3: S3) -> None:
    for place in (str(tmp_path / "none"), str(tmp_path), f"s3a://{s3.new_bucket()}/none"):
        for call in calls(place):
            with pytest.raises(InputMissing, match=r"nothing there|a folder without one"):
                call()
    for call in calls("s3a://test-no-such-bucket/t"):
        with pytest.raises(InputMissing, match="no bucket"):
            call()
    for place in ("main.sales.orders", "abfss://lake@account/t"):
        for call in calls(place):
            with pytest.raises(ConfigError, match="a local path or an address s3a://"):
                call()


def test_a_table_without_a_gated_version_is_told(table: str) -> None:
    write(table, some_rows(3), None)
    with pytest.raises(InputMissing, match="a version that passed the gate, with all its rows, found none"):
        newest_gated(table)
    with pytest.raises(ConfigError, match="poll_seconds"):
        follow(table, poll_seconds=0)


def test_a_forked_process_is_told_what_to_do(table: str) -> None:
    publish(table, some_rows(3))
    assert newest_gated(table) == 0
    child = os.fork()
    if child == 0:
        try:
            batches(table, 0, split="train")
        except ConfigError as error:
            os._exit(7 if "multiprocessing_context='spawn'" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
