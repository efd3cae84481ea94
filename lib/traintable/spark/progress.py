"""Progress on standard error: the name of each stage, and on a terminal a bar from Spark's own status."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from traintable.spark.plans import active_tasks

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BAR_WIDTH = 24
POLL_SECONDS = 0.25


class Progress:
    """Shows the stages of a run. On a terminal one line is redrawn in place; elsewhere each stage ends with a line.

    Attributes
    ----------
    spark : the session whose tasks the bar shows; None until it is started.
    seconds : how long each stage took.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.spark: SparkSession | None = None
        self.seconds: dict[str, float] = {}
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show the stage `name` while the body runs, then the seconds it took."""
        start, done = time.monotonic(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(name, start, done), daemon=True)
        if self._terminal and not self._quiet:
            watcher.start()
        ending = "  failed"
        try:
            yield
            ending = ""
        finally:
            done.set()
            if watcher.is_alive():
                watcher.join()
            self.seconds[name] = round(time.monotonic() - start, 1)
            self._print(f"  {name:<28} {self.seconds[name]:6.1f} s{ending}")

    def note(self, text: str) -> None:
        """Show a line of its own."""
        self._print(text)

    def _print(self, text: str) -> None:
        if not self._quiet:
            print(f"\r\x1b[2K{text}" if self._terminal else text, file=sys.stderr, flush=True)

    def _watch(self, name: str, start: float, done: threading.Event) -> None:
        while not done.wait(POLL_SECONDS):
            tasks = active_tasks(self.spark) if self.spark is not None else None
            bar = progress_bar(*tasks) if tasks else " " * (BAR_WIDTH + 2)
            line = f"\r\x1b[2K  {name:<28} {time.monotonic() - start:6.1f} s  {bar}"
            print(line, end="", file=sys.stderr, flush=True)


def progress_bar(done: int, total: int) -> str:
    """A bar for `done` of `total` tasks."""
    filled = BAR_WIDTH * done // max(total, 1)
    return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done}/{total} tasks"
