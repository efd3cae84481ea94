"""The driver of an extraction is killed at named points; what the next run makes of it is what a calm run makes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from traintable.ingest.landing.job import ingest
from traintable.ingest.landing.recount import recount
from traintable.ingest_settings import IngestConfig

SCRIPT = Path(__file__).with_name("killed_ingest.py")
STAGES = ("list", "begin", "read headers", "write rows", "keep bad records", "count", "finish")
FEW = [
    ("list", "before"),
    ("list", "after"),
    ("begin", "before"),
    ("begin", "after"),
    ("write rows", "after"),
    ("count", "before"),
]
ALL = [(stage, when) for stage in STAGES for when in ("before", "after")]
MID = [("write rows", str(delay)) for delay in (0.2, 0.5, 1, 1.5, 2, 3, 5)] + [
    ("keep bad records", "0.3"),
    ("count", "0.3"),
]


def config(root: Path) -> dict[str, object]:
    columns = {"id": {"type": "bigint"}, "name": {}, "x": {"type": "double"}}
    source = {"format": "csv", "path": "raw"}
    return {"name": "kills", "root": str(root), "columns": columns, "source": source, "output": {"table": "landed"}}


def put(root: Path, n: int, rng: random.Random) -> None:
    """A new file, and now and then another state of an old one."""
    for i in {n, rng.randrange(n + 1)}:
        lines = [f"{j},{rng.choice('abc')},{rng.choice(['1', '2.5', 'bad'])}" for j in range(rng.randrange(1, 200))]
        path = root / "raw" / f"{i}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["id,name,x", *lines, ""]))
        stamp = 1_700_000_000 + 1000 * n + i
        os.utime(path, (stamp, stamp))


def content(root: Path) -> list[list[str]]:
    """What is in the table and in the quarantine, as another reader sees it."""
    found = []
    for name, columns in (
        ("landed", ["_file", "id", "name", "x"]),
        ("landed_quarantine", ["_file", "position", "raw"]),
    ):
        path = root / name
        rows = DeltaTable(str(path)).to_pyarrow_table(columns=columns).to_pylist() if path.exists() else []
        found.append(sorted(json.dumps(row) for row in rows))
    return found


def kill_and_carry_on(root: Path, spark: SparkSession, points: list[tuple[str, str]], seed: int) -> int:
    """Kill a run at each point in turn, with a calm one after each second; how many were killed."""
    rng, killed, settings = random.Random(seed), 0, IngestConfig.model_validate(config(root))
    for n, (stage, when) in enumerate(points):
        put(root, n, rng)
        done = subprocess.run(
            [sys.executable, str(SCRIPT), json.dumps(config(root)), stage, when],
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, (stage, when, done.stderr[-2000:])
        killed += "reached" in done.stdout
        if rng.random() < 0.3:
            put(root, n, rng)
        if n % 2:
            ingest(settings, spark=spark)
            assert ingest(settings, spark=spark)["status"] == "unchanged"
    return killed


def assert_as_if_calm(root: Path, calm: Path, spark: SparkSession) -> None:
    (root / "raw").rename(calm / "raw")
    ingest(IngestConfig.model_validate(config(calm)), spark=spark)
    assert content(root) == content(calm)
    assert recount(str(root / "landed"), spark=spark)[-1].ok
    versions = sorted(int(path.stem) for path in (root / "landed" / "_delta_log").glob("*.json"))
    assert versions == list(range(len(versions)))
    for uri in DeltaTable(str(root / "landed")).file_uris():
        assert Path(uri).is_file()


def trial(tmp_path: Path, spark: SparkSession, points: list[tuple[str, str]], seed: int) -> None:
    root, calm, start = tmp_path / "killed", tmp_path / "calm", time.monotonic()
    root.mkdir()
    calm.mkdir()
    killed = kill_and_carry_on(root, spark, points, seed)
    rows = len(content(root)[0]), len(content(root)[1])
    assert_as_if_calm(root, calm, spark)
    print(
        f"\n{killed} drivers killed in {time.monotonic() - start:.0f} s: {rows[0]} rows and {rows[1]} in quarantine,"
        " 0 lost, 0 twice"
    )
    assert killed == len(points)


def test_a_few_kills(tmp_path: Path, spark: SparkSession) -> None:
    trial(tmp_path, spark, FEW, seed=0)


@pytest.mark.slow
def test_sixty_kills(tmp_path: Path, spark: SparkSession) -> None:
    points = (ALL * 3 + MID * 2)[:60]
    random.Random(1).shuffle(points)
    assert len(points) == 60
    trial(tmp_path, spark, points, seed=1)
