"""The main job by spark-submit on a standalone cluster, from a directory that is not the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from cluster import Cluster
from drawing import draw
from traintable.run import Outcome
from traintable.spark import jars, session

ROOT = Path(__file__).parent.parent

# As in conf/spark-cluster.conf, and compiled in a hurry, for a test is short.
QUICK_START = (
    "-XX:-DontCompileHugeMethods -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"
    " -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)

# The tests run where the package is installed; a cluster has the archive of --py-files and nothing else of ours.
HIDE_THE_INSTALLED_PACKAGE = f"import sys; sys.path = [p for p in sys.path if p != {str(ROOT / 'lib')!r}]"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    running.start()
    yield running
    running.stop()


def submit(
    cluster: Cluster, folder: Path, *arguments: str, script: str = "jobs/run.py"
) -> subprocess.CompletedProcess[str]:
    """spark-submit of a script from `folder`, with copies of what a user would bring along."""
    archive = shutil.make_archive(str(folder / "traintable"), "zip", ROOT / "lib")
    for name in (script, "conf/flights.yaml", "conf/spark-cluster.conf"):
        shutil.copy(ROOT / name, folder)
    (folder / "sitecustomize.py").write_text(HIDE_THE_INSTALLED_PACKAGE)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYSPARK_PYTHON": sys.executable}
    environment |= {"SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    options = ["--master", cluster.url, "--properties-file", "spark-cluster.conf", "--py-files", archive]
    options += ["--jars", ",".join(jars.ensure()), "--driver-memory", "1g", "--executor-memory", "1g"]
    options += ["--conf", f"spark.executorEnv.PYTHONPATH={folder}", "--conf", "spark.sql.shuffle.partitions=7"]
    for process in ("driver", "executor"):
        options += ["--conf", f"spark.{process}.extraJavaOptions={QUICK_START}"]
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), *options, Path(script).name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def test_gives_the_local_content_hash(cluster: Cluster, small: list[str], published: Outcome, tmp_path: Path) -> None:
    settings = [*small, f"output.table={tmp_path}/flights"]
    arguments = [word for setting in settings for word in ("--set", setting)]
    done = submit(cluster, tmp_path, "--config", "flights.yaml", *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["status"] == "published"
    assert result["content_hash"] == published.details["content_hash"]
    assert result["rows"] == published.rows
    executors = {folder.name for work in cluster.folder.glob("work*/app-*") for folder in work.iterdir()}
    assert len(executors) == 2  # one on each worker


def kill_an_executor(cluster: Cluster, marker: Path, killed: list[int]) -> None:
    """Kill one of the cluster's executors a second after the marker is there."""
    deadline = time.monotonic() + 240
    while not marker.exists():
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
    time.sleep(1)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent in cluster.pids and b"CoarseGrainedExecutorBackend" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
                killed.append(int(folder.name))
                return


@pytest.mark.slow
def test_a_sample_is_the_same_though_an_executor_is_killed(
    cluster: Cluster, spark: SparkSession, tmp_path: Path
) -> None:
    before, marker, killed = set(cluster.folder.glob("work*/app-*/*")), tmp_path / "drawing", list[int]()
    killer = threading.Thread(target=kill_an_executor, args=(cluster, marker, killed))
    killer.start()
    done = submit(cluster, tmp_path, str(marker), script="tests/drawing.py")
    killer.join()
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(killed) == 1
    assert len(set(cluster.folder.glob("work*/app-*/*")) - before) > 2  # another executor has come in its place
    assert json.loads(done.stdout.strip().splitlines()[-1]) == list(draw(spark))


def test_submitted_settings_are_those_of_the_session() -> None:
    for name, expected in (("cluster", session.SHARED_SETTINGS), ("local", session.LOCAL_SETTINGS)):
        lines = (ROOT / "conf" / f"spark-{name}.conf").read_text().splitlines()
        settings = dict(re.split(r"\s+", line, maxsplit=1) for line in lines if line and not line.startswith("#"))
        options = settings.pop("spark.driver.extraJavaOptions")
        settings.pop("spark.executor.extraJavaOptions", None)
        assert settings == {k: v for k, v in expected.items() if k != "spark.driver.extraJavaOptions"}
        assert options in session.JAVA_OPTIONS
