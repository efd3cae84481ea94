"""A writer is killed at each request by which it changes something on S3; whoever publishes next finds all in order."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import pytest
from many_writers import Watched, publish
from test_many_writers import SCRIPT, assert_kept, found_in

from servers.fixtures import S3
from servers.proxy import Fault, Request
from traintable.delta import write_version as commit

Moment: TypeAlias = Literal["request", "body", "reply"]
CHANGES = ("PUT", "POST", "DELETE")


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put into a log by this process is remembered, too."""
    monkeypatch.setattr(commit, "folder", lambda address: Watched(address, is_safe=True))


def kill_at(n: int, moment: Moment, kill: Callable[[], object], seen: list[Request]) -> Callable[[Request], Any]:
    """The rule that at the n-th change a writer is killed."""

    def rule(request: Request) -> Fault | None:
        if request.method not in CHANGES:
            return None
        seen.append(request)
        return Fault(lost=moment, act=kill) if len(seen) == n else None

    return rule


def publish_until_killed(table: str, s3: S3, n: int, moment: Moment) -> str | None:
    """Let a writer die at its n-th change; gives the key that this was of, or None where it has fewer to make."""
    seen, writer = list[Request](), list[subprocess.Popen[str]]()
    with s3.proxy.obeying(kill_at(n, moment, lambda: os.killpg(writer[0].pid, signal.SIGKILL), seen)):
        command = [sys.executable, str(SCRIPT), table, f"killed-{n}-{moment}", "1", "leased", "1"]
        pipe = subprocess.PIPE
        writer.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True))
        _, errors = writer[0].communicate(timeout=120)
    if writer[0].returncode == 0 and len(seen) < n:
        return None
    assert writer[0].returncode == -signal.SIGKILL, errors[-2000:]
    return f"{seen[-1].method} {seen[-1].path.partition('/t')[2]}"


def carry_out(s3: S3, points: Iterable[tuple[int, Moment]]) -> list[str]:
    """Kill a writer at each point, with a calm version after it; gives the keys at whose change it was killed."""
    table, keys, n_there = f"s3a://{s3.new_bucket()}/t", list[str](), 0
    done = [publish(table, "calm", "leased")]
    for n, moment in points:
        key = publish_until_killed(table, s3, n, moment)
        if key is None:
            break
        keys.append(key)
        began = time.monotonic()
        done.append(publish(table, f"calm-{n}-{moment}", "leased"))
        assert time.monotonic() - began < 5  # the lease of one that was killed passes on at once
        found = found_in(table, done)
        killed = {run: count for run, count in found.runs.items() if run.startswith("killed")}
        n_new = sum(killed.values()) - n_there
        assert n_new in (0, 1)
        if "_delta_log/0" in key and key.endswith(".json"):
            assert n_new == (moment == "reply"), key
        n_there += n_new
        assert max(found.runs.values()) == 1
        assert_kept(found, others=killed)
    print(f"\n{len(keys)} writers killed, {n_there} of them after their commit: 0 versions lost, twice or partly there")
    return keys


def test_at_the_entry_of_the_log(s3: S3) -> None:
    keys = carry_out(s3, [(5, "request"), (5, "body"), (5, "reply")])
    assert all("_delta_log/0" in key for key in keys)
    assert len(keys) == 3


def test_in_the_midst_of_a_data_file(s3: S3) -> None:
    [key] = carry_out(s3, [(3, "body")])
    assert "/split=" in key


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["request", "body", "reply"])
def test_at_each_change(s3: S3, moment: Moment) -> None:
    keys = carry_out(s3, ((n, moment) for n in itertools.count(1)))
    print(*keys, sep="\n")
    for kind in ("_lease/", "/split=", "_delta_log/0", "checkpoint.parquet", "_last_checkpoint"):
        assert any(kind in key for key in keys), kind
