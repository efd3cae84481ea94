"""Land to a file system that is full in one stage after another: python full_disk_ingest.py FOLDER

To be run in a mount namespace of its own, for a small file system is mounted at FOLDER/disk. Prints a line of JSON for
each run to a full disk, and one with what was landed in the end; fails when that is not what a calm run lands.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kills import carry_on
from pyspark.sql import SparkSession
from verdicts import assert_same, assert_sound, content

from traintable.config.ingest import IngestConfig
from traintable.errors import TraintableError
from traintable.ingest.job import ingest
from traintable.spark.progress import Progress
from traintable.spark.session import JAVA_OPTIONS, get_spark

MEGABYTES, PAGE = 64, 4096
# How many pages are left free when a stage begins; each line is a trial, the first run of which finds no tables.
CASES = (
    ("begin", (0, 1)),
    ("begin", (1,)),
    ("write rows", (0, 2, 8, 20)),
    ("keep bad records", (0, 2, 8)),
    ("merge", (0, 2, 8, 20)),
    ("finish", (0, 1)),
)


class Full(Progress):
    """Fills the disk when a stage begins."""

    def __init__(self, disk: Path, stage: str, n_free: int) -> None:
        super().__init__(quiet=True)
        self.ballast, self.point, self.n_free = disk / "ballast", stage, n_free

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if name.startswith(self.point):
            self.fill()
        with super().stage(name):
            yield

    def fill(self) -> None:
        """Leave so many pages free, and no more."""
        found = os.statvfs(self.ballast.parent)
        n_pages = found.f_bavail * found.f_bsize // PAGE - self.n_free
        with self.ballast.open("wb") as file:
            if n_pages > 0:
                os.posix_fallocate(file.fileno(), 0, n_pages * PAGE)


def config(root: Path, raw: Path) -> dict[str, Any]:
    columns = {"id": {"type": "bigint"}, "t": {"type": "int"}, "name": {}, "x": {"type": "double"}}
    known = {"name": "full", "root": str(root), "columns": columns, "key": ["id"], "output": {"table": "landed"}}
    return {**known, "source": {"format": "csv", "path": str(raw)}, "load": {"merge": {"order_by": "t"}}}


def put(raw: Path, n: int, rng: random.Random) -> None:
    """A new file, and another state of an old one."""
    raw.mkdir(parents=True, exist_ok=True)
    for i in {n, rng.randrange(n + 1)}:
        ends = (f"{rng.random()},{rng.choice(['1', '2.5', 'bad'])}" for _ in range(300))
        lines = [f"{rng.randrange(1000)},{n},{end}" for end in ends]
        path = raw / f"{i}.csv"
        path.write_text("\n".join(["id,t,name,x", *lines, ""]))
        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))


def attempt(settings: IngestConfig, progress: Full) -> dict[str, Any]:
    """What comes of a run to a full disk, after which there is room again."""
    try:
        ingest(settings, progress=progress)
    except TraintableError as error:
        return {"exit_code": error.exit_code, "message": str(error)}
    except Exception as error:
        return {"exit_code": None, "message": f"{type(error).__name__}: {error}"}
    finally:
        progress.ballast.unlink(missing_ok=True)
    return {"exit_code": 0, "message": ""}


def trial(folder: Path, name: str, stage: str, free: Sequence[int], spark: SparkSession) -> None:
    """Land to a disk that is full in a stage, the first time to no tables at all; once there is room, carry on."""
    root, calm, raw = (folder / part / name for part in ("disk", "calm", "raw"))
    rng = random.Random(name)
    for n, n_free in enumerate(free):
        put(raw, n, rng)
        told = attempt(IngestConfig.model_validate(config(root, raw)), Full(folder / "disk", stage, n_free))
        print(json.dumps({"stage": stage, "n_free": n_free, **told}), flush=True)
        carry_on(config(root, raw), spark)
    carry_on(config(calm, raw), spark)
    assert_same(root, calm)
    assert_sound(root, spark)
    counts = {"rows": len(content(root / "landed")), "bad": len(content(root / "landed_quarantine"))}
    print(json.dumps({"landed": stage, **counts}), flush=True)


def main(folder: Path) -> None:
    """A trial of each stage."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(disk)], check=True)
    spark = get_spark("full disk", spark__driver__extraJavaOptions=f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    for n, (stage, free) in enumerate(CASES):
        trial(folder, f"trial{n}", stage, free, spark)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
