"""Extraction from files to a Delta table: each record once, accepted or kept with the reason, in any order of runs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from traintable.config.ingest import IngestConfig
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.job import ingest
from traintable.ingest.ledger import Ledger
from traintable.ingest.recount import recount
from traintable.ingest.replay import replay
from traintable.spark.progress import Progress

COLUMNS = {"id": {"type": "bigint"}, "name": {}, "x": {"type": "double", "max": 100}}
Land = Callable[..., dict[str, Any]]


def config(root: Path, **more: Any) -> IngestConfig:
    source = {"format": "csv", "path": "raw", **more.pop("source", {})}
    known = {"name": "test", "root": str(root), "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}}
    return IngestConfig.model_validate({**known, "source": source, **more})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path


@pytest.fixture
def land(spark: SparkSession, root: Path) -> Land:
    def call(*, interval: str | None = None, progress: Progress | None = None, **more: Any) -> dict[str, Any]:
        return ingest(config(root, **more), interval=interval, spark=spark, progress=progress)

    return call


def put(root: Path, name: str, content: str | bytes) -> None:
    path = root / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    stamp = 1_700_000_000 + sum(map(ord, str(content)))  # the clock may be too coarse to tell two writes apart
    os.utime(path, (stamp, stamp))


def landed(root: Path) -> list[tuple[Any, ...]]:
    """The rows of the table as another reader sees them."""
    rows = DeltaTable(str(root / "landed")).to_pyarrow_table().to_pylist()
    return sorted((row["_file"], row["id"], row["name"], row["x"]) for row in rows)


def kept(root: Path) -> list[tuple[Any, ...]]:
    """The quarantined records as another reader sees them."""
    path = root / "landed_quarantine"
    rows = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
    return sorted((row["_file"], row["position"], row["raw"], *row["reasons"]) for row in rows)


def test_messy_csv_lands_or_is_kept_with_its_place_and_reason(root: Path, land: Land, spark: SparkSession) -> None:
    put(
        root,
        "a [1]+%.csv",
        b'\xef\xbb\xbfid,name,x\n1,a,1.5\n2,"b,c",oops\n\n3,"un,2\n4,d\n5,e,1,7\n6,"q""q",\r\n7,,101\n'
        b'8,\xff\xfe,2\n9,"",1\nid,name,x\n,z,1\n',
    )
    put(root, "b.csv", "name,id,x\nz,10,1\n")
    put(root, "c.csv", "id,name\n11,only two columns\n")
    put(root, "twice.csv", "id,id,x\n1,2,3\n")
    put(root, "empty.csv", "")
    put(root, "header.csv", "id,name,x\n")
    put(root, "d.csv.gz", gzip.compress(b"id,name,x\n12,zipped,1\n"))
    result = land()
    odd = "raw/a [1]+%.csv"
    assert landed(root) == [
        (odd, 1, "a", 1.5),
        (odd, 6, 'q"q', None),
        (odd, 9, "", 1.0),
        ("raw/b.csv", 10, "z", 1.0),
        ("raw/c.csv", 11, "only two columns", None),
        ("raw/d.csv.gz", 12, "zipped", 1.0),
    ]
    assert kept(root) == [
        (odd, 3, '2,"b,c",oops', "type:x"),
        (odd, 5, '3,"un,2', "columns"),
        (odd, 6, "4,d", "columns"),
        (odd, 7, "5,e,1,7", "columns"),
        (odd, 9, "7,,101", "range:x"),
        (odd, 10, r"8,\xff\xfe,2", "encoding"),
        (odd, 12, "id,name,x", "header"),
        (odd, 13, ",z,1", "null:id"),
        ("raw/twice.csv", 1, "id,id,x", "header"),
        ("raw/twice.csv", 2, "1,2,3", "header"),
    ]
    assert result["rows"] == {"read": 16, "accepted": 6, "quarantined": 10}
    assert recount(str(root / "landed"), spark=spark)[0].ok
    assert land()["status"] == "unchanged"
    ledger = {row["file"]: row for row in Ledger(str(root / "landed_ledger")).rows() if row["status"] == "done"}
    assert (ledger[odd]["rows"], ledger[odd]["accepted"], ledger[odd]["quarantined"]) == (11, 3, 8)
    assert ledger[odd]["bytes"] == (root / odd).stat().st_size
    assert ledger["raw/empty.csv"]["rows"] == 0


def test_json_lines_and_text(root: Path, land: Land, spark: SparkSession) -> None:
    put(
        root, "a.json", '{"id":1,"name":"a"}\n{"id":2,"x":1.5}\r\n\n{"id":3}{"id":4}\n{"id":"5"}\n[6]\n{"id":7,"x":200}'
    )
    assert land(source={"format": "json"})["rows"] == {"read": 6, "accepted": 2, "quarantined": 4}
    assert [row[1:] for row in landed(root)] == [(1, "a", None), (2, None, 1.5)]
    assert [row[1:] for row in kept(root)] == [
        (4, '{"id":3}{"id":4}', "syntax"),
        (5, '{"id":"5"}', "type:id"),
        (6, "[6]", "syntax"),
        (7, '{"id":7,"x":200}', "range:x"),
    ]
    put(root, "b.json", '{"id":8,"extra":1}\n')
    with pytest.raises(ConfigError, match=r"raw/b.json: column 'extra'"):
        land(source={"format": "json"})
    assert len(landed(root)) == 2
    land(source={"format": "json"}, load={"drift": "quarantine"})
    assert kept(root)[-1] == ("raw/b.json", 1, '{"id":8,"extra":1}', "drift:extra")
    text = {"columns": {"line": {}}, "key": None, "output": {"table": "text"}, "source": {"format": "text"}}
    assert land(**text)["rows"]["accepted"] == 8
    lines = DeltaTable(str(root / "text")).to_pyarrow_table().to_pylist()
    assert Counter(row["_file"] for row in lines) == {"raw/a.json": 7, "raw/b.json": 1}


def test_columns_that_nobody_has_declared(root: Path, land: Land) -> None:
    put(root, "a.csv", "id,name,x\n1,a,1\n")
    land()
    put(root, "b.csv", "id,new,name,x\n2,n,b,2\n")
    with pytest.raises(ConfigError, match=r"raw/b.csv: column 'new'"):
        land()
    assert len(landed(root)) == 1
    assert land(load={"drift": "quarantine"})["rows"]["quarantined"] == 1
    assert kept(root) == [("raw/b.csv", 2, "2,n,b,2", "drift:new")]
    put(root, "b.csv", "id,new,name,x\n2,m,b,2\n")
    land(load={"drift": "add_columns"})
    assert kept(root) == []
    rows = DeltaTable(str(root / "landed")).to_pyarrow_table().to_pylist()
    assert {row["id"]: row["new"] for row in rows} == {1: None, 2: "m"}


def test_line_ends_within_quotes(root: Path, land: Land) -> None:
    content = 'id,name,x\n1,"two\nlines",1\r\n2,"a ""b""\r\n\r\nc",2\n3,"open,3\n4,d,4\n5,e\n'
    put(root, "a.csv", content)
    (root / "raw" / "a.csv").rename(root / "a.csv")
    put(root, "a.csv.gz", gzip.compress(content.encode()))
    result = land(source={"multi_line": True})
    assert [row[1:] for row in landed(root)] == [(1, "two\nlines", 1.0), (2, 'a "b"\r\n\r\nc', 2.0), (4, "d", 4.0)]
    assert [row[1] for row in kept(root)] == [7, 9]
    assert result["rows"]["read"] == 5


@pytest.mark.parametrize("mode", ["files", "full"])  # tasks that write files themselves, and Spark's
def test_files_that_can_t_be_read_wait_for_the_next_run(root: Path, land: Land, mode: str) -> None:
    whole = gzip.compress(b"id,name,x\n" + b"".join(b"%d,a,1\n" % i for i in range(1000)))
    for name in ("bad.csv.gz", "worse.csv.gz"):
        put(root, name, whole[: len(whole) // 2])
    put(root, "good.csv", "id,name,x\n1,a,1\n")
    result = land(load={"mode": mode})
    assert (sorted(result["unreadable"]), result["rows"]["accepted"]) == (["raw/bad.csv.gz", "raw/worse.csv.gz"], 1)
    reasons = {row["file"]: row["error"] for row in Ledger(result["ledger"]).rows() if row["status"] == "unreadable"}
    assert sorted(reasons) == sorted(result["unreadable"])
    assert all("Truncated" in reason for reason in reasons.values()), reasons
    if mode == "files":  # nothing is left of what other tasks had written
        assert len(list((root / "landed").glob("*.parquet"))) == 1


@pytest.mark.parametrize("mode", ["files", "full"])
def test_a_field_that_nobody_has_declared_is_refused_by_name(root: Path, land: Land, mode: str) -> None:
    put(root, "a.json", '{"id":1}\n' * 3)
    put(root, "b.json", '{"id":1}\n{"id":8,"extra":1}\n')
    with pytest.raises(ConfigError, match=r"raw/b.json: column 'extra': expected a declared column \(id, name, x\)"):
        land(source={"format": "json"}, load={"mode": mode})
    assert not DeltaTable.is_deltatable(str(root / "landed"))
    assert mode == "full" or not list((root / "landed").glob("*.parquet"))


def test_a_file_that_can_t_be_read_waits_until_it_can(root: Path, land: Land) -> None:
    whole = gzip.compress(b"id,name,x\n" + b"".join(b"%d,a,1\n" % i for i in range(1000)))
    put(root, "bad.csv.gz", whole[: len(whole) // 2])
    put(root, "good.csv", "id,name,x\n1,a,1\n")
    result = land()
    assert result["unreadable"] == ["raw/bad.csv.gz"]
    assert result["rows"]["accepted"] == 1
    assert land()["status"] == "unchanged"
    put(root, "bad.csv.gz", whole)
    assert land()["rows"]["accepted"] == 1000


def states(seed: int) -> list[dict[str, str | None]]:
    """Files as they are at successive times: some new, some changed, some with bad records."""
    rng, now, found = random.Random(seed), {}, []
    for _ in range(3):
        for name in rng.sample(["a", "b", "c", "d"], 2):
            lines = [
                f"{rng.randrange(100)},{rng.choice('xyz')},{rng.choice(['1', '2.5', 'bad', ''])}" for _ in range(5)
            ]
            now[f"{name}.csv"] = "\n".join(["id,name,x", *lines, ""])
        found.append(dict(now))
    return found


def counted(files: dict[str, str | None]) -> Counter[tuple[str, bool]]:
    """How many records of each file are good, and bad, as the csv module counts them."""
    counts: Counter[tuple[str, bool]] = Counter()
    for name, content in files.items():
        for _, _, x in list(csv.reader(io.StringIO(content)))[1:]:
            counts[f"raw/{name}", x != "bad"] += 1
    return counts


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_corrections_and_repetitions_give_the_table_of_a_single_pass(root: Path, land: Land, seed: int) -> None:
    for files in states(seed):
        for name, content in files.items():
            put(root, name, str(content))
        land()
    step_by_step = landed(root), kept(root)
    for table in root.glob("landed*"):
        shutil.rmtree(table)
    land()
    assert (landed(root), kept(root)) == step_by_step
    found = Counter((row[0], True) for row in landed(root)) + Counter((row[0], False) for row in kept(root))
    assert found == counted(files)
    assert land()["status"] == "unchanged"


def test_files_that_share_a_data_file_are_corrected_alone(root: Path, land: Land) -> None:
    names = [f"{i}.csv" for i in range(8)] + ["it's $x __y.csv"]
    for name in names:
        put(root, name, "id,name,x\n1,a,1\n2,b,bad\n")
    land()
    assert len(DeltaTable(str(root / "landed")).file_uris()) < len(names)  # so that others' rows are moved
    for name in ("3.csv", names[-1]):
        put(root, name, "id,name,x\n9,corrected,1\n")
    assert land()["rows"] == {"read": 2, "accepted": 2, "quarantined": 0}
    assert len(landed(root)) == len(names)
    assert len(kept(root)) == len(names) - 2
    assert land()["status"] == "unchanged"


def test_what_a_run_has_left_that_can_t_be_carried_on_is_removed(root: Path, land: Land) -> None:
    put(root, "a.csv", "id,name,x\n1,a,1\n")
    land()
    put(root, "a.csv", "id,name,x\n1,b,1\n2,b,bad\n")
    put(root, "b.csv", "id,name,x\n3,b,1\n")
    with pytest.raises(Killed):  # once over the changed file, then over the new one
        land(progress=Stopping("write rows", after=True))
    put(root, "a.csv", "id,name,x\n1,a,1\n")  # as it was
    with pytest.raises(Killed):
        land(progress=Stopping("write rows", after=True))
    (root / "raw" / "b.csv").unlink()
    land()
    assert landed(root) == [("raw/a.csv", 1, "a", 1.0)]
    assert kept(root) == []
    put(root, "c.csv", "id,name,x\n3,c,1\n4,c,500\n")
    with pytest.raises(Killed):
        land(progress=Stopping("write rows", after=True))
    land(columns={**COLUMNS, "x": {"type": "double"}})  # another promise: the run is not carried on but done anew
    assert len(landed(root)) == 3
    with pytest.raises(ConfigError, match="'full', after 'files'"):
        land(load={"mode": "full"})


def test_a_state_that_comes_back_is_a_correction_too(root: Path, land: Land) -> None:
    for x in ("1", "2", "1", "2"):
        put(root, "a.csv", f"id,name,x\n1,a,{x}\n")
        land()
        assert landed(root) == [("raw/a.csv", 1, "a", float(x))]


def test_intervals_in_any_order(root: Path, land: Land, spark: SparkSession) -> None:
    months = {"source": {"path": "raw/%Y-%m*.csv"}, "load": {"mode": "interval", "schedule": "monthly"}}
    for month in (1, 2):
        put(root, f"2026-0{month}.csv", f"id,name,x\n{month},a,1\n{month},b,bad\n")
    names = ["2026-01-01/2026-02-01", "2026-02-01/2026-03-01"]
    orders, results = [names, names[::-1]], list[Any]()
    for order in orders:
        for name in order:
            assert land(interval=name, **months)["rows"] == {"read": 2, "accepted": 1, "quarantined": 1}
        results.append((landed(root), kept(root)))
        assert land(interval="2026-01-01/2026-03-01", **months)["status"] == "unchanged"
        if order is orders[0]:
            for table in root.glob("landed*"):
                shutil.rmtree(table)
    assert results[0] == results[1]
    put(root, "2026-02-late.csv", "id,name,x\n22,late,1\n")  # an interval that has grown replaces what it was
    assert land(interval=names[1], **months)["rows"] == {"read": 3, "accepted": 2, "quarantined": 1}
    assert len(landed(root)) == 3
    partitions = DeltaTable(str(root / "landed")).partitions()
    assert {p["_interval"] for p in partitions} == {"2026-01-01", "2026-02-01"}
    assert recount(str(root / "landed"), spark=spark)[-1].ok
    coarse = {"source": {"path": "raw/%Y.csv"}, "load": {"mode": "interval", "schedule": "monthly"}}
    with pytest.raises(ConfigError, match="differs from one interval of the monthly schedule to the next"):
        land(interval="2026-04-01", **coarse)
    with pytest.raises(InputMissing, match="files of the interval 2026-04-01/2026-05-01"):
        land(interval="2026-04-01", **months)


def test_full_replaces_all(root: Path, land: Land) -> None:
    full = {"load": {"mode": "full"}}
    put(root, "a.csv", "id,name,x\n1,a,1\n2,b,bad\n")
    put(root, "b.csv", "id,name,x\n3,a,1\n")
    land(**full)
    (root / "raw" / "b.csv").unlink()
    put(root, "a.csv", "id,name,x\n1,c,1\n")
    land(**full)
    assert landed(root) == [("raw/a.csv", 1, "c", 1.0)]
    assert kept(root) == []
    assert land(**full)["status"] == "unchanged"


def test_repaired_records_are_taken_back_in(root: Path, land: Land, spark: SparkSession) -> None:
    put(root, "a.csv", "x,id,name\n1,1,a\nbad,2,b\n500,3,c\nworse,4,d\n")
    put(root, "b.csv", "id,id\n5,e\n")
    put(root, "c.csv", b"x,id,name\n1,6,\xff\nx,id,name\n")
    land()
    quarantine = DeltaTable(str(root / "landed_quarantine"))
    quarantine.update({"repaired": "'7,2,\"b, mended\"'"}, predicate="raw = 'bad,2,b'")
    again = config(root, columns={**COLUMNS, "x": {"type": "double", "max": 1000}})
    with pytest.raises(Killed):  # a run that ends is carried on
        replay(again, spark=spark, progress=Stopping("write rows", after=True))
    result = replay(again, spark=spark)
    assert landed(root) == [
        ("raw/a.csv", 1, "a", 1.0),
        ("raw/a.csv", 2, "b, mended", 7.0),
        ("raw/a.csv", 3, "c", 500.0),
    ]
    assert [row[2] for row in kept(root)] == ["worse,4,d", "id,id", "5,e", r"1,6,\xff", "x,id,name"]
    assert result["rows"]["accepted"] == 2
    assert [finding.found for finding in recount(str(root / "landed"), spark=spark)] == [
        "3 files, 3 rows and 5 in quarantine"
    ]
    DeltaTable(str(root / "landed")).delete("id = 2")
    wrong, total = recount(str(root / "landed"), spark=spark)
    assert (wrong.check, wrong.ok, total.ok) == ("file raw/a.csv", False, False)
    assert wrong.found.startswith("2 rows and 1 in quarantine, where the ledger has 3 rows and 1")
    assert replay(again, spark=spark)["status"] == "unchanged"
    assert land()["status"] == "unchanged"


class Killed(BaseException):
    """The end of a process, as far as one process can play it."""


class Stopping(Progress):
    """Ends the run before or after one of its stages."""

    def __init__(self, stage: str, *, after: bool) -> None:
        super().__init__(quiet=True)
        self.point, self.after, self.reached = stage, after, False

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        here = name.startswith(self.point)
        self.reached |= here
        if here and not self.after:
            raise Killed
        with super().stage(name):
            yield
        if here:
            raise Killed


STAGES = ("list", "begin", "read headers", "write rows", "keep bad records", "count", "finish")
POINTS = [(stage, after) for stage in STAGES for after in (False, True)]
FEW = [("write rows", False), ("write rows", True), ("keep bad records", True)]


@pytest.mark.parametrize("points", [FEW, pytest.param(POINTS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_a_run_that_ends_anywhere_is_carried_on(root: Path, land: Land, points: list[tuple[str, bool]]) -> None:
    """Whatever point a run ends at, the next gives what one without an end gives, also if more has arrived since."""
    for i, (stage, after) in enumerate(points):
        put(root, f"{i}.csv", f"id,name,x\n{i},a,1\n{i},b,bad\n")
        progress = Stopping(stage, after=after)
        with pytest.raises(Killed):
            land(progress=progress)
        assert progress.reached
        if i % 3 == 1:
            put(root, f"{i}.csv", f"id,name,x\n{i},changed,1\n{i},changed,bad\n{i},c,2\n")
        if i % 3 == 2:
            put(root, f"{i}-more.csv", f"id,name,x\n{i},more,1\n")
        land()
        assert land()["status"] == "unchanged"
    interrupted = landed(root), kept(root)
    for table in root.glob("landed*"):
        shutil.rmtree(table)
    land()
    assert (landed(root), kept(root)) == interrupted


def test_a_run_says_what_it_did(root: Path, command: Callable[..., tuple[int, dict[str, Any], str]]) -> None:
    put(root, "a.csv", "id,name,x\n1,a,1\n2,b,bad\n")
    path = root / "ingest.yaml"
    path.write_text(json.dumps({**config(root).model_dump(mode="json", exclude_defaults=True), "root": "."}))
    code, answer, log = command("ingest", "--config", str(path))
    assert code == 0, log
    assert answer["rows"] == {"read": 2, "accepted": 1, "quarantined": 1}
    assert "2 read = 1 accepted + 1 quarantined" in log
    code, answer, log = command("ingest", "--config", str(path), "--interval", "2026-01-01")
    assert code == 2
    assert "a configuration whose `load.mode` is 'interval'" in answer["message"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"columns": {"id": {"type": "nothing"}}}, "a type as Spark writes it"),
        ({"columns": {"id": {"min": 1}}}, "min and max of a number"),
        ({"columns": {"id": {"type": "int", "format": "%d"}}}, "a format of a date or time"),
        ({"key": ["nothing"]}, "a declared column"),
        ({"key": None, "columns": {"at": {"type": "timestamp", "format": "%H %Z"}}}, "offsets as %z"),
        ({"key": None, "columns": {"a": {"type": "array<date>"}}}, "a type as Spark writes it"),
        ({"output": {"table": "s3a://bucket/landed"}}, "a local path"),
    ],
)
def test_what_a_configuration_can_t_ask_for(root: Path, land: Land, more: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        land(**more)
