"""The driver of a run is killed at named points; after a calm run the table is what a calm run alone makes."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from publish_kills import ENTRY, Put, Stage, Trials
from pyspark.sql import SparkSession

from servers.fixtures import S3

CHECKPOINT, LAST_CHECKPOINT = ".checkpoint.parquet", "/t/_delta_log/_last_checkpoint"
# A driver that starts cold takes long, so these are a moment before a first commit and one after a second; all others
# are among the slow tests, and tests/delta/test_crash_points.py kills a writer without Spark at each of its requests.
FEW_ON_DISK = [Stage("publish", "0.1")]
FEW_ON_S3 = [Put(ENTRY, "reply")]
ON_DISK = [
    *(Stage(stage, when) for stage in ("account for rows", "gate", "publish") for when in ("before", "after")),
    *(Stage("gate", str(seconds)) for seconds in (0.5, 2, 4, 6, 9)),
    *(Stage("publish", str(seconds)) for seconds in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)),
]
ON_S3 = [
    *(Put(ENTRY, moment) for moment in ("request", "body", "reply")),
    *(Put("/t/split=", moment, n) for moment in ("request", "body", "reply") for n in (1, 2, 3)),
    *(Put("/t_models/", moment, n) for moment in ("request", "reply") for n in (1, 3, 6)),
    *(Put("/t_manifests/", moment, n) for moment in ("request", "body", "reply") for n in (1, 2)),
    *(Put("/t_lease/", moment) for moment in ("request", "reply")),
    *(Put("/t_lease/", "request", 2) for _ in range(1)),  # as it is given back
]
AT_CHECKPOINTS = [
    *(Put(CHECKPOINT, moment) for moment in ("request", "body", "reply")),
    *(Put(LAST_CHECKPOINT, moment) for moment in ("request", "reply")),
]


def carry_out(trials: Trials, points: Sequence[Stage | Put], n_calm: int = 0) -> None:
    """Kill a driver at each point, after so many calm versions."""
    start = time.monotonic()
    trials.prepare()
    for _ in range(n_calm):
        trials.calm_run(trials.table, trials.next_seed)
    for point in points:
        began = time.monotonic()
        trials.trial(point)
        print(f"\n{point}: {time.monotonic() - began:.0f} s", end="", flush=True)
    print(trials.told(time.monotonic() - start))


def test_a_few_kills_on_disk(tmp_path: Path, spark: SparkSession) -> None:
    carry_out(Trials(tmp_path, str(tmp_path / "t"), spark), FEW_ON_DISK)


def test_a_few_kills_on_s3(tmp_path: Path, spark: SparkSession, s3: S3) -> None:
    carry_out(Trials(tmp_path, f"s3a://{s3.new_bucket()}/t", spark, s3), FEW_ON_S3, n_calm=1)


@pytest.mark.slow
def test_kills_on_disk(tmp_path: Path, spark: SparkSession) -> None:
    points = random.Random(1).sample(ON_DISK * 2, len(ON_DISK) * 2)
    carry_out(Trials(tmp_path, str(tmp_path / "t"), spark), points)


@pytest.mark.slow
def test_kills_on_s3(tmp_path: Path, spark: SparkSession, s3: S3) -> None:
    points = random.Random(1).sample(ON_S3, len(ON_S3))
    carry_out(Trials(tmp_path, f"s3a://{s3.new_bucket()}/t", spark, s3), points)


@pytest.mark.slow
def test_kills_at_checkpoints(tmp_path: Path, spark: SparkSession, s3: S3) -> None:
    trials = Trials(tmp_path, f"s3a://{s3.new_bucket()}/t", spark, s3)
    start = time.monotonic()
    trials.prepare()
    for point in AT_CHECKPOINTS:  # each at a version that is followed by one
        while not trials.is_checkpoint_next:
            trials.calm_run(trials.table, trials.next_seed)
        trials.trial(point)
    print(trials.told(time.monotonic() - start))
