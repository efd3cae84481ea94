"""Drivers that are killed while they publish, each followed by a calm run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import published
import pytest
from killed_run import CHECKPOINT_EVERY
from pyspark.sql import SparkSession
from small_table import ALLOWED, config, put_source

from servers.fixtures import S3
from servers.proxy import Fault, Request
from traintable.config.dataset import Config
from traintable.delta import write_version as commit
from traintable.run import Outcome, run

SCRIPT = Path(__file__).with_name("killed_run.py")
ENTRY = "/t/_delta_log/0"  # as the key of an entry of the log begins
SEEDS = (1, 2)  # in turn, so that each trial publishes another version than is there


_EXPECTED: dict[int, list[tuple[object, ...]]] = {}  # the source is always the same


class Stage(NamedTuple):
    """A point in time: before or after a stage of a run, or so many seconds after its begin."""

    stage: str
    when: str


class Put(NamedTuple):
    """The n-th PUT of an object with this in its key: as it comes, in the midst of its body, or when it is done."""

    key: str
    lost: Literal["request", "body", "reply"]
    n: int = 1


@dataclass
class Trials:
    """Trials of one table, and the rows that calm runs have published elsewhere.

    Attributes
    ----------
    beside : where the private files of runs and their removed rows lie.
    expected : rows of a run of each seed that nothing has disturbed.
    n_killed, n_published : drivers that were killed, and those of them whose version was there afterwards.
    """

    folder: Path
    table: str
    spark: SparkSession
    s3: S3 | None = None
    beside: Path | None = None
    expected: dict[int, list[tuple[object, ...]]] = field(default_factory=lambda: _EXPECTED)
    n_killed: int = 0
    n_published: int = 0

    def prepare(self, seeds: Iterable[int] = SEEDS) -> None:
        """Write the source, and let calm runs make of it what is expected, if none of this process has."""
        put_source(self.folder / "source")
        for seed in seeds:
            if seed not in self.expected:
                calm = str(self.folder / f"calm{seed}")
                self.calm_run(calm, seed)
                self.expected[seed] = published.rows(calm)

    def config(self, table: str, seed: int) -> dict[str, object]:
        return config(self.folder / "source", table, self.beside or self.folder / "beside", seed)

    def calm_run(self, table: str, seed: int) -> Outcome:
        """Publish, or find that nothing has changed, in the session of the tests."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(commit, "_CHECKPOINT_EVERY", CHECKPOINT_EVERY)
            return run(Config.model_validate(self.config(table, seed)), allow=ALLOWED, spark=self.spark)

    @property
    def next_seed(self) -> int:
        """The seed of the next version."""
        return SEEDS[len(published.versions(self.table)) % len(SEEDS)]

    @property
    def is_checkpoint_next(self) -> bool:
        """Whether a checkpoint follows the next version."""
        n = len(published.versions(self.table))
        return n > 0 and n % CHECKPOINT_EVERY == 0

    def trial(self, point: Stage | Put) -> None:
        """Kill a driver at a point, run again, and look at what is there."""
        before, seed = published.versions(self.table), self.next_seed
        self.kill(point, seed)
        between = published.versions(self.table)
        published.assert_sound(self.table)  # what was killed has left nothing that others would stumble over
        outcome = self.calm_run(self.table, seed)
        is_there = len(between) > len(before)
        assert outcome.status == ("unchanged" if is_there else "published"), point
        assert published.versions(self.table) == [*before, len(before)], point
        published.assert_sound(self.table)
        assert published.rows(self.table) == self.expected[seed], point
        self.n_killed += 1
        self.n_published += is_there

    def kill(self, point: Stage | Put, seed: int) -> None:
        """Let a driver publish until it dies at the point."""
        stage = point if isinstance(point, Stage) else Stage("none", "before")
        command = [sys.executable, str(SCRIPT), json.dumps(self.config(self.table, seed)), *stage]
        driver: list[subprocess.Popen[str]] = []
        with self.met_by(point, driver) as reached:
            pipe = subprocess.PIPE
            driver.append(subprocess.Popen(command, start_new_session=True, stdout=pipe, stderr=pipe, text=True))
            try:
                out, errors = driver[0].communicate(timeout=300)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(driver[0].pid, signal.SIGKILL)
        assert driver[0].returncode == -signal.SIGKILL, (point, out, errors[-2000:])
        assert reached or "reached" in out, point

    @contextmanager
    def met_by(self, point: Stage | Put, driver: list[subprocess.Popen[str]]) -> Iterator[list[Request]]:
        """Have the proxy kill a driver at a request; gives a list that then has it."""
        reached = list[Request]()
        if isinstance(point, Stage):
            yield reached
            return
        assert self.s3 is not None
        fault = Fault(lost=point.lost, act=lambda: os.killpg(driver[0].pid, signal.SIGKILL))
        n_seen = 0

        def rule(request: Request) -> Fault | None:
            nonlocal n_seen
            if request.method != "PUT" or point.key not in request.path:
                return None
            n_seen += 1
            if n_seen != point.n:
                return None
            reached.append(request)
            return fault

        with self.s3.proxy.obeying(rule):
            yield reached

    def told(self, seconds: float) -> str:
        """What trials that have held come to, in a line."""
        n_rows, n_versions = len(published.rows(self.table)), len(published.versions(self.table))
        return (
            f"\n{self.n_killed} drivers killed in {seconds:.0f} s, {self.n_published} of them after their commit:"
            f" {n_versions} versions, {n_rows} rows in the newest, 0 lost, 0 twice, 0 partly there"
        )
