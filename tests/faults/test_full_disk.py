"""A disk that is full while rows, bad records, the merged table or the ledger are written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from traintable.ingest.ledger import Ledger
from traintable.ingest.listing import ListedFile

SCRIPT = Path(__file__).with_name("full_disk_ingest.py")
STAGES = ("begin", "write rows", "keep bad records", "merge", "finish")
TABLES = ("landed", "landed_log", "landed_quarantine", "landed_ledger")


def alone() -> list[str]:
    """The command that runs another in a mount namespace of its own, in which it may mount."""
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    mount = "mount -t tmpfs -o size=1m tmpfs /mnt"
    try:
        done = subprocess.run([*command, "sh", "-c", mount], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("NOT TESTED: a full disk, for there is no `unshare` (util-linux) to mount a small one with")
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full disk, for nobody here may mount a small one: {done.stderr.strip()}")
    return command


def test_a_ledger_whose_first_write_was_cut_short_is_begun(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "ledger"))
    (tmp_path / "ledger" / "_delta_log").mkdir(parents=True)  # as it is left when there was room for the rows only
    assert ledger.states() == {}
    ledger.begin("run", "files", [ListedFile("a", "a", 1, "e")])
    assert ledger.states()["files"].open == ("run", {"a": "e"})


@pytest.mark.slow
def test_what_a_full_disk_interrupts_is_carried_on_when_there_is_room(tmp_path: Path) -> None:
    command = [*alone(), sys.executable, str(SCRIPT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    landed, runs = ([line for line in lines if ("landed" in line) is ended] for ended in (True, False))
    assert {trial["landed"] for trial in landed} == set(STAGES)
    for run in runs:
        message = str(run["message"])
        if run["exit_code"] == 0 and run["n_free"]:  # it was room enough
            continue
        assert run["exit_code"] == 1, run
        assert len(message.splitlines()) == 1
        assert len(message) < 600
        assert "No space left on device" in message
        assert re.search(rf"{tmp_path}/disk/trial\d/({'|'.join(TABLES)})", message), message
    failed = Counter(run["stage"] for run in runs if run["exit_code"])
    assert all(failed[stage] for stage in STAGES)
    n_rows = {part: sum(trial[part] for trial in landed) for part in ("rows", "bad")}
    print(
        f"\nfull in {failed.total()} runs {dict(failed)}: {n_rows['rows']} rows, {n_rows['bad']} bad, 0 lost, 0 twice"
    )
