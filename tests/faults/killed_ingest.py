"""Land, and die at a point: python killed_ingest.py CONFIG_JSON STAGE before|after|SECONDS [INTERVAL]

Dying is SIGKILL for this process and its JVM: nothing is cleaned up. A number is the seconds after the stage's begin.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from traintable.config.ingest import IngestConfig
from traintable.ingest.job import ingest
from traintable.spark.progress import Progress
from traintable.spark.session import JAVA_OPTIONS, get_spark


def die() -> None:
    """End the whole process group."""
    print("reached", flush=True)
    os.killpg(0, signal.SIGKILL)


class Dying(Progress):
    """Dies at a point of a stage."""

    def __init__(self, stage: str, when: str) -> None:
        super().__init__(quiet=True)
        self.point, self.when = stage, when

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        here = name.startswith(self.point)
        if here and self.when == "before":
            die()
        if here and self.when not in ("before", "after"):
            threading.Timer(float(self.when), die).start()
        with super().stage(name):
            yield
        if here and self.when == "after":
            die()


def main(config: str, stage: str, when: str, interval: str | None = None) -> None:
    """Land and die."""
    settings = IngestConfig.model_validate(json.loads(config))
    if stage not in ("list", "begin"):  # these are over before Spark is needed
        get_spark("killed", spark__driver__extraJavaOptions=f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    ingest(settings, interval=interval, progress=Dying(stage, when))


if __name__ == "__main__":
    main(*sys.argv[1:])
