"""Files are listed as Spark would read them, never from outside their folder, and known again by name and state."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from traintable.addresses import literal_path
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.intervals import Interval
from traintable.ingest.listing import fingerprint, list_files, matches, path_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "raw/a.csv",
        "raw/b.json",
        "raw/deep/c.csv",
        "raw/_hidden/d.csv",
        "raw/.e.csv",
        "raw/deep/_f.csv",
        "g.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(path: str, root: Path) -> list[str]:
    return [file.name for file in list_files(path, root=str(root))]


def test_a_folder_a_pattern_and_a_file(folder: Path) -> None:
    assert names(f"{folder}/raw", folder) == ["raw/a.csv", "raw/b.json", "raw/deep/c.csv"]
    assert names(f"{folder}/raw/*.csv", folder) == ["raw/a.csv"]
    assert names(f"{folder}/raw/*", folder) == ["raw/a.csv", "raw/b.json", "raw/deep/c.csv"]
    assert names(f"{folder}/*/d*/*.csv", folder) == ["raw/deep/c.csv"]
    assert names(f"{folder}/raw/a.csv", folder) == ["raw/a.csv"]
    assert names(f"{folder}/raw", folder / "raw" / "deep")[-1] == "c.csv"
    assert names(f"{folder}/raw", folder / "elsewhere")[0] == f"{os.path.realpath(folder)}/raw/a.csv"


def test_links_within_the_folder_are_followed_and_others_refused(folder: Path) -> None:
    (folder / "raw" / "link.csv").symlink_to(folder / "raw" / "a.csv")
    assert names(f"{folder}/raw", folder).count("raw/a.csv") == 1
    (folder / "raw" / "out.csv").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match="a link to /etc/hostname"):
        list_files(f"{folder}/raw", root=str(folder))
    (folder / "raw" / "elsewhere").symlink_to("/etc")
    with pytest.raises(ConfigError, match="a link to one"):
        list_files(f"{folder}/raw", root=str(folder))


def test_a_file_that_has_changed_is_another(folder: Path) -> None:
    before = list_files(f"{folder}/raw", root=str(folder))
    (folder / "raw" / "a.csv").write_text("other")
    after = list_files(f"{folder}/raw", root=str(folder))
    assert before != after
    assert [file.name for file in before] == [file.name for file in after]
    assert fingerprint(before) != fingerprint(after) == fingerprint(reversed(after))


def test_what_is_not_there_is_reported(folder: Path) -> None:
    with pytest.raises(InputMissing, match="nothing there"):
        list_files(f"{folder}/nowhere/*.csv", root=str(folder))
    with pytest.raises(ConfigError, match="a local path"):
        list_files("abfss://a/b", root=str(folder))
    assert list_files(f"{folder}/raw/*.parquet", root=str(folder)) == []


def test_paths_of_intervals() -> None:
    interval = Interval(datetime(2026, 11, 2, 5, tzinfo=timezone.utc), datetime(2026, 11, 2, 6, tzinfo=timezone.utc))
    assert path_at("raw/%Y/%m/%d/%H/*.csv", interval) == "raw/2026/11/02/05/*.csv"
    assert path_at("raw/100", interval) == "raw/100"


def test_names_with_signs_of_patterns_are_taken_by_the_letter() -> None:
    assert literal_path("/a/b[1]{2}*?.csv") == r"/a/b\[1\]\{2\}\*\?.csv"
    assert matches("/a/b/c.csv", "/a/*/c.csv")
    assert not matches("/a/b/c.csv", "/a/*.csv")
