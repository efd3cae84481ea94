"""The main job by spark-submit on a standalone cluster, from a directory that is not the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from cluster import Cluster
from traintable import jars, session
from traintable.run import Outcome

ROOT = Path(__file__).parent.parent

# The tests run where the package is installed; a cluster has the archive of --py-files and nothing else of ours.
HIDE_THE_INSTALLED_PACKAGE = f"import sys; sys.path = [p for p in sys.path if p != {str(ROOT / 'lib')!r}]"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    running.start()
    yield running
    running.stop()


def submit(cluster: Cluster, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """spark-submit of jobs/run.py from `folder`, with copies of what a user would bring along."""
    archive = shutil.make_archive(str(folder / "traintable"), "zip", ROOT / "lib")
    for name in ("jobs/run.py", "conf/flights.yaml", "conf/spark-cluster.conf"):
        shutil.copy(ROOT / name, folder)
    (folder / "sitecustomize.py").write_text(HIDE_THE_INSTALLED_PACKAGE)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYSPARK_PYTHON": sys.executable}
    environment |= {"SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    options = ["--master", cluster.url, "--properties-file", "spark-cluster.conf", "--py-files", archive]
    options += ["--jars", ",".join(jars.ensure()), "--driver-memory", "1g", "--executor-memory", "1g"]
    options += ["--conf", f"spark.executorEnv.PYTHONPATH={folder}", "--conf", "spark.sql.shuffle.partitions=7"]
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), *options, "run.py", *arguments]
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


def test_submitted_settings_are_those_of_the_session() -> None:
    for name, expected in (("cluster", session.EVERYWHERE), ("local", session.LOCAL)):
        lines = (ROOT / "conf" / f"spark-{name}.conf").read_text().splitlines()
        settings = dict(re.split(r"\s+", line, maxsplit=1) for line in lines if line and not line.startswith("#"))
        options = settings.pop("spark.driver.extraJavaOptions")
        settings.pop("spark.executor.extraJavaOptions", None)
        assert settings == {k: v for k, v in expected.items() if k != "spark.driver.extraJavaOptions"}
        assert options in session.JAVA_OPTIONS
