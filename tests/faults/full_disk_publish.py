"""Publish to a file system that is full in one stage after another: python full_disk_publish.py FOLDER

To be run in a mount namespace of its own, for a small file system is mounted at FOLDER/disk. Prints a line of JSON for
each run to a full disk, and one of how many versions and rows there are in the end; fails when they are not right.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import published
from full_disk_ingest import MEGABYTES, Full
from publish_kills import Trials
from small_table import ALLOWED

from traintable.config.dataset import Config
from traintable.errors import TraintableError
from traintable.run import run
from traintable.spark.session import JAVA_OPTIONS, get_spark

# How many pages are left free when a stage begins.
CASES = (
    ("publish", (0, 4, 7, 10, 13, 16)),
    ("gate", (0, 3, 12)),
    ("account for rows", (0, 4)),
    ("read, join", (0, 8)),
)


def attempt(trials: Trials, seed: int, progress: Full) -> dict[str, Any]:
    """What comes of a run to a full disk, after which there is room again."""
    settings = Config.model_validate(trials.config(trials.table, seed))
    try:
        outcome = run(settings, allow=ALLOWED, spark=trials.spark, progress=progress)
    except TraintableError as error:
        return {"exit_code": error.exit_code, "message": str(error)}
    except Exception as error:
        return {"exit_code": None, "message": f"{type(error).__name__}: {error}"}
    finally:
        progress.ballast.unlink(missing_ok=True)
    return {"exit_code": 0, "message": outcome.status}


def main(folder: Path) -> None:
    """A trial of each stage and number of free pages."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(disk)], check=True)
    spark = get_spark("full disk", spark__driver__extraJavaOptions=f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    trials = Trials(folder, str(disk / "t"), spark, beside=disk / "beside")
    trials.prepare()
    for stage, free in CASES:
        for n_free in free:
            before, seed = published.versions(trials.table), trials.next_seed
            told = attempt(trials, seed, Full(disk, stage, n_free))
            print(json.dumps({"stage": stage, "n_free": n_free, **told}), flush=True)
            between = published.versions(trials.table)
            assert between == before or told["exit_code"] == 0
            published.assert_sound(trials.table)
            trials.calm_run(trials.table, seed)
            assert published.versions(trials.table) == [*before, len(before)]
            published.assert_sound(trials.table)
            assert published.rows(trials.table) == trials.expected[seed]
    n_versions, n_rows = len(published.versions(trials.table)), len(published.rows(trials.table))
    print(json.dumps({"versions": n_versions, "rows": n_rows}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
