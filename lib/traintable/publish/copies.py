"""A deep copy: one version of a table as a table of its own."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from traintable.delta_log import commit_name
from traintable.errors import ConfigError
from traintable.publish.versions import Version, commit, info_of, table_folder
from traintable.storage import Folder


def require_free(address: str) -> None:
    """Raise ConfigError where a copy can't go, for something is there."""
    found = table_folder(address).names()
    if found:
        raise ConfigError(
            where=f"copy {address}",
            expected="a place where nothing is",
            found=f"{len(found)} files, such as {found[0]}",
            remedy="Name another place, or move that away.",
        )


def copy_version(files: Folder, version: Version, address: str) -> None:
    """Copy the version's files byte by byte, then tell of them in one commit, with the version's manifest.

    Until that commit there is no table; where it has been made, nothing is done. Holds one file at a time, on the
    local disk.
    """
    target = table_folder(address)
    if target.read(commit_name(0)) is not None:
        return
    for name in sorted(version.files):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "file")
            with files.open(name) as opened, path.open("wb") as out:
                shutil.copyfileobj(opened, out, 2**22)
            target.put(name, str(path))
    told = {} if version.manifest is None else {"userMetadata": json.dumps(version.manifest)}
    adds = [{"add": {**add, "dataChange": True}} for _, add in sorted(version.files.items())]
    commit(target, 0, [info_of("CLONE", **told), {"protocol": version.protocol}, {"metaData": version.metadata}, *adds])
