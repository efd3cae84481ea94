"""Processes that publish to one table at once: what one was told is published is there, once, as it was put."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from servers.fixtures import S3
from traintable.delta.commits import storage_options
from traintable.storage.folder import folder

SCRIPT = Path(__file__).with_name("many_writers.py")
N_WRITERS, N_TIMES = 4, 6


@dataclass(frozen=True)
class Found:
    """What several writers have been told, and what is in the log after all.

    Attributes
    ----------
    published, refused : what the writers have printed.
    entries : the log's entries, by version.
    """

    table: str
    published: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    entries: dict[int, bytes]

    @property
    def runs(self) -> Counter[str]:
        """How many versions each run has in the log."""
        return Counter(run_of(entry) for entry in self.entries.values())

    @property
    def lost(self) -> list[str]:
        """The runs that were told that they are published, and are not."""
        return [one["run"] for one in self.published if not self.runs[one["run"]]]

    @property
    def overwritten(self) -> list[int]:
        """The versions whose entry is another one than a writer has put."""
        now = {version: hashlib.sha256(entry).hexdigest() for version, entry in self.entries.items()}
        return [one["version"] for one in self.published if now.get(one["version"]) != one["sha256"]]


def run_of(entry: bytes) -> str:
    """The run that an entry of the log is of."""
    told = json.loads(entry.splitlines()[0])["commitInfo"]["userMetadata"]
    return str(json.loads(told)["run_id"])


def publish_together(table: str, n_writers: int, n_times: int, how: str, endpoint: str | None = None) -> Found:
    """Let processes publish at once."""
    environment = {**os.environ, **({"AWS_ENDPOINT_URL_S3": endpoint} if endpoint else {})}
    commands = [[sys.executable, str(SCRIPT), table, f"writer{i}", str(n_times), how] for i in range(n_writers)]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) for command in commands]
    printed = []
    for writer in writers:
        out, errors = writer.communicate(timeout=1800)
        assert writer.returncode == 0, errors[-2000:]
        printed += [json.loads(line) for line in out.splitlines()]
    assert len(printed) == n_writers * n_times
    return found_in(table, printed)


def found_in(table: str, printed: list[dict[str, Any]]) -> Found:
    """What is in the log after writers have printed this."""
    log = folder(f"{table}/_delta_log")
    names = [name for name in log.names() if name.endswith(".json")]
    entries = {int(name.removesuffix(".json")): log.read(name) or b"" for name in names}
    published, refused = ([one for one in printed if ("version" in one) is is_told] for is_told in (True, False))
    return Found(table, published, refused, entries)


def assert_kept(found: Found, others: Mapping[str, int] = {}) -> None:
    """Whatever was said to be published is there once, as it was put, with its files, and of others these runs."""
    assert found.lost == []
    assert found.overwritten == []
    assert found.runs == Counter(one["run"] for one in found.published) + Counter(others)
    assert sorted(found.entries) == list(range(len(found.entries)))
    opened = DeltaTable(found.table, storage_options=storage_options(found.table))
    assert opened.version() == len(found.entries) - 1
    assert sorted(opened.to_pyarrow_table().column("id").to_pylist()) == [0, 1, 2]
    actions = [json.loads(line) for entry in found.entries.values() for line in entry.splitlines()]
    named = {action["add"]["path"] for action in actions if "add" in action}
    assert len(named) == 3 * len(found.entries)
    assert named <= set(folder(found.table).names())


def test_what_each_of_them_has_published_is_there_once(address: str) -> None:
    found = publish_together(address, N_WRITERS, N_TIMES, "leased")
    assert_kept(found)
    assert len(found.refused) <= 2  # of a machine that has stood still for seconds


def test_without_a_lease_some_are_refused_and_nothing_is_overwritten(address: str) -> None:
    found = publish_together(address, N_WRITERS, N_TIMES, "bare")
    assert_kept(found)
    assert found.refused
    print(f"\n{len(found.published)} versions by {N_WRITERS} writers without a lease, {len(found.refused)} refused")


def test_one_that_looks_and_then_puts_loses_versions(s3: S3) -> None:
    """So the tests above prove something."""
    found = publish_together(f"s3a://{s3.new_bucket()}/t", N_WRITERS, N_TIMES, "unsafe", s3.direct)
    assert found.lost
    assert found.overwritten
    print(f"\n{len(found.lost)} of {len(found.published)} versions lost by writers that look and then put")


@pytest.mark.slow
@pytest.mark.parametrize("n_rounds", [10])
def test_eight_writers_in_ten_rounds(s3: S3, n_rounds: int) -> None:
    for number in range(n_rounds):
        start = time.monotonic()
        found = publish_together(f"s3a://{s3.new_bucket()}/t", 8, 50, "leased", s3.direct)
        assert_kept(found)
        print(
            f"\nround {number}: {len(found.published)} versions by 8 writers in {time.monotonic() - start:.0f} s,"
            f" {len(found.refused)} refused, 0 lost, 0 twice, 0 entries overwritten",
            flush=True,
        )
