"""Executors and a worker of a cluster are killed while tasks write the files of a version; the run succeeds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import published
import pytest
from drivers import driver
from publish_kills import SEEDS, Trials
from pyspark.sql import SparkSession
from small_table import config, put_source

from cluster import Cluster
from servers.fixtures import S3
from servers.proxy import Fault, Request

Victim = Literal["executor", "worker"]
MOMENTS: tuple[Literal["request", "body", "reply"], ...] = ("body", "reply", "request")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path / "cluster")
    running.start()
    yield running
    running.stop()


def children(parents: list[int]) -> list[int]:
    """The executors that these workers have started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent in parents and b"CoarseGrainedExecutorBackend" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def kill(cluster: Cluster, victim: Victim, killed: list[int]) -> None:
    """Kill the older of the executors, or the last worker and its executors."""
    pids = children(cluster.pids)[:1]
    if victim == "worker":
        worker = cluster.pids[-1]
        pids = [worker, *children([worker])]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    killed += pids


def at(n: int, moment: Literal["request", "body", "reply"], act: Callable[[], None]) -> Callable[[Request], object]:
    """The rule that something happens at the n-th file of the table that a task puts."""
    seen = list[Request]()

    def rule(request: Request) -> Fault | None:
        if request.method != "PUT" or "/t/split=" not in request.path:
            return None
        seen.append(request)
        return Fault(lost=moment, act=act) if len(seen) == n else None

    return rule


def carry_out(trials: Trials, cluster: Cluster, s3: S3, victims: list[Victim]) -> None:
    """Kill one after another, each in a run of its own of the same driver."""
    start, killed = time.monotonic(), list[int]()
    trials.prepare()
    master = ("--master", cluster.url, "--conf", "spark.executor.memory=600m")
    with driver(trials.folder, *master) as runs:
        for n, victim in enumerate(victims):
            before, seed, n_before = published.versions(trials.table), trials.next_seed, len(killed)
            rule = at(1 + n // len(MOMENTS), MOMENTS[n % len(MOMENTS)], lambda v=victim: kill(cluster, v, killed))
            with s3.proxy.obeying(rule):  # type: ignore[arg-type]
                told = runs.publish(trials.config(trials.table, seed))
            assert told == {"status": "published", "version": len(before)}, told
            assert len(killed) > n_before
            published.assert_sound(trials.table)
            assert published.rows(trials.table) == trials.expected[seed]
            print(f"\n{victim} killed: {told}", end="", flush=True)
    names = published.folder(trials.table).names()
    n_named = sum(len(published.opened(trials.table, v).file_uris()) for v in published.versions(trials.table))
    n_there = sum("/part-" in name for name in names)
    print(
        f"\n{len(victims)} runs in {time.monotonic() - start:.0f} s, {len(killed)} processes killed under them:"
        f" {n_named} files named, {n_there - n_named} left by the dead, 0 rows lost, 0 twice"
    )


@pytest.mark.slow
def test_an_executor_and_a_worker_are_killed(tmp_path: Path, spark: SparkSession, s3: S3, cluster: Cluster) -> None:
    trials = Trials(tmp_path, f"s3a://{s3.new_bucket()}/t", spark, s3)
    carry_out(trials, cluster, s3, ["executor", "worker"])


@pytest.mark.slow
def test_more_executors_and_a_worker_are_killed(tmp_path: Path, spark: SparkSession, s3: S3, cluster: Cluster) -> None:
    trials = Trials(tmp_path, f"s3a://{s3.new_bucket()}/t", spark, s3)
    carry_out(trials, cluster, s3, [*("executor",) * 6, "worker"])


@pytest.mark.slow
def test_executors_without_heap_publish_nothing(tmp_path: Path, spark: SparkSession, cluster: Cluster) -> None:
    put_source(tmp_path / "notes", note_bytes=3_000_000)  # 1.2 GB, where an executor has 512 MB for everything
    settings = config(tmp_path / "notes", str(tmp_path / "t"), tmp_path / "beside", SEEDS[0])
    settings["source"]["where"] = "length(note) > 1000"
    trials = Trials(tmp_path, str(tmp_path / "t"), spark)
    trials.prepare(SEEDS[:1])
    with driver(tmp_path, "--master", cluster.url, "--conf", "spark.executor.memory=512m") as runs:
        told = runs.publish(settings)
    print(f"\n{told}")
    assert told["status"] == "failed"
    assert len(told["message"].splitlines()) == 1
    assert "expected tasks that have enough memory" in told["message"]
    assert published.versions(trials.table) == []
    assert trials.calm_run(trials.table, SEEDS[0]).status == "published"
    published.assert_sound(trials.table)
    assert published.rows(trials.table) == trials.expected[SEEDS[0]]


@pytest.mark.slow
def test_a_run_out_of_memory_publishes_nothing(tmp_path: Path, spark: SparkSession) -> None:
    trials = Trials(tmp_path, str(tmp_path / "t"), spark)
    trials.prepare()
    with driver(tmp_path, "--conf", "spark.executor.pyspark.memory=600m") as runs:
        told = runs.publish(trials.config(trials.table, SEEDS[0]))
    print(f"\n{told}")
    assert told["status"] == "failed"
    assert len(told["message"].splitlines()) == 1
    assert len(told["message"]) < 600
    assert published.versions(trials.table) == []
    assert trials.calm_run(trials.table, SEEDS[0]).status == "published"
    assert published.rows(trials.table) == trials.expected[SEEDS[0]]
