"""Drivers that are killed one after another, with calm runs between them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from verdicts import assert_sound

from traintable.config.ingest import IngestConfig
from traintable.ingest.job import ingest

SCRIPT = Path(__file__).with_name("killed_ingest.py")
STAGES = ("list", "begin", "read headers", "write rows", "count", "keep bad records", "merge", "finish")
MOST = 4  # runs until there is nothing to do

Point = tuple[str, str]
Arrive = Callable[[int], str | None]


def points(stages: Iterable[str] = STAGES) -> list[Point]:
    """The points before and after stages, and some in the midst of those that take long."""
    found = [(stage, when) for stage in stages for when in ("before", "after")]
    middle = {"write rows": (0.3, 1, 3), "count": (0.1,), "keep bad records": (0.3,), "merge": (0.3, 2)}
    return [*found, *((stage, str(delay)) for stage in stages for delay in middle.get(stage, ()))]


def kill(config: dict[str, Any], stage: str, when: str, interval: str | None = None) -> None:
    """Let a driver land until it dies at a point."""
    command = [sys.executable, str(SCRIPT), json.dumps(config), stage, when, *([interval] if interval else [])]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, (stage, when, done.stderr[-2000:])
    assert "reached" in done.stdout, (stage, when)


def carry_on(config: dict[str, Any], spark: SparkSession, interval: str | None = None) -> None:
    """Land calmly until there is nothing to do."""
    settings = IngestConfig.model_validate(config)
    results = (ingest(settings, interval=interval, spark=spark)["status"] for _ in range(MOST))
    assert "unchanged" in results


def kill_and_carry_on(
    config: dict[str, Any], spark: SparkSession, points: Iterable[Point], arrive: Arrive, rng: random.Random
) -> int:
    """Kill a run at each point in turn, with calm ones after each second; how many were killed.

    `arrive` is called before each run, and now and then after one was killed, and changes the source; where its mode
    is "interval" it gives the interval that has changed. Intervals are carried on in any order.
    """
    waiting, killed = set[str | None](), 0
    for n, (stage, when) in enumerate(points):
        interval = arrive(n)
        kill(config, stage, when, interval)
        killed += 1
        waiting.add(interval)
        if rng.random() < 0.3:
            waiting.add(arrive(n))
        if n % 2:
            for one in rng.sample(sorted(waiting, key=str), len(waiting)):
                carry_on(config, spark, one)
            waiting.clear()
            assert_sound(Path(config["root"]), spark)  # what is wrong now, a later run may well replace
    return killed
