"""A disk that is full while a run writes its rows, its removed rows, its model or its version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from test_full_disk import alone

SCRIPT = Path(__file__).with_name("full_disk_publish.py")
STAGES = ("read, join", "account for rows", "gate", "publish")


@pytest.mark.slow
def test_a_version_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    command = [*alone(), sys.executable, str(SCRIPT), str(tmp_path)]
    path = os.pathsep.join([str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False, env=environment)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    for one in runs:
        print(json.dumps(one)[:400])
    assert done.returncode == 0, done.stderr[-2000:]
    total = runs.pop()
    for one in runs:
        if one["exit_code"] == 0 and one["n_free"]:  # it was room enough
            continue
        message = str(one["message"])
        assert one["exit_code"] == 1, one
        assert len(message.splitlines()) == 1
        assert len(message) < 600
        assert "No space left on device" in message
    failed = Counter(one["stage"] for one in runs if one["exit_code"])
    assert all(failed[stage] for stage in STAGES)
    print(f"\nfull in {failed.total()} runs {dict(failed)}: {total}, 0 lost, 0 twice, 0 partly there")
