"""Forget somebody: take their rows out of every version of a training table, and of what was made beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from typing_extensions import TypedDict

from traintable.addresses import sibling
from traintable.delta.lease import lease
from traintable.delta.versions import TableVersion, newest_version, table_folder, table_versions
from traintable.errors import StillThere, VersionPinned
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.manifest import describe_erasure, key_columns, quarantine_of
from traintable.publish.erasure.matching_rows import match_columns, match_text
from traintable.publish.erasure.proof import search, search_texts
from traintable.publish.erasure.table_erasure import TableErasure
from traintable.publish.version_pins import list_pins
from traintable.storage.folder import folder

_KIND, _RUN = "kind", "run={}/"  # a column of a quarantine, and its partitions
_NOT_SEARCHED = ("staging", "analysis", "models")


class AffectedVersion(TypedDict):
    """A version that had rows of the key (`rows`; None where that is not known), or whose files are not all there."""

    version: int
    run_id: str | None
    model: str | None
    rows: int | None
    pinned_by: list[str]


class ErasedVersion(AffectedVersion):
    """The same, and whether the version can still be read."""

    readable: bool


class RemovedRows(TypedDict):
    """How many rows were removed from each version, and from each file of each table."""

    versions: dict[int, int]
    files: dict[str, int]


class Affected(TypedDict):
    """What the rows of the key concern."""

    table: str
    removed: RemovedRows
    versions: list[ErasedVersion]
    models: list[str]
    not_searched: list[str]


class ChangedFiles(TypedDict):
    """Which files were changed, and the newest version."""

    status: str
    version: int
    rewritten: list[str]
    deleted: list[str]
    redacted: list[str]


class Proof(TypedDict):
    """The files and bytes that were searched in the end, and the hits among them, of which there are none."""

    files: int
    bytes: int
    found: int


class ErasureResult(Affected, ChangedFiles):
    """What the JSON line of the command says."""

    proof: Proof


def forget(
    table: str,
    key: Mapping[str, Any],
    *,
    even_pinned: bool = False,
    quarantine: str | None = None,
    also: Sequence[str] = (),
) -> ErasureResult:
    """Remove the rows with these values of key columns from all versions of a table, and show that they are gone.

    `key` gives one or more of the columns that the manifest has for the key, as values or texts: all rows that have
    them go. They go from the table, from its quarantine (`<table>_quarantine`, if no other is named), from the
    deep copies that pins have made, and from the tables in `also`. Each data file that has such rows is replaced by one
    without them, with the rest as it was. The newest version gets its new files by a commit, whose manifest tells of it
    (`forgotten`, the numbers of rows, a new `content_hash`); for older versions they are named in the log itself: these
    can be read as before but for the rows, and their manifests say so. Statistics of replaced files and summaries of
    the log go too. DELETE and then VACUUM, which Delta's documentation has for such requests, would cost every older
    version its files, and leave statistics in the log. A pinned version is changed with `even_pinned` only. Models are
    listed, not changed: they were fitted on the rows.

    Holds the lease on the table; writers that take none, and readers that have begun before, meet files that are gone.
    Interrupted, it is finished by the same call, which lists what is left to do. Remove the rows from the sources
    first, or the next run brings them back. What is not searched (`not_searched`: reports, models, files of running
    jobs), and versions of removed objects that a bucket keeps by itself, are for you to look at.

    Returns `status` ("forgotten" or "unchanged"), `version` (the newest), `removed` (rows of each version, and of each
    file of each table), `rewritten`, `deleted` and `redacted` files, `versions` (those that had such rows, or whose
    files are not all there: `version`, `run_id`, `model`, `rows` or None, `pinned_by`, `readable`), `models`,
    `not_searched`, and the `proof`: `files` and `bytes` that were searched in the end, and `found`, which is 0.
    Raises StillThere when the proof finds any; VersionPinned, and ConfigError for other columns or values that they
    can't have, before anything is changed. Costs two reads of the key's columns in all files and of the quarantine, a
    copy of the files that have such rows, and a read of the newest rows by Spark for their hash.
    """
    with ExitStack() as stack:
        held = stack.enter_context(lease(table))
        for other in also:
            stack.enter_context(lease(other))
        case = _Case(table, key, quarantine, also)
        if not even_pinned:
            case.refuse_pinned()
        done = case.carry_out(held.require)
        return {**case.affected(), **done, "proof": case.prove()}


class _Case:
    """The tables that are concerned, and what is in them before anything is done."""

    def __init__(self, table: str, key: Mapping[str, Any], quarantine: str | None, also: Sequence[str]) -> None:
        newest = newest_version(table_folder(table))
        schema = newest.metadata["schemaString"]
        self.key = Key.of(key, schema, may_be=key_columns(newest), where=f"table {table}")
        self.table, self.pins = table, list_pins(table)
        self.main = TableErasure(table, self.key, match_columns(self.key))
        removed = quarantine or quarantine_of(newest, table)
        self.quarantine = (
            [TableErasure(removed, self.key, match_text(self.key), by=_KIND)] if _is_there(removed) else []
        )
        copies = [copy for pin in self.pins for copy in pin["copies"] if _is_there(copy)]
        others = dict.fromkeys([*copies, *also])
        self.copies = [TableErasure(other, self.key, match_columns(self.key)) for other in others]
        self.erasures = [self.main, *self.quarantine, *self.copies]

    def refuse_pinned(self) -> None:
        """Raise VersionPinned where a pinned version, or a copy, has rows of the key."""
        versions = {version.number: version for version in self.main.versions}
        for pin in self.pins:
            version = versions.get(pin["version"])
            copies = [copy for copy in self.copies if copy.table in pin["copies"] and copy.hits]
            if copies or (version is not None and self.main.n_matching(version)):
                raise VersionPinned(
                    where=f"table {self.table} version {pin['version']}",
                    expected="no pin on a version that has rows of this key",
                    found=f"that '{pin['by']}' pins it",
                    remedy="Nothing was changed. With --even-pinned it loses the rows too, and stays readable.",
                )

    def affected(self) -> Affected:
        """What is concerned: rows, versions and models."""
        affected = [entry for version in self.main.versions if (entry := self._affected(version)) is not None]
        files = {f"{erasure.table}/{name}": n.total() for erasure in self.erasures for name, n in erasure.hits.items()}
        whole = _readable(self.table)
        places = [sibling(self.table, name) for name in _NOT_SEARCHED]
        return {
            "table": self.table,
            "removed": {
                "versions": {entry["version"]: entry["rows"] for entry in affected if entry["rows"]},
                "files": files,
            },
            "versions": [{**entry, "readable": entry["version"] in whole} for entry in affected],
            "models": sorted({entry["model"] for entry in affected if entry["model"]}),
            "not_searched": [place for place in places if folder(place).names()],
        }

    def carry_out(self, require: Callable[[], None]) -> ChangedFiles:
        """Forget the rows in each table; which files were rewritten, deleted and redacted, and the newest version."""
        newest = self.main.newest
        run = _RUN.format(newest.manifest.get("fingerprint") if newest.manifest else None)
        by_kind = sum(
            (n for erasure in self.quarantine for name, n in erasure.hits.items() if name.startswith(run)),
            Counter[str](),
        )
        by_split = self.main.by_split()
        done = []
        for erasure in self.erasures:
            counts = (by_split, by_kind) if erasure is self.main else (erasure.by_split(), Counter[str]())
            done.append(erasure.forget(require, describe_erasure(erasure, *counts)))

        def files(kind: str) -> list[str]:
            return [
                f"{erasure.table}/{file}" for erasure, d in zip(self.erasures, done, strict=True) for file in d[kind]
            ]

        changed = {kind: files(kind) for kind in ("rewritten", "deleted", "redacted")}
        return {
            "status": "forgotten" if any(changed.values()) else "unchanged",
            "version": newest_version(self.main.files).number,
            "rewritten": changed["rewritten"],
            "deleted": changed["deleted"],
            "redacted": changed["redacted"],
        }

    def prove(self) -> Proof:
        """Search all files again; StillThere when any holds the key."""
        n_files = n_bytes = 0
        for erasure in self.erasures:
            files, size, places = search(erasure.files, self.key, erasure.rows)
            n_files, n_bytes = n_files + files, n_bytes + size
            _refuse_traces(erasure.table, places)
        attached = folder(sibling(self.table, "manifests"))
        files, size, places = search_texts(attached, self.key)
        _refuse_traces(attached.address, places)
        n_files, n_bytes = n_files + files, n_bytes + size
        return {"files": n_files, "bytes": n_bytes, "found": 0}

    def _affected(self, version: TableVersion) -> AffectedVersion | None:
        """What to say of a version; None where it is not concerned."""
        rows, is_whole = self.main.n_matching(version), version.files.keys() <= self.main.names
        if not rows and is_whole:
            return None
        manifest = version.manifest
        by = [pin["by"] for pin in self.pins if pin["version"] == version.number]
        return {
            "version": version.number,
            "run_id": manifest.get("run_id") if manifest else None,
            "model": manifest.get("model") if manifest else None,
            "rows": rows or None,
            "pinned_by": by,
        }


def _refuse_traces(place: str, names: Sequence[str]) -> None:
    if names:
        raise StillThere(
            where=f"file {place}/{names[0]}",
            expected="nothing of the key in any file",
            found=f"it in {len(names)} files",
            remedy="Run again. If it stays, it was written there by somebody else: remove it by hand.",
        )


def _is_there(table: str) -> bool:
    return bool(table_folder(table).names())


def _readable(table: str) -> set[int]:
    files = table_folder(table)
    names = set(files.names())
    return {version.number for version in table_versions(files, names) if version.files.keys() <= names}
