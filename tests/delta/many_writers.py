"""A writer that publishes tiny versions of a table: many_writers.py TABLE NAME N leased|bare|unsafe [EVERY]

`leased` publishes as a run does: with the lease, by an entry of the log that is put where there is none. `bare`
leaves the lease out. `unsafe` leaves out the condition too: it looks whether the entry is there, and then puts it, as
Hadoop's S3A does for Delta's `S3SingleDriverLogStore`. Prints a line of JSON for each version that it takes to be
published, with the SHA-256 of the entry that it has put, and for each that was refused. A checkpoint
follows each of so many versions.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_files import SCHEMA, written
from traintable.delta import write_version as commit
from traintable.delta.data_files import DataFiles
from traintable.delta.lease import Lease, lease
from traintable.delta.table import Table
from traintable.errors import LeaseLost
from traintable.storage.folder import File, Folder, folder

TTL_SECONDS = 6.0
REQUEST_SECONDS = 0.02  # what a request to S3 takes that does not come from the same machine


class Watched:
    """A folder that remembers what was put into it last."""

    put = b""

    def __init__(self, address: str, *, is_safe: bool) -> None:
        self._files: Folder = folder(address)
        self._is_safe = is_safe

    def files(self) -> list[File]:
        """All files, as the folder has them."""
        return self._files.files()

    def create(self, name: str, content: bytes) -> bool:
        """Make a file, as the folder does, or as one would that knows no condition."""
        Watched.put = content
        if self._is_safe:
            return self._files.create(name, content)
        if self._files.read(name) is not None:
            return False
        time.sleep(REQUEST_SECONDS)
        self._files.write(name, content)
        return True


def publish(table: str, run: str, how: str) -> dict[str, object]:
    """Publish a version of three rows; what came of it."""
    files = written(table, range(3))
    taken: AbstractContextManager[Lease] = (
        lease(table, ttl_seconds=TTL_SECONDS) if how == "leased" else nullcontext(Lease(table, 0))
    )
    try:
        with taken as held:
            held.require()
            manifest = {"traintable": "0", "run_id": run}
            version = Table(table).replace_with_files(DataFiles.of_splits(files, SCHEMA), metadata=manifest)
    except LeaseLost as error:
        return {"run": run, "refused": str(error)}
    return {"run": run, "version": version, "sha256": hashlib.sha256(Watched.put).hexdigest()}


def main(table: str, name: str, n: str, how: str, every: str = "10") -> None:
    """Publish so many times."""
    commit._CHECKPOINT_EVERY = int(every)
    commit.folder = lambda address: Watched(address, is_safe=how != "unsafe")  # type: ignore[attr-defined]
    for i in range(int(n)):
        print(json.dumps(publish(table, f"{name}-{i}", how)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
