"""Pins: versions of a training table that somebody still needs, by name, and that stay readable."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from traintable.addresses import is_remote, sibling
from traintable.delta.lease import lease
from traintable.delta.log import add_commit, commit_info, commit_name
from traintable.delta.manifest import manifest_json
from traintable.delta.properties import KEEP_HISTORY
from traintable.delta.versions import TableVersion, table_folder, table_versions
from traintable.errors import ConfigError, InputMissing, TraintableError
from traintable.storage.folder import Folder, folder


class VersionPin(TypedDict):
    """A file of JSON in `<table>_pins`: who needs which version, since when (ISO, UTC), and what it is.

    `content_hash` and `model` are those of the version's manifest; `copies` the places of its deep copies.
    """

    by: str
    note: str
    version: int
    at: str
    content_hash: str | None
    model: str | None
    copies: list[str]


def pin_version(table: str, version: int, *, by: str, note: str = "", copy: str | None = None) -> VersionPin:
    """Keep a version of a table readable, for what `by` names: a training run, say.

    `vacuum` keeps the files of pinned versions. So that VACUUM of Spark or deltalake keeps them too, and no writer
    removes their commits, the table gets the properties `delta.properties.KEEP_HISTORY` if it has others: a commit that
    changes no row. (Who gives VACUUM a shorter time, and turns off its check of it, removes them all the same.) `copy`
    names a place for a deep copy: a table of its own that holds this version only, byte by byte. To pin the same again
    changes nothing, or adds a copy, or completes one that was interrupted.

    Returns the pin. Raises InputMissing for a version that is not there, or not with all its files, and ConfigError for
    a name that pins another version, or a place that is taken. Costs the log, a list of the files, and what is copied.
    """
    if not by.strip():
        raise _unusable("by", "the name of what needs the version", "none", "Name the training run, or yourself.")
    files = table_folder(table)
    copy = os.path.abspath(copy) if copy is not None and not is_remote(copy) else copy
    with lease(table) as held:
        names = set(files.names())
        versions = list(table_versions(files, names))
        wanted = _require_whole(table, version, versions, names)
        new = _new_pin(wanted, by, note)
        store = _pins_of(table)
        old = _read(store, _name(by)) or new
        if old["version"] != version:
            raise _unusable(
                f"pin '{by}' of table {table}",
                "one version for each name",
                f"version {old['version']}, which it pins",
                f"Unpin it first: traintable unpin {table} --by '{by}'.",
            )
        pinned = old
        if copy is not None and copy not in old["copies"]:
            require_free(copy)
            pinned = {**old, "copies": [*old["copies"], copy]}
        held.require()
        store.write(_name(by), json.dumps(pinned, indent=1).encode())
        _keep_history(files, versions[-1])
        if copy is not None:
            copy_version(files, wanted, copy)
        return pinned


def unpin_version(table: str, by: str) -> VersionPin:
    """Remove the pin of this name, and return it; deep copies stay. InputMissing when there is none."""
    store = _pins_of(table)
    with lease(table):
        pinned = _read(store, _name(by))
        if pinned is None:
            known = ", ".join(f"'{other['by']}'" for other in list_pins(table)) or "none"
            raise InputMissing(
                where=f"table {table}", expected=f"a pin by '{by}'", found=known, remedy="Check the name."
            )
        store.remove(_name(by))
        return pinned


def list_pins(table: str) -> list[VersionPin]:
    """The pins of a table, by version and name; costs a small file for each."""
    store = _pins_of(table)
    known = [pin for name in store.names() if (pin := _read(store, name)) is not None]
    return sorted(known, key=lambda pin: (pin["version"], pin["by"]))


def _pins_of(table: str) -> Folder:
    table_folder(table)  # refuses what can't be listed
    return folder(sibling(table, "pins"))


def _name(by: str) -> str:
    return f"{quote(by, safe='')}.json"


def _read(store: Folder, name: str) -> VersionPin | None:
    content = store.read(name)
    if content is None:
        return None
    try:
        pin: VersionPin = json.loads(content)
        return {
            **pin,
            "version": int(pin["version"]),
            "by": str(pin["by"]),
            "copies": list(pin["copies"]),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise TraintableError(
            where=f"pin {store.address}/{name}",
            expected="JSON with by, version and copies",
            found="something else",
            remedy="Remove the file, and pin the version again.",
        ) from error


def _new_pin(version: TableVersion, by: str, note: str) -> VersionPin:
    manifest = version.manifest
    return {
        "by": by,
        "note": note,
        "version": version.number,
        "at": datetime.now(timezone.utc).isoformat(),
        "content_hash": manifest.get("content_hash") if manifest else None,
        "model": version.model,
        "copies": [],
    }


def _require_whole(table: str, number: int, versions: list[TableVersion], names: set[str]) -> TableVersion:
    by_number = {version.number: version for version in versions}
    if number not in by_number:
        raise InputMissing(
            where=f"table {table}",
            expected=f"its version {number}",
            found=f"versions {versions[0].number} to {versions[-1].number}",
            remedy="traintable history lists them.",
        )
    gone = sorted(set(by_number[number].files) - names)
    if gone:
        raise InputMissing(
            where=f"table {table} version {number}",
            expected=f"its {len(by_number[number].files)} files",
            found=f"{len(gone)} of them gone, such as {gone[0]}",
            remedy="Pin a version that is whole; this one can't be read any more.",
        )
    return by_number[number]


def _keep_history(files: Folder, newest: TableVersion) -> None:
    """Give the table the properties by which others keep its files and its log, where it has them not."""
    configuration = newest.metadata.get("configuration") or {}
    if not configuration.items() >= KEEP_HISTORY.items():
        info = commit_info("SET TBLPROPERTIES", operationParameters={"properties": json.dumps(KEEP_HISTORY)})
        metadata = {**newest.metadata, "configuration": {**configuration, **KEEP_HISTORY}}
        add_commit(files, newest.number + 1, [info, {"metaData": metadata}])


def _unusable(where: str, expected: str, found: str, remedy: str) -> ConfigError:
    return ConfigError(where=where, expected=expected, found=found, remedy=remedy)


def require_free(address: str) -> None:
    """Raise ConfigError where a copy can't go, for something is there."""
    names = table_folder(address).names()
    if names:
        raise ConfigError(
            where=f"copy {address}",
            expected="a place where nothing is",
            found=f"{len(names)} files, such as {names[0]}",
            remedy="Name another place, or move that away.",
        )


def copy_version(files: Folder, version: TableVersion, address: str) -> None:
    """Copy the version's files byte by byte, then name them in one commit, with the version's manifest.

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
    metadata = {} if version.manifest is None else {"userMetadata": manifest_json(version.manifest)}
    adds = [{"add": {**add, "dataChange": True}} for _, add in sorted(version.files.items())]
    info = commit_info("CLONE", **metadata)
    add_commit(target, 0, [info, {"protocol": version.protocol}, {"metaData": version.metadata}, *adds])
