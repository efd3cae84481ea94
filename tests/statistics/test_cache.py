"""What was learned of files is used for them and for no others, and never fails a scan."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from chunks import chunk, learned
from traintable.spark.plans import DataFile
from traintable.statistics import Statistics, Wanted
from traintable.statistics.cache import Cache, table_folder

WANTED = Wanted(summary=("x",), frequencies=("w",))
TYPES = {"x": "double", "w": "string"}
FILES = [DataFile("/t/a", 10, 1, (("p", "1"), ("q", None))), DataFile("/t/b", 10, 1)]
NEW = DataFile("/t/c", 10, 2)


@pytest.fixture
def statistics() -> Statistics:
    found: Statistics = learned(Statistics(WANTED), chunk({"x": [0.1, None]}, {"w": ["ü", None]}))
    return found


@pytest.fixture
def cache(tmp_path: Path, statistics: Statistics) -> Cache:
    """A cache that knows FILES."""
    cache = Cache(str(tmp_path / "not yet there"), WANTED, TYPES, "/t")
    cache.keep(FILES, statistics)
    return cache


def knows(cache: Cache, *files: DataFile) -> bool:
    found, left = cache.look_up(files)
    assert left == list(files) or found is not None
    return found is not None


def test_what_was_kept_is_known(cache: Cache, statistics: Statistics) -> None:
    found, left = cache.look_up(FILES[::-1])
    assert found is not None
    assert found.to_dict() == statistics.to_dict()
    assert left == []


def test_only_files_that_were_added_are_left(cache: Cache) -> None:
    found, left = cache.look_up([NEW, *FILES])
    assert found is not None
    assert left == [NEW]


@pytest.mark.parametrize(
    "files",
    [
        [],
        FILES[:1],
        [FILES[0], NEW],
        [FILES[0], DataFile("/t/b", 11, 1)],
        [FILES[0], DataFile("/t/b", 10, 2)],
        [FILES[0], DataFile("/u/b", 10, 1)],
        [DataFile("/t/a", 10, 1, (("p", "2"), ("q", None))), FILES[1]],
        [DataFile("/t/a", 10, 1, (("p", "1"), ("q", "None"))), FILES[1]],
    ],
)
def test_another_version_of_the_files_is_not_known(cache: Cache, files: list[DataFile]) -> None:
    assert not knows(cache, *files)


def test_other_wants_and_types_have_their_own_entries(cache: Cache, tmp_path: Path, statistics: Statistics) -> None:
    folder = tmp_path / "not yet there"
    others = [
        Cache(str(folder), WANTED | Wanted(summary=("y",)), TYPES, "/t"),
        Cache(str(folder), WANTED | Wanted(ranges=(("x", 0.0, 1.0),)), TYPES, "/t"),
        Cache(str(folder), WANTED, {**TYPES, "x": "float"}, "/t"),
        Cache(str(folder), WANTED, TYPES, "/u"),
    ]
    assert not any(knows(other, *FILES) for other in others)
    for other in others:
        other.keep([NEW], statistics)
    assert knows(cache, *FILES)
    assert len(list(folder.iterdir())) == 5
    assert knows(
        Cache(str(folder), WANTED, dict(reversed(TYPES.items())), "/t"), *FILES
    )  # the order of types means nothing


def test_an_entry_is_replaced(cache: Cache, statistics: Statistics) -> None:
    cache.keep([NEW], statistics)
    assert knows(cache, NEW)
    assert not knows(cache, *FILES)
    assert len(list(cache._path.parent.iterdir())) == 1


def test_a_damaged_entry_is_not_known(cache: Cache, statistics: Statistics) -> None:
    written = cache._path.read_bytes()
    for i in range(len(written)):
        cache._path.write_bytes(written[:i])  # cut short
        assert not knows(cache, *FILES)
        cache._path.write_bytes(bytes([*written[:i], written[i] ^ 0xFF, *written[i + 1 :]]))
        found, _ = cache.look_up(FILES)  # some bytes of the header mean nothing
        assert found is None or found.to_dict() == statistics.to_dict()
    for other in ({}, [], None, {"files": []}):
        cache._path.write_bytes(gzip.compress(json.dumps(other).encode()))
        assert not knows(cache, *FILES)
    entry = json.loads(gzip.decompress(written))
    for states in ([], [{}] * len(entry["state"]["states"]), None, entry["state"]["states"][::-1]):
        damaged = {**entry, "state": {**entry["state"], "states": states}}
        cache._path.write_bytes(gzip.compress(json.dumps(damaged).encode()))
        assert not knows(cache, *FILES)
    cache.keep(FILES, statistics)
    assert knows(cache, *FILES)


def test_two_tables_do_not_take_each_others_place(tmp_path: Path, statistics: Statistics) -> None:
    others = [DataFile("/u/p=1/q=a%20b/a", 10, 1), DataFile("/u/p=2/q=c/b", 10, 1)]
    tables = [Cache(str(tmp_path), WANTED, TYPES, table_folder(files)) for files in (FILES, others)]
    for table, files in zip(tables, (FILES, others), strict=True):
        table.keep(files, statistics)
    assert knows(tables[0], *FILES)
    assert knows(tables[1], *others)
    assert [table_folder(files) for files in (FILES, others, others[1:], [])] == ["/t", "/u", "/u", "."]


def test_a_folder_that_can_not_be_written_keeps_nothing(tmp_path: Path, statistics: Statistics) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        cache = Cache(str(folder), WANTED, TYPES, "/t")
        cache.keep(FILES, statistics)
        assert not knows(cache, *FILES)


def test_an_entry_that_is_a_folder_is_not_known(cache: Cache, statistics: Statistics) -> None:
    cache._path.unlink()
    cache._path.mkdir()
    assert not knows(cache, *FILES)
    cache.keep(FILES, statistics)
