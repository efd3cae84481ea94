"""A driver in a process of its own that publishes when it is asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("cluster_runs.py")


@dataclass
class Driver:
    """A driver that runs."""

    process: subprocess.Popen[str]
    log: Path

    def publish(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of a run of the configuration."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(config), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, self.log.read_text(errors="replace")[-3000:]
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def driver(folder: Path, *settings: str, environment: Mapping[str, str] | None = None) -> Iterator[Driver]:
    """Start a driver with such settings of spark-submit and, where not that of the tests, environment; and end it."""
    path = os.pathsep.join(path for path in (os.environ.get("PYTHONPATH"), str(SCRIPT.parent)) if path)
    words = [*settings, "--conf", f"spark.executorEnv.PYTHONPATH={path}", "pyspark-shell"]
    own = {**(environment or os.environ), "PYSPARK_SUBMIT_ARGS": " ".join(words), "SPARK_LOCAL_IP": "127.0.0.1"}
    own |= {"PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable}
    own.pop("PYSPARK_GATEWAY_PORT", None)
    pipe, log = subprocess.PIPE, folder / "driver.log"
    with log.open("wb") as errors:
        command = [sys.executable, str(SCRIPT)]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=own)
    try:
        yield Driver(process, log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
