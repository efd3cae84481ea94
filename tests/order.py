"""Which test files share a process of `make test`, and which come first.

The first run of the main job, or the first extraction, takes a session four times as long as the next one, for Java has
loaded and compiled nothing yet. So all files that run the main job go to one process, where they also share what it has
published, and all that extract to the other. The files of the other rooms go to whichever process is free, those that
take longest first: a long file that is begun last would keep the other process waiting.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent

# Patterns of files under tests/, in the order in which they are begun.
TOGETHER = {
    "the main job": (
        *("test_cluster.py", "faults/test_publish_kills.py", "run/*", "reading/*", "cli/test_bad_input.py"),
        *("cli/test_commands.py", "test_notebook.py", "faults/test_lost_replies.py", "faults/test_skew.py"),
    ),
    "extraction": ("ingest/*", "faults/test_ingest_kills.py", "faults/test_restarted_postgres.py"),
}
LONGEST = (
    *("prepare/test_every_stage.py", "delta/*", "publish/*", "test_examples.py", "sample/*", "quality/*"),
    *("split/*", "statistics/test_scan.py", "prepare/*", "analyse/*", "statistics/*"),
)


def group_of(file: str) -> str:
    """The files that a file shares a process with; by itself unless it is listed."""
    return next((name for name, patterns in TOGETHER.items() if _rank(file, patterns) < len(patterns)), file)


def rank_of(file: str) -> int:
    """The lower, the earlier."""
    return _rank(file, [pattern for patterns in (*TOGETHER.values(), LONGEST) for pattern in patterns])


def _rank(file: str, patterns: Any) -> int:
    return next((i for i, pattern in enumerate(patterns) if fnmatch(file, pattern)), len(patterns))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest, and leave the order within a file."""
    items.sort(key=lambda item: rank_of(item.path.relative_to(TESTS).as_posix()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out files, or those that go together, one after another to the process that is free."""
    from xdist.scheduler.loadfile import LoadFileScheduling

    class GroupScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(super()._split_scope(nodeid).removeprefix("tests/"))

    return GroupScheduling(config, log)
