"""Somebody's rows go from every version and file, and nothing else does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from training_tables import (
    PEOPLE,
    downloaded,
    manifest_of,
    opened,
    options,
    publish,
    read,
    rows_of,
    three_versions,
    traces,
)
from traintable.errors import ConfigError, InputMissing, StillThere, VersionPinned
from traintable.publish import history, newest_manifest
from traintable.publish.erasure import forget
from traintable.publish.vacuum import vacuum
from traintable.publish.version_pins import pin_version
from traintable.storage import folder as storage

Command = Callable[..., tuple[int, dict[str, Any], str]]

ID, EMAIL = PEOPLE[5]
OTHERS = [person for person in PEOPLE if person[0] != ID]


def quarantine(table: str, rows: list[tuple[str, str, Any]]) -> None:
    """The quarantine of a table: run, kind and row of each removed row."""
    names = ("run", "kind", "row")
    columns = {name: [r[i] for r in rows] for i, name in enumerate(names)}
    columns["row"] = [row if isinstance(row, str) else json.dumps(row) for row in columns["row"]]
    write_deltalake(
        f"{table}_quarantine", pa.table(columns), mode="append", partition_by=["run"], storage_options=options(table)
    )


def without(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows of all but the person, as an independent filter gives them."""
    return [row for row in rows.sort_by([("id", "ascending")]).to_pylist() if row["id"] != ID]


def test_the_rows_are_gone_from_all_versions_the_quarantine_and_copies(
    address: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    three_versions(address)
    near = {"id": ID * 10, "email": f"x{EMAIL}"}  # holds the person's as parts, and is another's
    mine = {"id": ID, "email": EMAIL, "note": "ä"}
    quarantine(
        address, [("fp-run-2", "quarantined", mine), ("fp-run-2", "filtered", near), ("fp-run-1", "filtered", mine)]
    )
    pin_version(address, 1, by="model-1", copy=f"{address}-copy")
    before = [read(address, version) for version in range(3)]

    result = forget(address, {"id": str(ID)}, even_pinned=True)

    assert result["proof"]["found"] == 0
    s3 = request.getfixturevalue("s3") if address.startswith("s3a:") else None
    places = [
        downloaded(place, tmp_path / "all", s3) for place in (address, f"{address}_quarantine", f"{address}-copy")
    ]
    assert [traces(places[0], str(ID), EMAIL), traces(places[2], str(ID), EMAIL)] == [[], []]
    left = [json.loads(row) for row in opened(f"{address}_quarantine").to_pyarrow_table().column("row").to_pylist()]
    assert left == [near]
    assert traces(places[1], f"{ID},") == []

    assert [read(address, version).to_pylist() for version in range(3)] == [without(rows) for rows in before]
    assert read(f"{address}-copy").to_pylist() == without(before[1])
    assert read(address).to_pylist() == without(before[2])
    assert result["models"] == ["models/run-0", "models/run-1", "models/run-2"]
    assert result["removed"]["versions"] == {0: 1, 1: 1, 2: 1, 3: 1}  # the third is that of the pin's properties
    assert all(one["readable"] for one in result["versions"])
    assert [one["pinned_by"] for one in result["versions"]] == [[], ["model-1"], [], []]


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Three versions on the local disk."""
    three_versions(str(tmp_path / "t"))
    return str(tmp_path / "t")


def test_the_manifests_tell_of_it_and_not_of_whom(table: str) -> None:
    quarantine(table, [("fp-run-2", "quarantined", {"id": ID}), ("fp-run-0", "filtered", {"id": ID})])
    forget(table, {"email": EMAIL})
    (version, newest), old = newest_manifest(table) or (0, {}), history(table)[1]["manifest"]
    before = manifest_of("run-2", rows_of())
    assert version == 3
    assert newest["forgotten"]["rows"] == old["forgotten"]["rows"] == 1
    assert newest["forgotten"]["content_hash"] == "of these rows"
    assert old["forgotten"]["content_hash"] == "of the rows before"
    assert newest["run_id"] == "run-2"
    published = Counter(before["rows"]["published"])
    published.subtract(["test" if ID % 3 == 0 else "train"])
    assert newest["rows"] == {"read": 14, "published": dict(published), "quarantined": 2, "filtered": 1}
    assert old["rows"] == before["rows"]


def test_the_numbers_of_the_quarantine_are_corrected(table: str) -> None:
    quarantine(table, [("fp-run-2", "quarantined", {"id": ID, "email": EMAIL}), ("fp-run-0", "filtered", {"id": ID})])
    forget(table, {"id": ID})
    assert (newest_manifest(table) or (0, {}))[1]["rows"]["quarantined"] == 1
    assert (newest_manifest(table) or (0, {}))[1]["rows"]["read"] == 13


def test_a_second_time_there_is_nothing_to_do_and_a_second_person_can_follow(table: str) -> None:
    assert forget(table, {"id": ID})["status"] == "forgotten"
    again = forget(table, {"id": ID})
    assert (again["status"], again["version"], again["versions"]) == ("unchanged", 3, [])
    other, email = PEOPLE[6]
    assert forget(table, {"id": other})["status"] == "forgotten"
    assert traces(Path(table), str(ID), EMAIL, str(other), email) == []
    for version in range(5):
        assert read(table, version).column("id").to_pylist() == [i for i, _ in PEOPLE if i not in (ID, other)]
    assert (newest_manifest(table) or (0, {}))[1]["forgotten"]["rows"] == 2


KEYS: list[tuple[pa.DataType, list[Any], str]] = [
    (pa.int32(), [7, 77, None], "7"),
    (pa.string(), ['O\'Hara "x" \\ %_', "O'Hara", None], 'O\'Hara "x" \\ %_'),
    (pa.string(), ["7", "77", "07"], "7"),
    (pa.date32(), [date(2013, 1, 31), date(2013, 1, 30), None], "2013-01-31"),
    (
        pa.timestamp("us", "UTC"),
        [datetime(2013, 1, 31, 12, tzinfo=timezone.utc), datetime(2013, 1, 31, 11, tzinfo=timezone.utc), None],
        "2013-01-31T13:00:00+01:00",
    ),
    (pa.timestamp("us"), [datetime(2013, 1, 31, 12), datetime(2013, 1, 31, 13), None], "2013-01-31T12:00:00"),
    (pa.decimal128(9, 2), [Decimal("7.10"), Decimal("7.01"), None], "7.1"),
    (pa.bool_(), [True, False, None], "true"),
    (pa.float64(), [0.1, 0.2, float("nan")], "0.1"),
]


@pytest.mark.parametrize(("kind", "values", "text"), KEYS, ids=[str(i) for i, _ in enumerate(KEYS)])
def test_keys_of_all_types(tmp_path: Path, kind: pa.DataType, values: list[Any], text: str) -> None:
    table = str(tmp_path / "t")
    rows = pa.table({"k": pa.array(values, kind), "row": [0, 1, 2], "split": ["train"] * 3})
    publish(table, rows, manifest_of("a", rows, ["k"]))
    as_json = [row if isinstance(row, (str, bool, int, float)) or row is None else _spark_json(row) for row in values]
    quarantine(table, [("fp-a", "filtered", {"k": value, "row": i}) for i, value in enumerate(as_json)])
    forget(table, {"k": text})
    for version in (0, 1):
        assert sorted(DeltaTable(table, version=version).to_pyarrow_table().column("row").to_pylist()) == [1, 2]
    left = DeltaTable(f"{table}_quarantine").to_pyarrow_table().column("row").to_pylist()
    assert sorted(json.loads(row)["row"] for row in left) == [1, 2]


def _spark_json(value: Any) -> Any:
    """A value as the rows of a quarantine write it."""
    if isinstance(value, datetime):
        zone = "Z" if value.tzinfo else ""
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone
    return float(value) if isinstance(value, Decimal) else str(value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"nobody": 1}, "columns of its key, found 'nobody'"),
        ({"income": 1}, "columns of its key, found 'income'"),
        ({"id": None}, "a value of type int64, found null"),
        ({"id": "seven"}, "a value of type int64, found one that this type can.t have"),
        ({"id": 7.5}, "a value of type int64"),
        ({}, "a key, found none"),
    ],
)
def test_other_keys_are_refused(table: str, key: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        forget(table, key)
    assert opened(table).version() == 2


def test_a_key_of_several_columns_means_rows_that_have_them_all(table: str) -> None:
    assert forget(table, {"id": ID, "email": PEOPLE[6][1]})["status"] == "unchanged"
    assert forget(table, {"id": ID, "email": EMAIL})["status"] == "forgotten"
    assert read(table).column("id").to_pylist() == [i for i, _ in OTHERS]


def test_a_pinned_version_is_changed_with_even_pinned_only(table: str) -> None:
    pin_version(table, 0, by="model-0")
    with pytest.raises(VersionPinned, match=r"version 0: .* 'model-0' pins it"):
        forget(table, {"id": ID})
    assert read(table, 0).num_rows == len(PEOPLE)
    forget(table, {"id": ID}, even_pinned=True)
    assert read(table, 0).num_rows == len(OTHERS)
    vacuum(table, retain_hours=0)
    assert read(table, 0).num_rows == len(OTHERS)


def test_a_log_that_begins_with_a_checkpoint(table: str) -> None:
    opened(table).create_checkpoint()
    rows = rows_of(bonus=5.0)
    publish(table, rows, manifest_of("run-3", rows))
    for version in (0, 1):
        (Path(table) / "_delta_log" / f"{version:020}.json").unlink()
    result = forget(table, {"id": ID})
    assert result["removed"]["versions"] == {2: 1, 3: 1}
    assert traces(Path(table), str(ID), EMAIL) == []
    assert [read(table, version).num_rows for version in (2, 3, 4)] == [len(OTHERS)] * 3


def test_conditions_of_earlier_commits_go(table: str) -> None:
    told = CommitProperties(
        custom_metadata={"userMetadata": json.dumps({"traintable": "0", "why": f"asked by {EMAIL}"})}
    )
    opened(table).delete(f"id = {PEOPLE[0][0]} or id = {ID}", commit_properties=told)
    assert traces(Path(table), str(ID))
    forget(table, {"id": ID, "email": EMAIL})
    assert traces(Path(table), str(ID), EMAIL) == []
    assert (newest_manifest(table) or (0, {}))[1]["why"] == "asked by [forgotten]"


def test_examples_of_keys_go_from_manifests(tmp_path: Path) -> None:
    table, rows = str(tmp_path / "t"), rows_of()
    finding = {"check": "near_duplicates", "numbers": {"rows": 3, "examples": f"{ID}; 5"}}
    publish(table, rows, manifest_of("a", rows, leakage=[finding]))
    forget(table, {"id": ID})
    assert traces(Path(table), str(ID), EMAIL) == []
    assert [one["manifest"]["leakage"][0]["numbers"] for one in history(table)] == [{"rows": 3}] * 2


def test_statistics_of_files_that_are_gone_go(table: str) -> None:
    """The largest id of a file that vacuum has removed is still told by the log."""
    largest, email = PEOPLE[-1]
    vacuum(table, retain_hours=0)
    result = forget(table, {"id": largest, "email": email})
    assert traces(Path(table), str(largest), email) == []
    log = [json.loads(line) for path in Path(table, "_delta_log").glob("*.json") for line in path.open()]
    gone = [json.loads(a["add"]["stats"]) for a in log if "add" in a and not Path(table, a["add"]["path"]).exists()]
    assert gone == [{"numRecords": n["numRecords"]} for n in gone]  # other values may be theirs, too
    unknown = [(one["version"], one["rows"], one["readable"]) for one in result["versions"]]
    assert unknown == [(0, None, False), (1, None, False), (2, 1, True)]


def test_what_a_crashed_writer_has_left_goes(table: str) -> None:
    pq.write_table(rows_of(), f"{table}/split=train/part-lost.parquet")
    Path(table, "split=train", ".unfinished-1").write_text(EMAIL)
    forget(table, {"id": ID})
    assert traces(Path(table), str(ID), EMAIL) == []
    assert not Path(table, "split=train", "part-lost.parquet").exists()


def test_a_file_that_nobody_can_read_stops_it(table: str) -> None:
    Path(table, "split=train", "part-half.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputMissing, match=r"part-half.parquet: .* damaged"):
        forget(table, {"id": ID})
    assert opened(table).version() == 2


def test_a_version_without_the_key_s_columns_stops_it(tmp_path: Path) -> None:
    table, rows = str(tmp_path / "t"), rows_of()
    publish(table, rows.rename_columns(["number", *rows.column_names[1:]]), manifest_of("a", rows))
    publish(table, rows, manifest_of("b", rows))
    with pytest.raises(InputMissing, match="columns of the key, found none named 'id'"):
        forget(table, {"id": ID})


@pytest.mark.parametrize("where", ["notes.txt", "_delta_log/_notes.json", "split=train/x.parquet.tmp"])
def test_what_is_left_is_found(table: str, where: str) -> None:
    """Files that are none of ours stay, and are told."""
    Path(table, where).write_text(f'{{"who": "{EMAIL}"}}')
    with pytest.raises(StillThere, match=where):
        forget(table, {"email": EMAIL})


def test_bounds_are_found_where_a_number_is_too_short_to_be_searched(tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    rows = pa.table({"id": [1, 7, 70], "split": ["train"] * 3})
    publish(table, rows, manifest_of("a", rows, ["id"]))
    Path(table, "_delta_log", "_copy.json").write_text('{"add": {"stats": "{\\"maxValues\\": {\\"id\\": 70}}"}}')
    with pytest.raises(StillThere, match=r"_copy\.json"):
        forget(table, {"id": 70})
    assert forget(table, {"id": 7})["proof"]["found"] == 0


class Killed(BaseException):
    """The end of a process."""


@pytest.mark.parametrize("first", [0, 1])
def test_killed_anywhere_no_version_is_wrong_and_a_rerun_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """After each of the changes it makes to the disk in turn."""
    wanted, done = 0, True
    while done:
        table, wanted = str(tmp_path / f"t{wanted}"), wanted + 1
        three_versions(table)
        forget(table, {"id": PEOPLE[6][0]})  # so that commits that add a file once more are there, too
        opened(table, 1).create_checkpoint()
        for version in range(first + 1 if first else 0):  # a log that begins with a checkpoint
            Path(table, "_delta_log", f"{version:020}.json").unlink()
        quarantine(table, [("fp-run-2", "quarantined", {"id": ID})])
        before = {version: read(table, version) for version in range(first, 4)}
        with monkeypatch.context() as patched:
            done = _killed_after(wanted, patched, table)
        for version, rows in before.items():
            assert read(table, version).to_pylist() in (rows.to_pylist(), without(rows)), (wanted, version)
        forget(table, {"id": ID})
        assert traces(Path(table), str(ID), EMAIL) == traces(Path(f"{table}_quarantine"), str(ID)) == []
        for version, rows in before.items():
            assert read(table, version).to_pylist() == without(rows), (wanted, version)
        assert read(table).to_pylist() == without(before[3])
    assert wanted > 12


def _killed_after(n: int, patched: pytest.MonkeyPatch, table: str) -> bool:
    """Forget, and end after `n` changes of the table or its quarantine; whether there were as many."""
    left = [n]

    def counting(name: str) -> Callable[..., Any]:
        real = getattr(storage._LocalFolder, name)

        def change(self: Any, *arguments: Any) -> Any:
            if not self.address.endswith("_lease"):
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
            return real(self, *arguments)

        return change

    for name in ("create", "write", "put", "remove"):
        patched.setattr(storage._LocalFolder, name, counting(name))
    try:
        forget(table, {"id": ID})
    except Killed:
        return True
    return False


def test_a_table_of_spark_s_stays_one_for_spark(spark: SparkSession, tmp_path: Path) -> None:
    from traintable.delta.table import Table
    from traintable.statistics import content_hash

    table, at = str(tmp_path / "t"), datetime(2013, 1, 31, 12, tzinfo=timezone.utc)
    told = {"traintable": "0", "model": "m", "key": ["id", "at"]}
    for i in range(2):
        people = [(n, email, at, "train", [float(i)]) for n, email in PEOPLE]
        rows = spark.createDataFrame(people, "id bigint, email string, at timestamp, split string, x array<float>")
        manifest = {**told, "run_id": f"run-{i}", "content_hash": content_hash(rows)[0]}
        options = {"new_schema": True, "partition_by": ["split"], "metadata": manifest}
        Table(table).replace(rows.repartitionByRange(4, "id"), **options)
    assert traces(Path(table, "_delta_log"), EMAIL)
    forget(table, {"id": ID, "at": "2013-01-31T12:00:00Z"})
    assert traces(Path(table), str(ID), EMAIL) == []
    new = [path for path in Path(table).rglob("part-*.parquet") if ".c000." not in path.name]
    assert {pq.read_schema(path).field("at").type for path in new} == {pa.timestamp("us", "UTC")}
    checked = [path.with_name(path.name[1:].removesuffix(".crc")) for path in Path(table).rglob(".*.crc")]
    assert [path for path in checked if not path.exists()] == []
    for version in (0, 1, 2):
        seen = spark.read.format("delta").option("versionAsOf", version).load(table)
        found = {(row["id"], row["at"]) for row in seen.select("id", seen["at"].cast("string").alias("at")).collect()}
        assert found == {(i, "2013-01-31 12:00:00") for i, _ in OTHERS}
    newest = newest_manifest(table)
    assert newest is not None
    assert newest[1]["content_hash"] == content_hash(spark.read.format("delta").load(table))[0]
    spark.sql(f"DELETE FROM delta.`{table}` WHERE id = {OTHERS[0][0]}")  # it can be written to as well
    assert read(table).num_rows == len(OTHERS) - 1


def test_by_the_command_line(command: Command, table: str) -> None:
    code, result, said = command("forget", table, "--key", f"id={ID}", "--key", f"email={EMAIL}")
    assert (code, result["status"], result["proof"]["found"]) == (0, "forgotten", 0)
    assert "a model was fitted on such rows: models/run-0" in said
    assert EMAIL not in said + json.dumps(result)
    assert command("forget", table, "--key", "id")[0] == 2
    pin_version(table, 0, by="me")
    code, result, _ = command("forget", table, "--key", f"id={PEOPLE[0][0]}")
    assert (code, result["status"]) == (3, "refused")
