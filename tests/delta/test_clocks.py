"""Writers whose clocks are a day off: the order of versions, and who holds the lease, is no matter of clocks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_many_writers import SCRIPT, assert_kept, found_in

from clocks import environment_off_by
from servers.fixtures import S3

DAY = 86400


def start(table: str, seconds: int, n: int, folder: Path, endpoint: str = "") -> subprocess.Popen[str]:
    """A writer whose clock is off."""
    command = [sys.executable, str(SCRIPT), table, f"off by {seconds}", str(n), "leased"]
    environment = {**environment_off_by(seconds, folder), "AWS_ENDPOINT_URL_S3": endpoint}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("clocks", [(DAY, -DAY, 0)])
def test_they_take_turns_on_disk(tmp_path: Path, clocks: tuple[int, ...]) -> None:
    table, printed = str(tmp_path / "t"), []
    for writer in [start(table, seconds, 5, tmp_path) for seconds in clocks]:
        out, errors = writer.communicate(timeout=300)
        assert writer.returncode == 0, errors[-2000:]
        printed += [json.loads(line) for line in out.splitlines()]
    found = found_in(table, printed)
    assert_kept(found)
    assert len(found.published) == 5 * len(clocks)
    times = [json.loads(entry.splitlines()[0])["commitInfo"]["timestamp"] for entry in found.entries.values()]
    assert max(times) - min(times) > 2 * 1000 * DAY - 1000 * 300


def test_s3_refuses_one_in_one_line_and_nothing_is_there(s3: S3, tmp_path: Path) -> None:
    """S3 takes no signature that is more than a quarter of an hour off."""
    table = f"s3a://{s3.new_bucket()}/t"
    right, wrong = (start(table, seconds, 3, tmp_path, s3.direct) for seconds in (0, DAY))
    out, errors = right.communicate(timeout=300)
    _, refused = wrong.communicate(timeout=300)
    assert right.returncode == 0, errors[-2000:]
    assert wrong.returncode == 1
    print(f"\n{refused.splitlines()[-1]}")
    assert "differs from the one here (RequestTimeTooSkewed). Set the clock" in refused.splitlines()[-1]
    found = found_in(table, [json.loads(line) for line in out.splitlines()])
    assert_kept(found)
    assert len(found.entries) == 3
