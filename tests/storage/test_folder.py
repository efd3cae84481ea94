"""Files of a folder are whole or not there, and of several writers of one name only one succeeds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from traintable.errors import InputMissing
from traintable.storage.folder import Folder, folder, is_unfinished


@pytest.fixture
def local(tmp_path: Path) -> Folder:
    return folder(str(tmp_path / "a" / "b"))


def test_files_are_written_read_and_removed(local: Folder, tmp_path: Path) -> None:
    assert (local.names(), local.read("x/1")) == ([], None)
    local.write("x/1", b"one")
    local.write("x/1", b"another")
    (tmp_path / "source").write_bytes(b"put")
    local.put("2", str(tmp_path / "source"))
    assert (local.names(), local.read("x/1"), local.read("2")) == (["2", "x/1"], b"another", b"put")
    with local.open("x/1") as file:
        file.seek(4)
        assert file.read() == b"her"
    for _ in range(2):
        local.remove("x/1")
    assert local.names() == ["2"]
    with pytest.raises(InputMissing, match=r"It was deleted after it was listed\. Run again\."):
        local.open("x/1")


def test_only_one_of_many_writers_creates_a_file(local: Folder) -> None:
    contents = [str(i).encode() for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        created = list(pool.map(lambda content: local.create("lease", content), contents))
    assert created.count(True) == 1
    assert local.read("lease") == contents[created.index(True)]
    assert [file.name for file in local.files()] == ["lease"]  # nothing is left of the others


def test_what_a_killed_writer_has_left_is_no_file(local: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    local.write("1", b"whole")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            local.write("1", b"other")
    assert (local.names(), local.read("1")) == (["1"], b"whole")
    (left,) = (file for file in local.files() if file.name != "1")
    assert is_unfinished(left.name)


def raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_another_storage_takes_whole_files_only(spark: SparkSession, tmp_path: Path) -> None:
    remote = folder(f"file://{tmp_path}/remote/")
    assert remote.read("1") is None
    remote.write("1", b"one")
    remote.write("1", b"two")
    assert (remote.read("1"), (tmp_path / "remote" / "1").read_bytes()) == (b"two", b"two")
    for _ in range(2):
        remote.remove("1")
    assert remote.read("1") is None
    with pytest.raises(NotImplementedError, match="does not tell whether another writer has created 1"):
        remote.create("1", b"")
