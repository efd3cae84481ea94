"""Time two ways to one result in turn, and say what each took."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import SparkSession

ROUNDS = 5
PAGE = os.sysconf("SC_PAGE_SIZE")
HEADER = (
    "| | traintable | peer | ratio of medians | ratios of pairs | Spark jobs | MB read | peak MB |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass
class Side:
    """One of the two: what it does, and what its runs took."""

    work: Callable[[], object]
    megabytes: Callable[[], float] | None = None  # of what Spark does not read itself
    seconds: list[float] = field(default_factory=list)
    jobs: int = 0
    read: float = 0.0
    peak: float = 0.0

    def run(self, spark: SparkSession) -> None:
        """Do the work once, and note what it took."""
        jobs, read = _jobs(spark), _input_bytes(spark)
        with _peak_memory() as peak:
            start = time.perf_counter()
            self.work()
            self.seconds.append(time.perf_counter() - start)
        self.jobs = _jobs(spark) - jobs
        own = self.megabytes() if self.megabytes else 0.0
        self.read = own + (_input_bytes(spark) - read) / 1e6
        self.peak = max(self.peak, peak[0] / 1e6)


def compare(spark: SparkSession, name: str, ours: Side, theirs: Side) -> None:
    """Run both in turn and print a row: medians, their ratio, and what the last round and the largest took."""
    for side in (ours, theirs):
        side.run(spark)
        side.seconds.clear()
        side.peak = 0.0
    for _ in range(ROUNDS):
        ours.run(spark)
        theirs.run(spark)
    a, b = statistics.median(ours.seconds), statistics.median(theirs.seconds)
    ratios = sorted(t / o for o, t in zip(ours.seconds, theirs.seconds, strict=True))
    print(
        f"| {name} | {a:.2f} s | {b:.2f} s | {b / a:.1f}x | {ratios[0]:.1f} to {ratios[-1]:.1f}x "
        f"| {ours.jobs} : {theirs.jobs} | {ours.read:,.0f} : {theirs.read:,.0f} "
        f"| {ours.peak:,.0f} : {theirs.peak:,.0f} |",
        flush=True,
    )


def _jobs(spark: SparkSession) -> int:
    return int(spark.sparkContext._jsc.sc().dagScheduler().nextJobId())


def _input_bytes(spark: SparkSession) -> int:
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(True)
    return sum(int(executors.apply(i).totalInputBytes()) for i in range(executors.size()))


@contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """By how many bytes this process and all it has started grow at most while the body runs."""
    start, stop = _resident(), threading.Event()
    peak = [0]

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], _resident() - start)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _resident() -> int:
    """Resident bytes of this process and its descendants."""
    parents, pages = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
            except OSError:  # it has ended
                continue
    mine = {os.getpid()}
    while found := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= found
    return PAGE * sum(pages.get(pid, 0) for pid in mine)
