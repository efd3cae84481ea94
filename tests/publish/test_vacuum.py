"""What vacuum removes and what it keeps, held against deltalake's own reading."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training_tables import PEOPLE, is_readable, manifest_of, opened, publish, read, rows_of, three_versions
from traintable.delta.lease import newest_of
from traintable.errors import ConfigError, InputMissing
from traintable.publish.erasure import forget
from traintable.publish.vacuum import vacuum
from traintable.publish.version_pins import pin_version
from traintable.storage import folder as storage
from traintable.storage.folder import folder

Command = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Three versions on the local disk."""
    three_versions(str(tmp_path / "t"))
    return str(tmp_path / "t")


def data(table: str) -> set[str]:
    return {str(path.relative_to(table)) for path in Path(table).rglob("*.parquet") if "_delta_log" not in path.parts}


def set_moment(table: str, version: int, hours_ago: float) -> None:
    """Let a version have been committed so long ago."""
    path = Path(table, "_delta_log", f"{version:020}.json")
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    for action in actions:
        if "commitInfo" in action:
            action["commitInfo"]["timestamp"] = int((time.time() - hours_ago * 3600) * 1000)
    path.write_text("\n".join(json.dumps(action) for action in actions) + "\n")


def orphan(table: str, name: str, hours: float) -> None:
    path = Path(table, name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * 10)
    os.utime(path, (time.time() - hours * 3600,) * 2)


def test_versions_stay_that_were_replaced_not_long_ago(table: str) -> None:
    """Version 0 was replaced 5 hours ago, version 1 one hour ago, however old they are."""
    for version, hours in ((0, 500), (1, 5), (2, 1)):
        set_moment(table, version, hours)
    of_0 = [Path(uri).stat().st_size for uri in opened(table, 0).file_uris()]
    assert vacuum(table, retain_hours=6)["status"] == "unchanged"
    result = vacuum(table, retain_hours=4)
    assert result["status"] == "vacuumed"
    assert result["removed"] == {"files": len(of_0), "bytes": sum(of_0)}
    assert result["unreadable"] == [{"version": 0, "model": "models/run-0"}]
    assert [is_readable(table, version) for version in range(3)] == [False, True, True]
    assert vacuum(table, retain_hours=0)["removed"]["files"] == 2
    assert [is_readable(table, version) for version in range(3)] == [False, False, True]
    assert vacuum(table, retain_hours=0)["status"] == "unchanged"
    assert len(opened(table).history()) == 3  # the manifests stay


def test_the_answer_says_what_which_pin_keeps(address: str) -> None:
    three_versions(address)
    pin_version(address, 0, by="a")
    pin_version(address, 0, by="b")
    result = vacuum(address, retain_hours=0)
    assert result["kept"]["a"] == result["kept"]["b"]
    assert (result["kept"]["a"]["version"], result["kept"]["a"]["files"]) == (0, 2)
    assert (result["removed"]["files"], [one["version"] for one in result["unreadable"]]) == (2, [1])
    assert [is_readable(address, version) for version in range(4)] == [True, False, True, True]
    assert newest_of(folder(f"{address}_lease")) == 3  # two pins, one vacuum


def test_a_dry_run_says_so_and_removes_nothing(address: str) -> None:
    three_versions(address)
    dry = vacuum(address, retain_hours=0, dry_run=True)
    assert all(is_readable(address, version) for version in range(3))
    wet = vacuum(address, retain_hours=0)
    same = ("removed", "orphans", "kept", "unreadable")
    assert {name: dry[name] for name in same} == {name: wet[name] for name in same}
    assert (dry["status"], wet["status"]) == ("unchanged", "vacuumed")


def test_files_that_no_version_names_go_when_nobody_can_be_writing_them(table: str) -> None:
    before = data(table)
    for name, hours in (
        ("split=train/old.parquet", 25),
        ("split=x/.unfinished-1", 25),
        ("split=train/new.parquet", 23),
    ):
        orphan(table, name, hours)
    for name in ("_notes/old.parquet", "split=x/.old.parquet", "_delta_log/old.tmp"):  # none of ours
        orphan(table, name, 1000)
    result = vacuum(table, retain_hours=1)
    assert result["orphans"] == result["removed"] == {"files": 2, "bytes": 20}
    assert not Path(table, "split=x/.unfinished-1").exists()
    others = {"split=train/new.parquet", "_notes/old.parquet", "split=x/.old.parquet"}
    assert data(table) == before | others


def test_a_retention_above_a_day_holds_for_orphans_too(table: str) -> None:
    orphan(table, "split=train/old.parquet", 100)
    assert vacuum(table, retain_hours=168)["orphans"]["files"] == 0
    assert vacuum(table, retain_hours=99)["orphans"]["files"] == 1


def test_a_log_that_begins_with_a_checkpoint(table: str) -> None:
    opened(table).create_checkpoint()
    for i in (3, 4):
        rows = rows_of(bonus=i)
        publish(table, rows, manifest_of(f"run-{i}", rows))
    for version in range(3):
        Path(table, "_delta_log", f"{version:020}.json").unlink()
    pin_version(table, 2, by="a")
    result = vacuum(table, retain_hours=0)
    assert [one["version"] for one in result["unreadable"]] == [3]
    assert [is_readable(table, version) for version in range(2, 6)] == [True, False, True, True]


def test_a_log_with_a_gap_is_no_ground_to_remove_anything(table: str) -> None:
    before = data(table)
    Path(table, "_delta_log", f"{1:020}.json").unlink()
    with pytest.raises(InputMissing, match="a log without version 1"):
        vacuum(table, retain_hours=0)
    Path(table, "_delta_log", f"{0:020}.json").unlink()
    with pytest.raises(InputMissing, match="begins at version 2, without a checkpoint"):
        vacuum(table, retain_hours=0)
    assert data(table) == before


def test_a_pin_that_the_log_does_not_know_stops_it(table: str) -> None:
    pin_version(table, 0, by="a")
    path = Path(f"{table}_pins", "a.json")
    path.write_text(path.read_text().replace('"version": 0', '"version": 9'))
    with pytest.raises(InputMissing, match="version 9 in its log, which 'a' pins"):
        vacuum(table, retain_hours=0)
    assert is_readable(table, 1)


def test_interrupted_it_is_carried_on(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    left, real = [1], storage._LocalFolder.remove

    def remove(self: Any, name: str) -> None:
        if self.address == table:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
        real(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(storage._LocalFolder, "remove", remove)
        with pytest.raises(KeyboardInterrupt):
            vacuum(table, retain_hours=0)
    result = vacuum(table, retain_hours=0)
    assert result["removed"]["files"] == 3
    assert [one["version"] for one in result["unreadable"]] == [0, 1]
    assert data(table) == {uri.removeprefix(f"{table}/") for uri in opened(table).file_uris()}


def test_after_forgetting_it_goes_by_what_the_log_says_now(table: str) -> None:
    forget(table, {"id": PEOPLE[0][0]})
    pin_version(table, 1, by="a")
    vacuum(table, retain_hours=0)
    # Version 2 has become version 3, to which the pin has given properties.
    assert [is_readable(table, version) for version in range(5)] == [False, True, True, True, True]
    assert read(table, 1).num_rows == len(PEOPLE) - 1


def test_what_it_can_t_do(table: str) -> None:
    for hours in (-1.0, float("nan")):
        with pytest.raises(ConfigError, match="0 or more"):
            vacuum(table, retain_hours=hours)
    with pytest.raises(ConfigError, match="another kind of storage"):
        vacuum("abfss://lake@account/t")


def test_by_the_command_line(command: Command, table: str) -> None:
    code, result, said = command("vacuum", table, "--retain-hours", "0", "--dry-run")
    assert (code, result["status"], result["removed"]["files"]) == (0, "unchanged", 4)
    assert "to be removed: 4 files" in said
    code, result, said = command("vacuum", table, "--retain-hours", "0")
    assert (code, result["status"]) == (0, "vacuumed")
    assert "not readable any more: 0, 1" in said
