"""One writer of a table at a time, on a local disk and on S3: in crowds, after crashes and stand-stills."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from servers.fixtures import S3
from traintable.delta import lease as leases
from traintable.delta.lease import _name, lease, newest_of
from traintable.errors import LeaseLost, TableBusy
from traintable.storage.folder import folder

SCRIPT = Path(__file__).with_name("lease_writers.py")
N_WRITERS, N_TIMES = 4, 25


def start(address: str, file: Path, n: int, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), address, str(file), str(n), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def held_elsewhere(address: str, file: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that holds the lease, and its token."""
    process = start(address, file, 1, "hold")
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def count_together(address: str, file: Path, how: str = "count") -> int:
    """What several processes count to, each of which adds one several times."""
    file.write_text("0")
    writers = [start(address, file, N_TIMES, how) for _ in range(N_WRITERS)]
    for writer in writers:
        _, errors = writer.communicate(timeout=300)
        assert writer.returncode == 0, errors
    return int(file.read_text())


def test_writers_in_a_crowd_take_turns(address: str, tmp_path: Path) -> None:
    assert count_together(address, tmp_path / "number") == N_WRITERS * N_TIMES
    store = folder(f"{address}_lease")
    assert newest_of(store) == N_WRITERS * N_TIMES
    assert len(store.names()) <= leases._KEPT


def test_without_a_lease_they_get_into_each_other_s_way(tmp_path: Path) -> None:
    """So the test above proves something."""
    assert count_together("-", tmp_path / "number", "bare") < N_WRITERS * N_TIMES


def test_a_process_that_was_killed_is_followed_at_once(address: str, tmp_path: Path) -> None:
    with held_elsewhere(address, tmp_path / "f") as (process, token):
        busy = pytest.raises(TableBusy, match=f"process {process.pid} on {socket.gethostname()}")
        with busy, lease(address, ttl_seconds=60, wait_seconds=0.2):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with lease(address, ttl_seconds=3600, wait_seconds=5) as mine:
            assert mine.token == token + 1


def test_one_that_stands_still_loses_the_lease_and_finds_out(address: str, tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("5")
    writer = start(address, file, 1, "hold")
    assert writer.stdout is not None
    token = int(writer.stdout.readline())
    try:
        os.kill(writer.pid, signal.SIGSTOP)
        with lease(address, ttl_seconds=3600, wait_seconds=60) as mine:  # its own time to live counts, not ours
            assert mine.token == token + 1
            os.kill(writer.pid, signal.SIGCONT)
            mine.require()
    finally:
        writer.kill()
        writer.wait()


def test_a_lease_that_has_passed_on_is_not_enough(address: str) -> None:
    with lease(address) as mine:
        mine.require()
        assert folder(f"{address}_lease").create(_name(mine.token + 1), b"{}")
        with pytest.raises(LeaseLost, match=f"to hold the lease {mine.token} on it, found lease {mine.token + 1}"):
            mine.require()


def test_no_sign_of_life_is_not_enough(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with lease(address, ttl_seconds=60) as mine:
        monkeypatch.setattr(mine, "_alive", mine._alive - 31)
        with pytest.raises(LeaseLost, match="no sign of life for 31 s"):
            mine.require()


def test_what_time_a_machine_takes_it_to_be_is_of_no_account(address: str) -> None:
    """A holder on another machine, whose clock is a day off, is followed when it is silent, and not before."""
    store = folder(f"{address}_lease")
    about: dict[str, Any] = {"owner": "x", "host": "elsewhere", "process": 1, "started": "1", "ttl_seconds": 1.0}
    for since in ("2001-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"):
        number = newest_of(store) + 1
        assert store.create(_name(number), json.dumps({**about, "since": since, "beat": 0, "over": False}).encode())
        with pytest.raises(TableBusy, match="elsewhere"), lease(address, wait_seconds=0.3):
            pass
        with lease(address, wait_seconds=20) as mine:
            assert mine.token == number + 1


@pytest.mark.parametrize("table", ["main.sales.orders", "abfss://lake@account/t"])
def test_a_table_that_others_keep_writers_apart_for_needs_none(table: str) -> None:
    with lease(table) as mine:
        mine.require()
        assert mine.token == 0


def test_an_end_by_an_error_gives_the_lease_back(address: str) -> None:
    with pytest.raises(ValueError, match="mine"), lease(address):
        raise ValueError("mine")
    with lease(address, wait_seconds=0):
        pass


def test_a_lease_that_can_not_be_given_back_runs_out(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full, or S3 does not answer: what was done under it is done, and what was raised is told."""

    def fails(*_: object) -> None:
        raise OSError("full")

    with monkeypatch.context() as patch:
        patch.setattr(type(folder(address)), "write", fails)
        with lease(address, ttl_seconds=1):
            pass
        with pytest.raises(ValueError, match="mine"), lease(address, ttl_seconds=1, wait_seconds=20):
            raise ValueError("mine")
    with lease(address, wait_seconds=20) as held:
        assert held.token == 3


@pytest.mark.parametrize("content", [b"", b"no json", b"[1]"])
def test_a_lease_that_says_nothing_passes_on_in_time(tmp_path: Path, content: bytes) -> None:
    address = str(tmp_path / "t")
    assert folder(f"{address}_lease").create(_name(1), content)
    with lease(address, ttl_seconds=0.3, wait_seconds=20) as mine:
        assert mine.token == 2


def test_a_reply_that_was_lost_is_no_second_writer(s3: S3) -> None:
    """S3 has made the file, and says to the attempt that follows that it is there."""
    address = f"s3a://{s3.new_bucket()}/t"
    store = folder(f"{address}_lease")
    assert store.create(_name(1), b"mine")
    assert store.create(_name(1), b"mine")
    assert not store.create(_name(1), b"another's")
    assert store.read(_name(1)) == b"mine"


@pytest.mark.parametrize("n", [16])
def test_of_many_who_make_a_file_one_has_made_it(address: str, n: int) -> None:
    store = folder(f"{address}_lease")
    made: list[int] = []

    def make(i: int) -> Callable[[], None]:
        return lambda: made.append(i) if store.create(_name(7), str(i).encode()) else None

    threads = [threading.Thread(target=make(i)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert store.read(_name(7)) == str(made[0]).encode()


def test_of_each_of_many_files_one_of_those_who_race_is_the_maker(tmp_path: Path) -> None:
    """On a local disk, where the moment between a look and a rename is short."""
    store, made, n_files = folder(str(tmp_path / "t_lease")), list[int](), 300

    def make() -> None:
        made.extend(i for i in range(n_files) if store.create(_name(i), b"x"))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == list(range(n_files))
