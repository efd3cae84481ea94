"""Read a table over and over until standard input ends: python stream_reader.py TABLE FOLDER gated|naive

`gated` follows what the gate lets through, and writes the rows of each version to FOLDER/<place>-<version>.parquet.
`naive` opens the table as it is, and writes a line to FOLDER/naive for each new version or number of rows that it sees.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from gated_tables import counts_of
from traintable.reading import _batches as reading

POLL_SECONDS = 0.2
SPLITS = ("train", "validation", "test")


def gated(table: str, folder: Path, stop: threading.Event) -> None:
    """Follow the table."""
    for place, version in enumerate(reading.follow(table, poll_seconds=POLL_SECONDS, stop=stop)):
        parts = [batch for split in SPLITS for batch in reading.batches(table, version, split=split)]
        unfinished = folder / "unfinished"
        pq.write_table(pa.Table.from_batches(parts), unfinished)
        os.replace(unfinished, folder / f"{place}-{version}.parquet")


def naive(table: str, folder: Path, stop: threading.Event) -> None:
    """Look at the table."""
    seen = set()
    with (folder / "naive").open("w") as out:
        while not stop.wait(POLL_SECONDS):
            opened = DeltaTable(table)
            line = json.dumps([opened.version(), counts_of(opened.to_pyarrow_table(columns=["split"]))])
            if line not in seen:
                seen.add(line)
                print(line, file=out, flush=True)


def main(table: str, folder: str, how: str) -> None:
    """Read until standard input ends."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    {"gated": gated, "naive": naive}[how](table, Path(folder), stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
