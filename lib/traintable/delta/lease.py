"""The right to write to a table, which one writer has at a time, and which passes on when that one is gone."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from traintable.addresses import is_catalog_name, is_remote, is_s3, sibling
from traintable.delta.log import parse_object
from traintable.errors import LeaseLost, TableBusy, TraintableError
from traintable.storage.folder import Folder, folder

TTL_SECONDS = 60.0  # without a sign of life, after which a lease passes on
WAIT_SECONDS = 3600.0
_ENDING = ".json"
_KEPT = 8  # leases of the past, for people to look at


@dataclass
class Lease:
    """The right to write to a table.

    Attributes
    ----------
    token : greater than that of any lease of the table before (fencing); 0 where the table needs none.
    """

    table: str
    token: int
    _store: Folder | None = None
    _holder: dict[str, Any] = field(default_factory=dict)
    _ttl: float = 0.0
    _beat: int = 0
    _alive: float = field(default_factory=time.monotonic)  # when the last sign of life began to be given
    _ended: threading.Event = field(default_factory=threading.Event)

    def require(self) -> None:
        """Raise LeaseLost unless this is still the newest lease, and has given a sign of life not long ago."""
        if self._store is None:
            return
        since = time.monotonic() - self._alive
        newest = newest_of(self._store)
        if newest == self.token and since < self._ttl / 2:
            return
        raise LeaseLost(
            where=f"table {self.table}",
            expected=f"to hold the lease {self.token} on it",
            found=f"lease {newest} of another writer" if newest != self.token else f"no sign of life for {since:.0f} s",
            remedy="Nothing was published. Run again; where it happens often, find out why this machine stands still.",
        )

    def _live(self, store: Folder) -> None:
        """Give a sign of life now and then, until the end."""
        while not self._ended.wait(self._ttl / 6):
            began = time.monotonic()
            try:
                self._beat += 1
                store.write(_name(self.token), _content(self._holder, self._beat))
                self._alive = began
            except (TraintableError, OSError):  # the next may succeed; `require` raises when none does
                continue

    def _end(self, store: Folder, thread: threading.Thread) -> None:
        self._ended.set()
        thread.join()
        with suppress(TraintableError, OSError):  # it runs out then; what the body has done or raised stands
            store.write(_name(self.token), _content(self._holder, self._beat, is_over=True))
            for name in store.names():
                if name < _name(self.token - _KEPT + 1):
                    store.remove(name)


@contextmanager
def lease(table: str, *, ttl_seconds: float = TTL_SECONDS, wait_seconds: float = WAIT_SECONDS) -> Iterator[Lease]:
    """Hold the lease on a table (`<table>_lease` lies beside it) while the body runs.

    Waits while another writer holds it. That one is taken to be gone when it has given no sign of life for
    `ttl_seconds`, by this machine's clock alone, so the clocks need not agree; or at once,
    when it was a process of this machine that has ended. Of those who wait, the one that makes the next file is next.
    Raises TableBusy after `wait_seconds`. A table of a catalog, or in another kind of storage, has no lease, for there
    Delta lets one of several commits win by itself.

    After Burrows, "The Chubby lock service" (2006): a lease with a sequencer, which `Lease.require` checks.
    """
    if is_catalog_name(table) or (is_remote(table) and not is_s3(table)):
        yield Lease(table, 0)
        return
    store = folder(sibling(table, "lease"))
    holder = {"owner": secrets.token_hex(8), "host": socket.gethostname(), "process": os.getpid()}
    holder |= {"started": _started(os.getpid()), "ttl_seconds": ttl_seconds}
    holder |= {"since": datetime.now(timezone.utc).isoformat()}
    held = _acquire(store, table, holder, ttl_seconds, wait_seconds)
    thread = threading.Thread(target=held._live, args=(store,), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        held._end(store, thread)


def _acquire(store: Folder, table: str, own: dict[str, Any], ttl: float, wait: float) -> Lease:
    start = seen_at = time.monotonic()
    seen: tuple[int, bytes | None] = (0, None)
    while True:
        newest = newest_of(store)
        content = store.read(_name(newest)) if newest else None
        now = time.monotonic()
        if (newest, content) != seen:
            seen, seen_at = (newest, content), now
        holder = _parse_holder(content)
        if newest == 0 or holder.get("over") is True or _is_gone(holder) or now - seen_at > _ttl(holder, ttl):
            began = time.monotonic()
            if store.create(_name(newest + 1), _content(own, 0)):
                return Lease(table, newest + 1, store, own, ttl, _alive=began)
            continue
        if now - start >= wait:
            raise _busy(table, holder, wait)
        time.sleep(min(1.0, _ttl(holder, ttl) / 10, wait - (now - start)))


def newest_of(store: Folder) -> int:
    """The number of the newest lease; 0 where there was none."""
    return int(max(store.names(), default="0").removesuffix(_ENDING))


def _name(number: int) -> str:
    return f"{number:020}{_ENDING}"


def _content(holder: dict[str, Any], beat: int, *, is_over: bool = False) -> bytes:
    return json.dumps({**holder, "beat": beat, "over": is_over}).encode()


def _parse_holder(content: bytes | None) -> Mapping[str, Any]:
    """Who holds a lease, as its file says; nothing where it says nothing that can be read."""
    return parse_object((content or b"").decode(errors="replace"))


def _ttl(holder: Mapping[str, Any], otherwise: float) -> float:
    """How long the holder may be silent: what it has said itself, for it counts on that."""
    seconds = holder.get("ttl_seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else otherwise


def _is_gone(holder: Mapping[str, Any]) -> bool:
    """Whether the holder was a process of this machine that has ended."""
    process, started = holder.get("process"), holder.get("started")
    if holder.get("host") != socket.gethostname() or not isinstance(process, int) or started is None:
        return False
    return bool(_started(process) != started)


def _started(process: int) -> str | None:
    """When a process of this machine began, in terms that no other process shares; None where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as boot, open(f"/proc/{process}/stat") as stat:
            state, *fields = stat.read().rpartition(")")[2].split()
            has_ended = state in ("Z", "X")  # and only its parent has not taken notice
            return None if has_ended else f"{boot.read().strip()}/{fields[18]}"
    except OSError:
        return None


def _busy(table: str, holder: Mapping[str, Any], wait: float) -> TableBusy:
    return TableBusy(
        where=f"table {table}",
        expected=f"the lease on it within {wait:.0f} s",
        found=f"it held by process {holder.get('process')} on {holder.get('host')} since {holder.get('since')}",
        remedy="Wait until that process has finished, or end it: the lease passes on when it is gone.",
    )
