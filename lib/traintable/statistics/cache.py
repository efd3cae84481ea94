"""What was learned of files is kept, so that files which are added later are all that has to be read."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from traintable.spark.plans import DataFile
from traintable.statistics.states import Statistics
from traintable.statistics.wanted import Wanted

FORMAT = 3  # raised when a state of the same wants is written otherwise


class Cache:
    """Statistics of sets of files in `folder`, one entry for a table and set of wants; safe to delete at any time.

    An entry serves a table whose files include all of its own, by path, size and time of change: the version that it
    was learned from, and any later one that has only added files. A version that has removed or rewritten a file is
    learned anew.
    """

    def __init__(self, folder: str, wanted: Wanted, types: Mapping[str, str], table: str) -> None:
        name = hashlib.sha256(repr((FORMAT, table, wanted, sorted(types.items()))).encode()).hexdigest()
        self._wanted = wanted
        self._path = Path(folder) / f"{name}.json.gz"

    def look_up(self, files: Sequence[DataFile]) -> tuple[Statistics | None, list[DataFile]]:
        """The statistics of some of the files, and the files they do not cover."""
        entry = self._read()
        seen = {tuple(identity) for identity in entry["files"]} if entry else set()
        if entry is None or not seen <= {_identity(file) for file in files}:
            return None, list(files)
        try:
            statistics = Statistics.from_dict(self._wanted, entry["state"])
        except Exception:  # whatever is wrong with what was kept, it can be learned again
            return None, list(files)
        return statistics, [f for f in files if _identity(f) not in seen]

    def _read(self) -> dict[str, Any] | None:
        try:
            entry = json.loads(gzip.decompress(self._path.read_bytes()))
        except (OSError, EOFError, ValueError, zlib.error):  # none, or one that is damaged
            return None
        return entry if isinstance(entry, dict) and entry.keys() >= {"files", "state"} else None

    def keep(self, files: Sequence[DataFile], statistics: Statistics) -> None:
        """Keep what was learned of exactly these files; a folder that can't be written keeps nothing."""
        entry = {"files": [_identity(file) for file in files], "state": statistics.to_dict()}
        data = gzip.compress(json.dumps(entry, separators=(",", ":")).encode(), compresslevel=1)
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, self._path)


def table_folder(files: Sequence[DataFile]) -> str:
    """The folder of the table that the files belong to, above those of its partitions."""
    path = Path(min((file.path for file in files), default="")).parent
    while "=" in path.name:
        path = path.parent
    return str(path)


def _identity(file: DataFile) -> tuple[Any, ...]:
    return (file.path, file.bytes, file.modified, *(text for pair in file.partition for text in pair))
