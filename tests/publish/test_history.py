"""What the log of a table tells of who wrote its newest rows."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from traintable.errors import ConfigError, InputMissing
from traintable.publish import history, newest_manifest


def commit(table: Path, metadata: str | None, value: int = 1) -> None:
    properties = CommitProperties(custom_metadata={"userMetadata": metadata} if metadata else None)
    rows = pa.table({"x": pa.array([value])})
    write_deltalake(str(table), rows, mode="append", commit_properties=properties)


def manifest(run_id: str) -> str:
    return json.dumps({"traintable": "0.1.0", "run_id": run_id})


def test_the_newest_manifest_is_that_of_the_newest_rows(tmp_path: Path) -> None:
    table = tmp_path / "t"
    commit(table, manifest("a"))
    commit(table, manifest("b"))
    assert newest_manifest(str(table)) == (1, json.loads(manifest("b")))
    assert [c["version"] for c in history(str(table))] == [1, 0]
    DeltaTable(str(table)).optimize.compact()
    assert newest_manifest(str(table)) == (1, json.loads(manifest("b")))  # upkeep leaves the rows as they are
    commit(table, None)
    assert newest_manifest(str(table)) is None  # somebody has written since: they are not our rows any more


@pytest.mark.parametrize("metadata", [None, "not json", "[1]", '{"other": 1}'])
def test_a_table_without_a_manifest_is_somebody_elses(tmp_path: Path, metadata: str | None) -> None:
    commit(tmp_path / "t", metadata)
    with pytest.raises(ConfigError, match="somebody else"):
        newest_manifest(str(tmp_path / "t"))


def test_a_folder_of_other_files_is_not_taken_and_an_empty_one_is(tmp_path: Path) -> None:
    assert newest_manifest(str(tmp_path)) is None
    assert newest_manifest(str(tmp_path / "new")) is None
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match="other files"):
        newest_manifest(str(tmp_path))
    with pytest.raises(InputMissing, match="a folder without one"):
        history(str(tmp_path))
