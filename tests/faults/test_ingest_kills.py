"""The driver of an extraction is killed at named points; what the next run makes of it is what a calm run makes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from kills import Point, carry_on, kill_and_carry_on
from pyspark.sql import SparkSession
from verdicts import assert_same, assert_sound, told

STAGES = ("list", "begin", "read headers", "write rows", "count", "keep bad records", "finish")
FEW = [
    ("list", "after"),
    ("begin", "before"),
    ("begin", "after"),
    ("write rows", "after"),
]
ALL = [(stage, when) for stage in STAGES for when in ("before", "after")]
MID = [("write rows", str(delay)) for delay in (0.2, 0.5, 1, 1.5, 2, 3, 5)] + [
    ("keep bad records", "0.3"),
    ("count", "0.3"),
]


def config(root: Path) -> dict[str, Any]:
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


def trial(tmp_path: Path, spark: SparkSession, at: Iterable[Point], seed: int) -> None:
    root, calm, start = tmp_path / "killed", tmp_path / "calm", time.monotonic()
    root.mkdir()
    calm.mkdir()
    rng = random.Random(seed)
    killed = kill_and_carry_on(config(root), spark, at, lambda n: put(root, n, rng), rng)
    (root / "raw").rename(calm / "raw")
    carry_on(config(calm), spark)
    assert_same(root, calm)
    assert_sound(root, spark)
    print(told(killed, time.monotonic() - start, root))


def test_a_few_kills(tmp_path: Path, spark: SparkSession) -> None:
    trial(tmp_path, spark, FEW, seed=0)


@pytest.mark.slow
def test_sixty_kills(tmp_path: Path, spark: SparkSession) -> None:
    at = (ALL * 3 + MID * 2)[:60]
    random.Random(1).shuffle(at)
    assert len(at) == 60
    trial(tmp_path, spark, at, seed=1)
