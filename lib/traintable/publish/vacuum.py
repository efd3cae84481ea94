"""Remove the files that no version needs any more which is young, pinned, or the newest."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping

from typing_extensions import TypedDict

from traintable.delta.lease import lease
from traintable.delta.log import checksum_name, is_log_file
from traintable.delta.versions import TableVersion, table_folder, table_versions
from traintable.errors import ConfigError, InputMissing
from traintable.publish.version_pins import list_pins
from traintable.storage.folder import File, Folder, is_unfinished

WEEK_HOURS = 168.0
ORPHAN_HOURS = 24.0


class FileSum(TypedDict):
    """How many files there are of some kind, and how many bytes they have."""

    files: int
    bytes: int


class KeptByPin(FileSum):
    """The files that only a pin keeps, and the version that it pins."""

    version: int


class UnreadableVersion(TypedDict):
    """A version whose files are not all there, and the model that was fitted on it."""

    version: int
    model: str | None


class VacuumResult(TypedDict):
    """What the JSON line of the command says."""

    status: str
    table: str
    removed: FileSum
    orphans: FileSum
    kept: dict[str, KeptByPin]
    unreadable: list[UnreadableVersion]
    dry_run: bool


def vacuum(table: str, *, retain_hours: float = WEEK_HOURS, dry_run: bool = False) -> VacuumResult:
    """Remove data files of old versions, and those that no version names, with the lease on the table.

    Kept is what these need: the newest version; versions that were the newest less than `retain_hours` ago, for who
    began to read one then may still be reading it; pinned versions. A file that no version names was left by a writer
    that crashed, or is being written now by one that takes no lease (those that do are kept out by it): it goes when
    it is older than `retain_hours` and than 24 hours, which no publishing takes, and no clocks are apart. The log stays
    whole, so manifests of all versions can still be read.

    Returns `status` ("vacuumed" or "unchanged"), `removed` (files, bytes), `orphans` (those of them that no version
    names), `kept` (for each pin its version, and the files and bytes that nothing else keeps), `unreadable` (versions
    whose files are not all there, each with its `model`), `dry_run`. Costs the log, a list of the files, and memory for
    the names of both. Raises ConfigError for negative hours; other errors are those of `table_versions`. Interrupted,
    it is carried on by the next. The rule is Delta's own (https://docs.delta.io/latest/delta-utility.html), with pins.
    """
    if not retain_hours >= 0:
        raise ConfigError(
            where="retain_hours", expected="0 or more", found=str(retain_hours), remedy="Say for how many hours."
        )
    files = table_folder(table)
    with lease(table) as held:
        listed = files.files()
        versions = list(table_versions(files, [file.name for file in listed]))
        data = {file.name: file for file in listed if is_data(file.name)}
        pinned = {pin["by"]: pin["version"] for pin in list_pins(table)}
        _require_in_log(table, pinned, versions)
        of_pins = {by: _files_of(versions, [number]) for by, number in pinned.items()}
        young = _files_of(versions, _young_versions(versions, time.time() - retain_hours * 3600))
        named = {name for version in versions for name in version.files}
        begun = time.time() - max(retain_hours, ORPHAN_HOURS) * 3600
        orphans = {name for name, file in data.items() if name not in named and file.modified < begun}
        gone = ((named & set(data)) - young).difference(*of_pins.values()) | orphans
        if not dry_run:
            held.require()
            remove_files(files, gone, {file.name for file in listed})
        there = set(data) - gone
        return {
            "status": "vacuumed" if gone and not dry_run else "unchanged",
            "table": table,
            "removed": _sum(data, gone),
            "orphans": _sum(data, orphans),
            "kept": {by: KeptByPin(version=pinned[by], **_sum(data, of_pins[by] - young)) for by in pinned},
            "unreadable": [
                {"version": version.number, "model": version.model}
                for version in versions
                if not version.files.keys() <= there
            ],
            "dry_run": dry_run,
        }


def is_data(name: str) -> bool:
    """Whether a file of a table's folder can be one of its data files, or one that has not become one.

    Those of the log are not, and no others under names that begin with `_` or `.`, which readers pass over.
    """
    parts = name.split("/")
    if is_unfinished(name):
        parts = parts[:-1]
    return all("=" in part or not part.startswith(("_", ".")) for part in parts) and not is_log_file(name)


def _require_in_log(table: str, pinned: Mapping[str, int], versions: list[TableVersion]) -> None:
    numbers = {version.number for version in versions}
    for by, number in pinned.items():
        if number not in numbers:
            raise InputMissing(
                where=f"table {table}",
                expected=f"version {number} in its log, which '{by}' pins",
                found=f"versions {versions[0].number} to {versions[-1].number}",
                remedy=f"Nothing was removed. If that version is lost, unpin it: traintable unpin {table} --by '{by}'.",
            )


def _young_versions(versions: list[TableVersion], since: float) -> list[int]:
    """The newest version, and those that the next one has replaced after `since`, or at a time that is not known."""
    replaced = [following.committed_ms for following in versions[1:]]
    times = [float("inf") if ms is None else ms / 1000 for ms in replaced]
    return [version.number for version, at in zip(versions, [*times, float("inf")], strict=True) if at >= since]


def _files_of(versions: list[TableVersion], numbers: Iterable[int]) -> set[str]:
    wanted = set(numbers)
    return {name for version in versions if version.number in wanted for name in version.files}


def _sum(data: dict[str, File], names: set[str]) -> FileSum:
    there = [data[name].bytes for name in names if name in data]
    return {"files": len(there), "bytes": sum(there)}


def remove_files(files: Folder, gone: Iterable[str], names: Collection[str]) -> None:
    """Remove files, and the checksums beside them, of a folder that holds `names`."""
    for name in sorted(gone):
        for file in (checksum_name(name), name):
            if file in names:
                files.remove(file)
