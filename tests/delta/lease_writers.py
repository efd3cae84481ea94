"""Writers that want one lease: python lease_writers.py ADDRESS FILE N count|bare|hold

`count` adds one to the number in FILE, N times, reading, waiting and writing, each time with the lease;
`bare` does so without. `hold` takes
the lease, says so, and keeps it until it is killed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from traintable.delta.lease import Lease, lease

TTL_SECONDS = 3.0


def count(path: Path, held: Lease | None = None) -> None:
    """Add one to the number in a file."""
    found = int(path.read_text())
    time.sleep(0.005)
    if held is not None:
        held.require()
    new = path.with_name(f"{path.name}-{os.getpid()}")
    new.write_text(str(found + 1))
    new.replace(path)


def main(address: str, file: str, n: str, what: str) -> None:
    """Do as asked."""
    path = Path(file)
    for _ in range(int(n)):
        if what == "bare":
            count(path)
            continue
        with lease(address, ttl_seconds=TTL_SECONDS, wait_seconds=120) as held:
            if what == "hold":
                print(held.token, flush=True)
                time.sleep(600)
            count(path, held)


if __name__ == "__main__":
    main(*sys.argv[1:])
