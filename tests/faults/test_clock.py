"""A driver whose clock is a day off publishes to a table while another one does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import published
import pytest
from drivers import driver
from publish_kills import Trials
from pyspark.sql import SparkSession

from clocks import environment_off_by

DAY, N_ROUNDS = 86400, 3
SEEDS_IN_TURN = ((1, 2), (3, 4))  # so that neither finds that nothing has changed


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_both_publish_and_nothing_is_lost(tmp_path: Path, spark: SparkSession, seconds: int) -> None:
    trials, start = Trials(tmp_path, str(tmp_path / "t"), spark), time.monotonic()
    trials.prepare((1, 2, 3, 4))
    with driver(tmp_path, environment=environment_off_by(seconds, tmp_path)) as off, ThreadPoolExecutor(1) as pool:
        for number in range(N_ROUNDS):
            there_seed, here_seed = SEEDS_IN_TURN[number % 2]
            away = pool.submit(off.publish, trials.config(trials.table, there_seed))
            here = trials.calm_run(trials.table, here_seed)
            told = away.result(timeout=300)
            assert (here.status, told["status"]) == ("published", "published"), told
            assert sorted([here.version, told["version"]]) == [2 * number, 2 * number + 1]
            published.assert_sound(trials.table)
            for version, seed in ((told["version"], there_seed), (here.version, here_seed)):
                assert published.rows(trials.table, version) == trials.expected[seed]
    names = [manifest["run_id"][:8] for manifest in published.manifests(trials.table)]
    assert len(set(names)) > 1  # the days that the two take it to be
    print(f"\n{len(names)} versions in {time.monotonic() - start:.0f} s by two drivers whose clocks are a day apart")
