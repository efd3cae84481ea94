"""The merged table against a derivation in plain Python, whatever the order in which the log has come about."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from traintable.config.ingest import Merge
from traintable.delta import write_rows
from traintable.delta.changed_keys import changed_keys
from traintable.delta.table import Table, WriteOptions
from traintable.errors import ConfigError
from traintable.ingest import merge as merging
from traintable.ingest.merge import MergedCounts
from traintable.ingest.scd import current_rows, row_history
from traintable.ingest.tables import of_files, transaction_of

Row = dict[str, Any]
KEY = ["case", "id"]
FIELDS = {"case": pa.int32(), "id": pa.string(), "t": pa.int32(), "gone": pa.bool_(), "a": pa.string()}
ARROW = pa.schema({**FIELDS, "b": pa.float64(), "_file": pa.string(), "_interval": pa.string()})


def interval(file: str) -> str:
    """One that is the later, the earlier the file's name is."""
    return f"2026-{200 - ord(file)}"


def events(rng: random.Random, file: str, cases: Iterable[int], share: float = 0.6) -> list[Row]:
    """The rows of a file: of each case, of two keys, up to three events, many of them at one time or with a null."""
    return [
        {
            "case": case,
            "id": id_,
            "t": rng.choice([None, 1, 2, 3, 4]),
            "gone": rng.choice([True, False, False, None]),
            "a": rng.choice(["x", "y", None]),
            "b": rng.choice([0.5, math.nan, None]),
            "_file": file,
            "_interval": interval(file),
        }
        for case in cases
        for id_ in ("p", "q")
        if rng.random() < share
        for _ in range(rng.choice([1, 1, 2, 3]))
    ]


def rank(value: Any) -> tuple[Any, ...]:
    """Null is the least, NaN the greatest."""
    return (0,) if value is None else (2,) if value != value else (1, value)


def newness(row: Row) -> list[tuple[Any, ...]]:
    others = sorted(set(row) - {"t", "_file"})
    return [rank(row[name]) for name in ("t", "_file", *others)]


def by_key(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each key, the newest last."""

    def key(row: Row) -> tuple[Any, ...]:
        return row["case"], row["id"]

    for _, own in groupby(sorted(rows, key=key), key=key):
        yield sorted(own, key=newness)


def expected(rows: Iterable[Row], scd: int, *, deleted: bool = True) -> list[str]:
    found: list[Row] = []
    for own in by_key(rows):
        if scd == 1:
            found.append({**own[-1], **({"_deleted": bool(own[-1]["gone"])} if deleted else {})})
            continue
        state: Row | None = None
        for row, after in zip(own, [*own[1:], None], strict=True):
            if after is not None and after["t"] == row["t"]:
                continue
            says = [rank(row[name]) for name in sorted(set(row) - {*KEY, "t", "_file", "_interval"})]
            is_gone = deleted and bool(row["gone"])
            if state is not None and (is_gone or state["says"] != says):
                state["_valid_to"], state["_is_current"] = row["t"], False
                state = None
            if state is None and not is_gone:
                state = {**row, "_valid_from": row["t"], "_valid_to": None, "_is_current": True, "says": says}
                found.append(state)
    return written({name: value for name, value in row.items() if name != "says"} for row in found)


def written(rows: Iterable[Row]) -> list[str]:
    """Rows as texts, in order, in which NaN is NaN."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def stored(path: Path) -> list[str]:
    """The rows of a table as another reader sees them."""
    return written(DeltaTable(str(path)).to_pyarrow_table().to_pylist())


def table(rows: Iterable[Row], schema: pa.Schema = ARROW) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


@pytest.mark.parametrize("deleted", [False, True])
def test_each_key_comes_to_its_newest_row_or_to_its_states(spark: SparkSession, deleted: bool) -> None:
    rng = random.Random(deleted)
    rows = [row for file in ("f", "g", "h") for row in events(rng, file, range(300))]
    rng.shuffle(rows)
    log = spark.createDataFrame(table(rows)).repartition(5).select(*rng.sample(ARROW.names, len(ARROW.names)))
    condition = F.col("gone") if deleted else None
    for scd, derive in ((1, current_rows), (2, row_history)):
        derived = derive(log, KEY, "t", condition)
        assert written(row.asDict() for row in derived.collect()) == expected(rows, scd, deleted=deleted)


class Log:
    """A log as runs leave it, and the rows that are in it by file."""

    def __init__(self, root: Path, by: str) -> None:
        self.path, self.by, self.files = root / "log", by, dict[str, list[Row]]()
        self.partition_by = [by] if by == "_interval" else None

    def land(self, files: dict[str, list[Row]]) -> None:
        """Append the rows of files, or put them in place of those that they had before, in one commit."""
        rows = table(row for own in files.values() for row in own)
        units = [file if self.by == "_file" else interval(file) for file in files]
        where = f"{self.by} IN ({', '.join(map(repr, units))})"
        if self.files.keys() & files.keys():
            write_deltalake(str(self.path), rows, mode="overwrite", predicate=where)
        else:
            write_deltalake(str(self.path), rows, mode="append", partition_by=self.partition_by)
        self.files |= files

    def undo(self, file: str) -> None:
        DeltaTable(str(self.path)).delete(f"_file = '{file}'")
        del self.files[file]

    @property
    def rows(self) -> list[Row]:
        return [row for own in self.files.values() for row in own]


Apply = Callable[..., MergedCounts]


@pytest.fixture
def apply(spark: SparkSession, tmp_path: Path) -> Apply:
    def call(scd: int = 1, log: str = "log", merged: str = "merged", **more: Any) -> MergedCounts:
        settings = {"order_by": "t", "deleted": "gone", **more.pop("merge", {})}
        return merging.update_merged(
            spark,
            Table(str(tmp_path / log)),
            Table(str(tmp_path / merged)),
            Merge(scd=scd, **settings),
            more.pop("key", KEY),
            **{"name": "test", "run": "r", **more},
        )

    return call


@pytest.mark.parametrize(("scd", "by", "seed"), [(1, "_file", 0), (2, "_interval", 1)])
def test_any_order_of_runs_and_corrections_gives_the_table_of_a_single_pass(
    tmp_path: Path, apply: Apply, scd: int, by: str, seed: int
) -> None:
    rng, cases = random.Random(seed), range(150)
    log, merged = Log(tmp_path, by), tmp_path / "merged"
    steps = [["fg"], ["f"], ["h", "g", "-f", "fk"]]
    for i, step in enumerate(steps):
        for files in step:
            if files.startswith("-"):
                log.undo(files[1:])
            else:
                log.land({file: events(rng, file, cases, share=0.3) for file in files})
        before = stored(merged) if i else []
        counted = apply(scd, run=f"run {i}")
        assert stored(merged) == expected(log.rows, scd)
        assert len(before) + counted.inserted - counted.deleted == len(stored(merged))
        version = DeltaTable(str(merged)).version()
        assert apply(scd, run="again") == MergedCounts()
        assert (version, DeltaTable(str(merged)).version()) == (i, i)
    metadata = json.loads(DeltaTable(str(merged)).history(1)[0]["userMetadata"])
    assert (metadata["traintable_ingest"], metadata["run"]) == ("test", "run 2")
    assert metadata["log_version"] == DeltaTable(str(log.path)).version()
    other = Log(tmp_path / "other", by)
    for files in ("kh", "gf"):
        other.land({file: log.files[file] for file in files})
    apply(scd, log="other/log", merged="other/merged")
    assert stored(tmp_path / "other" / "merged") == stored(merged)


def test_keys_that_are_folders_and_columns_that_come_later(tmp_path: Path, spark: SparkSession, apply: Apply) -> None:
    log, names = Table(str(tmp_path / "log")), ["a b/c=%:", "it's", "é[1]{x}*?", "plain"]
    schema = "id string, t timestamp, x int, gone boolean, _file string"

    def land(file: str, rows: list[tuple[Any, ...]], more: str = "", replace: str | None = None) -> None:
        df = spark.createDataFrame([(*row[:4], file, *row[4:]) for row in rows], schema + more).coalesce(1)
        options: WriteOptions = {"transaction": transaction_of(file + (replace or "")), "partition_by": ["id"]}
        if replace is None:
            log.append(df, add_columns=True, **options)
        else:
            log.replace(df, where=replace, add_columns=True, **options)

    def merged() -> list[tuple[Any, ...]]:
        rows = DeltaTable(str(tmp_path / "merged")).to_pyarrow_table().to_pylist()
        return sorted((row["id"], row["t"].day, row["x"], row.get("new"), row["_is_current"]) for row in rows)

    days = [datetime(2026, 1, day, tzinfo=timezone.utc) for day in range(1, 10)]
    options: dict[str, Any] = {"key": ["id"], "partition_by": ["id"]}
    land("a", [(name, days[0], 1, False) for name in names])
    apply(2, **options)
    land("b", [(name, days[1], 1, False, 7) for name in names[:3]], more=", new int")
    corrected = [(name, days[2], 1, False) for name in names[1:]]
    land("a", [(names[0], days[0], 1, False), *corrected], replace=of_files(["a"]))
    assert apply(2, **options) == MergedCounts(inserted=6, updated=1, deleted=3)
    assert merged() == sorted(
        [(names[0], 1, 1, None, False), (names[0], 2, 1, 7, True), (names[3], 3, 1, None, True)]
        + [row for name in names[1:3] for row in ((name, 2, 1, 7, False), (name, 3, 1, None, True))]
    )
    found = DeltaTable(str(tmp_path / "merged"))
    assert found.metadata().partition_columns == ["id"]
    assert found.protocol().min_reader_version == 1


class Killed(BaseException):
    """The end of a process, as far as one process can play it."""


def test_what_was_interrupted_or_interfered_with_is_healed(
    tmp_path: Path, spark: SparkSession, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, log, merged = random.Random(5), Log(tmp_path, "_file"), tmp_path / "merged"
    change = merging._change

    def killed(*arguments: Any) -> None:
        if after:
            change(*arguments)
        raise Killed

    log.land({"f": events(rng, "f", range(20))})
    assert apply().inserted == len(stored(merged))
    for after in (False, True):
        log.land({"g": events(rng, "g", range(20))})
        monkeypatch.setattr(merging, "_change", killed)
        with pytest.raises(Killed):
            apply()
        monkeypatch.undo()
        assert (stored(merged) == expected(log.rows, 1)) is after
        assert (apply() == MergedCounts()) is after
        assert stored(merged) == expected(log.rows, 1)
    assert spark.conf.get(write_rows._METADATA, None) is None
    files = DeltaTable(str(merged)).file_uris()
    log.land({"late": [{**row, "_file": "a", "t": None, "b": None} for row in log.rows if row["t"]]})
    assert apply() == MergedCounts()
    assert sorted(DeltaTable(str(merged)).file_uris()) == sorted(files)
    metadata = DeltaTable(str(merged)).history(1)[0]["userMetadata"]
    assert json.loads(metadata)["log_version"] == DeltaTable(str(log.path)).version()
    DeltaTable(str(merged)).update({"a": "'z'"}, predicate="id = 'p'")
    apply()
    assert stored(merged) == expected(log.rows, 1)
    apply(scd=2)
    assert stored(merged) == expected(log.rows, 2)
    forget(log.path)
    log.land({"f": events(rng, "f", range(19))})
    forget(log.path)
    apply(scd=2)
    assert stored(merged) == expected(log.rows, 2)
    assert DeltaTable(str(merged)).history(1)[0]["operation"] == "MERGE"
    with pytest.raises(ConfigError, match=r"load.merge.deleted: expected a condition, found 't' of type int"):
        apply(merge={"deleted": "t"})


def forget(path: Path) -> None:
    """Clean up the log of a table as Delta does after a month."""
    DeltaTable(str(path)).create_checkpoint()
    for commit in sorted((path / "_delta_log").glob("*.json"))[:-1]:
        commit.unlink()


def test_only_keys_whose_rows_have_changed_are_derived_anew(tmp_path: Path, spark: SparkSession) -> None:
    rng, log = random.Random(7), Log(tmp_path, "_file")
    path, log.partition_by = str(log.path), ["id"]

    def changed(since: int, until: int) -> set[tuple[Any, ...]] | None:
        found = changed_keys(spark, path, KEY, since=since, until=until)
        return found if found is None else {tuple(row) for row in found.collect()}

    def keys(rows: Iterable[Row]) -> set[tuple[Any, ...]]:
        return {(row["case"], row["id"]) for row in rows}

    def named(file: str, cases: Iterable[int], end: str = "/ %=") -> list[Row]:
        return [{**row, "id": row["id"] + end} for row in events(rng, file, cases)]

    f, g = named("f", range(30)), named("g", range(30))
    log.land({"f": f, "g": g})
    log.land({"h": named("h", range(10, 15))})
    assert changed(0, 1) == keys(log.files["h"])
    log.land({"f": [*f[1:], f[5]]})  # one less, and one twice; those of g are only moved
    assert changed(1, 2) == keys([f[0], f[5]])
    DeltaTable(path).optimize.compact()
    assert changed(2, 3) == set()
    gone = log.files["h"]
    log.undo("h")
    assert changed(3, 4) == keys(gone)
    assert changed(1, 4) == keys([f[0], f[5], *gone])
    DeltaTable(path).vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert changed(3, 4) is None
    until = DeltaTable(path).version()
    assert changed(4, until) == set()
    log.land({"k": named("k", range(5), "é")})
    assert changed(until, until + 1) is None  # the writer encodes folders in another way than Spark
