"""One Spark session and one small warehouse for all tests."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "jobs"))

from traintable import cli  # noqa: E402
from traintable.config.dataset import load  # noqa: E402
from traintable.run import Outcome, run  # noqa: E402
from traintable.spark.session import JAVA_OPTIONS, get_spark  # noqa: E402

pytest_plugins = ["order", "servers.fixtures"]

# In CI the same examples every time, so that a change is judged by what it changes; elsewhere new ones in each run.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}  # a slow machine is no failure
settings.register_profile("ci", derandomize=True, **patient)
settings.register_profile("own", **patient)
settings.load_profile("ci" if os.environ.get("CI") else "own")

# The flights of three months, split so that each part has all classes.
SMALL = (
    "split.time.validation=2013-03-01",
    "split.time.test=2013-03-16",
    "gate.min_rows_per_split=100",
    'source.where="month IN (1, 2, 3)"',
)


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The session that all tests share; compiled in a hurry, for tests are short, with room for all that code.

    A run of the main job has Spark write about 200 classes, of which it keeps 100 by itself, so that the next run would
    compile all of them again: a fifth of its time.
    """
    options = f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"
    return get_spark("tests", spark__driver__extraJavaOptions=options, spark__sql__codegen__cache__maxEntries="3000")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of Delta tables: the flights and the weather of January to March 2013, all planes and airports."""
    from flights_warehouse import build

    folder = tmp_path_factory.mktemp("project") / "data" / "warehouse"
    build(str(folder), months=range(1, 4))
    return str(folder)


@pytest.fixture(scope="session")
def small(warehouse: str) -> list[str]:
    """The overrides that make conf/flights.yaml run on the small warehouse."""
    return [f"root={Path(warehouse).parent.parent}", *SMALL]


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the main job publishes in the tests."""
    return tmp_path_factory.mktemp("training") / "flights"


@pytest.fixture(scope="session")
def published(spark: SparkSession, small: list[str], table: Path) -> Outcome:
    """The main job, run once on the small warehouse."""
    return run(load(ROOT / "conf" / "flights.yaml", [*small, f"output.table={table}"]), spark=spark)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], spark: SparkSession) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Run the command line in this process; gives exit code, the JSON line, and what went to standard error."""

    def call(*arguments: str) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        printed = capsys.readouterr()
        lines = printed.out.strip().splitlines()
        return int(stop.value.code or 0), json.loads(lines[-1]) if lines else {}, printed.err

    return call
