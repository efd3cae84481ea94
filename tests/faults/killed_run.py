"""Publish, and die at a point: python killed_run.py CONFIG_JSON STAGE before|after|SECONDS

Dying is SIGKILL for this process and its JVM: nothing is cleaned up. A number is the seconds after the stage's begin.
With the stage "none" only somebody else ends it. Every second version is followed by a checkpoint.
"""

from __future__ import annotations

import json
import sys

from killed_ingest import Dying
from small_table import ALLOWED

from traintable.config.dataset import Config
from traintable.delta import write_version as commit
from traintable.run import run
from traintable.spark.session import JAVA_OPTIONS, get_spark

CHECKPOINT_EVERY = 2


def main(config: str, stage: str, when: str) -> None:
    """Publish and die."""
    commit._CHECKPOINT_EVERY = CHECKPOINT_EVERY
    settings = Config.model_validate(json.loads(config))
    get_spark("killed", spark__driver__extraJavaOptions=f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    outcome = run(settings, allow=ALLOWED, progress=Dying(stage, when))
    print(json.dumps({"status": outcome.status, "version": outcome.version}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
