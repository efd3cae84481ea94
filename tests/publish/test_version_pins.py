"""Pinned versions stay readable, whoever vacuums."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from servers.fixtures import S3
from training_tables import downloaded, is_readable, manifest_of, opened, publish, read, rows_of, three_versions
from traintable.delta.properties import KEEP_HISTORY
from traintable.errors import ConfigError, InputMissing
from traintable.publish import history, newest_manifest
from traintable.publish.vacuum import vacuum
from traintable.publish.version_pins import list_pins, pin_version, unpin_version
from traintable.spark.session import settings
from traintable.storage import folder as storage

Command = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Three versions on the local disk."""
    three_versions(str(tmp_path / "t"))
    return str(tmp_path / "t")


def test_a_pinned_version_is_there_when_others_are_gone(address: str) -> None:
    three_versions(address)
    before = read(address, 1)
    made = pin_version(address, 1, by="model / 1", note="in production")
    assert list_pins(address) == [made]
    expected = {"by": "model / 1", "note": "in production", "version": 1, "model": "models/run-1", "copies": []}
    assert expected.items() <= made.items()
    vacuum(address, retain_hours=0)
    assert [is_readable(address, version) for version in range(4)] == [False, True, True, True]
    assert read(address, 1) == before
    unpin_version(address, "model / 1")
    assert list_pins(address) == []
    vacuum(address, retain_hours=0)
    assert [is_readable(address, version) for version in range(4)] == [False, False, True, True]


def test_a_pin_leaves_the_newest_manifest_and_its_rows(table: str) -> None:
    before = read(table)
    pin_version(table, 0, by="a")
    assert opened(table).metadata().configuration == KEEP_HISTORY
    assert newest_manifest(table) == (2, manifest_of("run-2", rows_of()))
    assert read(table) == before
    pin_version(table, 2, by="b")
    assert opened(table).version() == 3  # it has the properties


def test_the_same_again_is_fine_and_another_version_is_not(table: str) -> None:
    first = pin_version(table, 1, by="a")
    assert pin_version(table, 1, by="a", note="other") == first
    with pytest.raises(ConfigError, match=r"one version for each name, found version 1, which it pins\."):
        pin_version(table, 0, by="a")
    assert list_pins(table) == [first]


def test_what_can_t_be_pinned(table: str, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"its version 7, found versions 0 to 2"):
        pin_version(table, 7, by="a")
    os.unlink(Path(table, sorted(_files(table, 0))[0]))
    with pytest.raises(InputMissing, match=r"version 0: expected its 2 files, found 1 of them gone"):
        pin_version(table, 0, by="a")
    with pytest.raises(ConfigError, match="the name of what needs the version"):
        pin_version(table, 1, by=" ")
    with pytest.raises(InputMissing, match="a whole log, found nothing there"):
        pin_version(str(tmp_path / "nothing"), 1, by="a")
    with pytest.raises(ConfigError, match="a table of a catalog"):
        pin_version("main.sales.orders", 1, by="a")
    with pytest.raises(InputMissing, match=r"a pin by 'b', found none"):
        unpin_version(table, "b")
    assert list_pins(table) == []
    assert opened(table).version() == 2


def _files(table: str, version: int) -> set[str]:
    return {uri.removeprefix(table).lstrip("/") for uri in opened(table, version).file_uris()}


def test_a_copy_is_a_table_of_its_own(address: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    three_versions(address)
    before, names = read(address, 1), {uri.rpartition("/")[2] for uri in opened(address, 1).file_uris()}
    copy = f"{address}-copies/one"
    assert pin_version(address, 1, by="a", copy=copy)["copies"] == [copy]
    unpin_version(address, "a")
    vacuum(address, retain_hours=0)
    assert not is_readable(address, 1)
    assert read(copy) == before
    assert (opened(copy).version(), opened(copy).metadata().partition_columns) == (0, ["split"])
    s3: S3 | None = request.getfixturevalue("s3") if address.startswith("s3a:") else None
    local = downloaded(copy, tmp_path / "down", s3)
    assert {path.name for path in local.rglob("*.parquet")} == names
    assert [commit["manifest"]["run_id"] for commit in history(str(local))] == ["run-1"]


def test_a_copy_is_made_where_nothing_is(table: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(ConfigError, match=r"a place where nothing is, found 1 files, such as notes\.txt"):
        pin_version(table, 1, by="a", copy=str(tmp_path / "full"))
    assert list_pins(table) == []


def test_a_copy_that_was_interrupted_is_no_table_until_it_is_finished(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = str(tmp_path / "copy")
    with monkeypatch.context() as patched:
        patched.setattr(storage._LocalFolder, "create", _full(storage._LocalFolder.create, copy))
        with pytest.raises(OSError, match="full"):
            pin_version(table, 1, by="a", copy=copy)
    assert list(Path(copy).rglob("*.parquet"))
    assert not list(Path(copy).rglob("*.json"))
    assert list_pins(table)[0]["copies"] == [copy]  # so that what was copied can be found
    assert pin_version(table, 1, by="a", copy=copy)["copies"] == [copy]
    assert read(copy) == read(table, 1)
    before = {path: path.stat().st_mtime_ns for path in Path(copy).rglob("*") if path.is_file()}
    pin_version(table, 1, by="a", copy=copy)
    assert {path: path.stat().st_mtime_ns for path in Path(copy).rglob("*") if path.is_file()} == before


def _full(real: Callable[..., bool], address: str) -> Callable[..., bool]:
    def create(self: Any, name: str, content: bytes) -> bool:
        if self.address == address:
            raise OSError("full")
        return real(self, name, content)

    return create


def age(table: str, days: float) -> None:
    """Let everything in a table have happened so many days before."""
    then = time.time() - days * 86400
    for path in Path(table).rglob("*"):
        if path.suffix == ".json":
            field = re.compile(r'"(deletionTimestamp|modificationTime|timestamp|createdTime)":\d+')
            path.write_text(field.sub(lambda m: f'"{m[1]}":{int(then * 1000)}', path.read_text()))
        if path.is_file():
            os.utime(path, (then, then))


@pytest.mark.parametrize("is_pinned", [True, False], ids=["pinned", "not_pinned"])
def test_the_vacuum_of_others_keeps_it_too(spark: SparkSession, table: str, is_pinned: bool) -> None:
    """And it does remove what nobody has pinned: else this would prove nothing."""
    rows = rows_of(bonus=9.0)
    if is_pinned:
        pin_version(table, 0, by="a")
    publish(table, rows, manifest_of("run-3", rows))
    age(table, 40)
    opened(table).create_checkpoint()
    opened(table).cleanup_metadata()
    assert (len(opened(table).vacuum(dry_run=not is_pinned, full=True)) == 0) is is_pinned
    with settings(spark, {"spark.sql.sources.parallelPartitionDiscovery.parallelism": "2"}):  # else 10,000 tasks
        spark.sql(f"VACUUM delta.`{table}`")
        spark.sql(f"VACUUM delta.`{table}` RETAIN 168 HOURS")
    assert is_readable(table, 0) is is_pinned
    assert read(table).num_rows == rows.num_rows


def test_by_the_command_line(command: Command, table: str, tmp_path: Path) -> None:
    code, result, said = command("pin", table, "1", "--by", "a", "--note", "x", "--copy", str(tmp_path / "copy"))
    assert (code, result["status"], result["version"], result["note"]) == (0, "pinned", 1, "x")
    assert "version 1 by a" in said
    assert read(str(tmp_path / "copy")) == read(table, 1)
    assert command("pin", table, "2", "--by", "a")[0] == 2
    assert command("pin", table, "9", "--by", "b")[0] == 4
    assert command("unpin", table, "--by", "a")[1]["status"] == "unpinned"
    assert command("unpin", table, "--by", "a")[0] == 4
