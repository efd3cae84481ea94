"""A standalone Spark cluster on loopback: a master and two workers, each a process of its own.

python tests/cluster.py up      starts it and prints the master's address
python tests/cluster.py down    stops the processes that `up` started, by their ids
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from servers.processes import free_port

STATE = Path(__file__).parent.parent / "data" / "cluster.json"
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
START_SECONDS = 60


@dataclass
class Cluster:
    """Processes of a running cluster, and where its logs are."""

    folder: Path
    url: str = ""
    pids: list[int] = field(default_factory=list)

    def start(self, *, workers: int = 2, memory: str = "1g") -> None:
        """Start a master and workers of one core each, and wait until the master knows them all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port, page = free_port(), free_port()
        self.url = f"spark://127.0.0.1:{port}"
        master = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]
        self._launch("master", "org.apache.spark.deploy.master.Master", *master)
        self._wait("master", "I have been elected leader", 1)
        for i in range(workers):
            options = ["--host", "127.0.0.1", "--cores", "1", "--memory", memory, "--webui-port", str(free_port())]
            options += ["--work-dir", str(self.folder / f"work{i}")]
            self._launch(f"worker{i}", "org.apache.spark.deploy.worker.Worker", *options, self.url)
        self._wait("master", "Registering worker", workers)

    def stop(self) -> None:
        """Stop the processes, workers first."""
        for pid in reversed(self.pids):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        self.pids = []

    def _launch(self, name: str, main_class: str, *options: str) -> None:
        environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "512m"}
        environment["SPARK_DAEMON_JAVA_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [str(SPARK_CLASS), main_class, *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self.pids.append(process.pid)

    def _wait(self, name: str, text: str, times: int) -> None:
        log, deadline = self.folder / f"{name}.log", time.monotonic() + START_SECONDS
        while log.read_text(errors="replace").count(text) < times:
            if time.monotonic() > deadline:
                self.stop()
                raise TimeoutError(f"{name} did not say {text!r} within {START_SECONDS} s; see {log}")
            time.sleep(0.2)


def main(action: str) -> None:
    """Start or stop the cluster of this checkout."""
    if action == "up":
        if STATE.exists():
            sys.exit(f"already up: {json.loads(STATE.read_text())['url']} (make cluster-down stops it)")
        cluster = Cluster(STATE.with_name("cluster"))
        cluster.start()
        STATE.write_text(json.dumps({"url": cluster.url, "pids": cluster.pids}))
        print(cluster.url)
    elif STATE.exists():
        state = json.loads(STATE.read_text())
        Cluster(STATE.with_name("cluster"), state["url"], state["pids"]).stop()
        STATE.unlink()
    else:
        print("not up", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
