"""Drivers that land days, in any order and some of them again, are killed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from kills import carry_on, kill_and_carry_on, points
from pyspark.sql import SparkSession
from verdicts import assert_same, assert_sound, told

STAGES = ("list", "begin", "read headers", "write rows", "count", "keep bad records", "finish")
DAYS = range(1, 6)


def config(root: Path) -> dict[str, Any]:
    columns = {"id": {"type": "bigint"}, "name": {}, "x": {"type": "double"}}
    source = {"format": "csv", "path": "raw/%Y-%m-%d*.csv"}
    known = {"name": "kills", "root": str(root), "columns": columns, "output": {"table": "landed"}}
    return {**known, "source": source, "load": {"mode": "interval", "schedule": "daily"}}


def interval(day: int) -> str:
    return f"2026-11-{day:02}/2026-11-{day + 1:02}"


class Days:
    """Files of days, which come in any order, late, and again with other records; some go."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.folder, self.rng, self.stamp = root / "raw", rng, 1_700_000_000
        self.folder.mkdir(parents=True)

    def arrive(self, _: int) -> str:
        """A file more of a day, or another one in place of the two that it has, or another state of one."""
        day = self.rng.choice(DAYS)
        here = sorted(self.folder.glob(f"2026-11-{day:02}*.csv"))
        if len(here) == 2 and self.rng.random() < 0.5:
            self._put(here[0].name)
            return interval(day)
        if len(here) == 2:
            for path in here:
                path.unlink()
        self._put(f"2026-11-{day:02}-{self.stamp}.csv")
        return interval(day)

    def _put(self, name: str) -> None:
        rng = self.rng
        lines = [f"{j},{rng.choice('abc')},{rng.choice(['1', '2.5', 'bad'])}" for j in range(rng.randrange(1, 200))]
        path = self.folder / name
        path.write_text("\n".join(["id,name,x", *lines, ""]))
        self.stamp += 10
        os.utime(path, (self.stamp, self.stamp))


@pytest.mark.slow
def test_kills_of_days_in_any_order(tmp_path: Path, spark: SparkSession) -> None:
    root, calm, start, rng = tmp_path / "killed", tmp_path / "calm", time.monotonic(), random.Random(4)
    days, at = Days(root, rng), points(STAGES)
    rng.shuffle(at)
    killed = kill_and_carry_on(config(root), spark, at, days.arrive, rng)
    landed = [day for day in DAYS if list(days.folder.glob(f"2026-11-{day:02}*"))]
    for day in landed:
        carry_on(config(root), spark, interval(day))
    calm.mkdir()
    (root / "raw").rename(calm / "raw")
    for day in landed:
        carry_on(config(calm), spark, interval(day))
    assert_same(root, calm)
    assert_sound(root, spark)
    print(told(killed, time.monotonic() - start, root))
