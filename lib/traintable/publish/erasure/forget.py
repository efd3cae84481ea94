"""Forget somebody: take their rows out of every version of a training table, and of what was made beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from traintable.addresses import sibling
from traintable.delta.lease import lease
from traintable.delta.versions import Version, newest_version, table_folder, versions
from traintable.errors import StillThere, VersionPinned
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.manifest import key_columns, quarantine_of, told_of
from traintable.publish.erasure.proof import search, search_texts
from traintable.publish.erasure.rows import by_columns, by_text
from traintable.publish.erasure.target import Target
from traintable.publish.pins import pins
from traintable.storage.folder import folder

_KIND, _RUN = "kind", "run={}/"  # a column of a quarantine, and its partitions
_NOT_SEARCHED = ("staging", "analysis", "models")


def forget(
    table: str,
    key: Mapping[str, Any],
    *,
    even_pinned: bool = False,
    quarantine: str | None = None,
    also: Sequence[str] = (),
) -> dict[str, Any]:
    """Remove the rows with these values of key columns from all versions of a table, and show that they are gone.

    `key` gives one or more of the columns that the manifest has for the key, as values or texts: all rows that have
    them are meant. They go from the table, from its quarantine (`<table>_quarantine`, if no other is named), from the
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
        return {**case.found(), **done, "proof": case.proven()}


class _Case:
    """The tables that are concerned, and what is in them before anything is done."""

    def __init__(self, table: str, key: Mapping[str, Any], quarantine: str | None, also: Sequence[str]) -> None:
        newest = newest_version(table_folder(table))
        schema = newest.metadata["schemaString"]
        self.key = Key.of(key, schema, may_be=key_columns(newest), where=f"table {table}")
        self.table, self.pins = table, pins(table)
        self.main = Target(table, self.key, by_columns(self.key))
        removed = quarantine or quarantine_of(newest, table)
        self.removed = [Target(removed, self.key, by_text(self.key), by=_KIND)] if _is_there(removed) else []
        copies = [copy for pin in self.pins for copy in pin["copies"] if _is_there(copy)]
        others = dict.fromkeys([*copies, *also])
        self.copies = [Target(other, self.key, by_columns(self.key)) for other in others]
        self.targets = [self.main, *self.removed, *self.copies]

    def refuse_pinned(self) -> None:
        """Raise VersionPinned where rows of a pinned version are meant, or of a copy."""
        versions = {version.number: version for version in self.main.versions}
        for pin in self.pins:
            version = versions.get(pin["version"])
            copies = [copy for copy in self.copies if copy.table in pin["copies"] and copy.hits]
            if copies or (version is not None and self.main.n_meant(version)):
                raise VersionPinned(
                    where=f"table {self.table} version {pin['version']}",
                    expected="no pin on a version that has rows of this key",
                    found=f"that '{pin['by']}' pins it",
                    remedy="Nothing was changed. With --even-pinned it loses the rows too, and stays readable.",
                )

    def found(self) -> dict[str, Any]:
        """What is concerned: rows, versions and models."""
        affected = [one for version in self.main.versions if (one := self._told(version)) is not None]
        files = {f"{t.table}/{name}": n.total() for t in self.targets for name, n in t.hits.items()}
        whole = _readable(self.table)
        places = [sibling(self.table, name) for name in _NOT_SEARCHED]
        return {
            "table": self.table,
            "removed": {"versions": {one["version"]: one["rows"] for one in affected if one["rows"]}, "files": files},
            "versions": [{**one, "readable": one["version"] in whole} for one in affected],
            "models": sorted({one["model"] for one in affected if one["model"]}),
            "not_searched": [place for place in places if folder(place).names()],
        }

    def carry_out(self, require: Callable[[], None]) -> dict[str, Any]:
        """Forget the rows in each table; which files were rewritten, deleted and redacted, and the newest version."""
        newest = self.main.newest
        run = _RUN.format((newest.manifest or {}).get("fingerprint"))
        by_kind = sum((n for t in self.removed for name, n in t.hits.items() if name.startswith(run)), Counter[str]())
        by_split = self.main.by_split()
        done = []
        for target in self.targets:
            counts = (by_split, by_kind) if target is self.main else (target.by_split(), Counter[str]())
            done.append(target.forget(require, told_of(target, *counts)))
        parts = {
            name: [f"{target.table}/{one}" for target, d in zip(self.targets, done, strict=True) for one in d[name]]
            for name in ("rewritten", "deleted", "redacted")
        }
        status = "forgotten" if any(parts.values()) else "unchanged"
        return {"status": status, "version": newest_version(self.main.files).number, **parts}

    def proven(self) -> dict[str, int]:
        """Search all files again; StillThere when any holds the key."""
        n_files = n_bytes = 0
        for target in self.targets:
            files, size, places = search(target.files, self.key, target.rows)
            n_files, n_bytes = n_files + files, n_bytes + size
            _refuse_found(target.table, places)
        told = folder(sibling(self.table, "manifests"))
        files, size, places = search_texts(told, self.key)
        _refuse_found(told.address, places)
        n_files, n_bytes = n_files + files, n_bytes + size
        return {"files": n_files, "bytes": n_bytes, "found": 0}

    def _told(self, version: Version) -> dict[str, Any] | None:
        """What is to be said of a version; None where it is not concerned."""
        rows, is_whole = self.main.n_meant(version), version.files.keys() <= self.main.names
        if not rows and is_whole:
            return None
        manifest = version.manifest or {}
        about = {"version": version.number, "run_id": manifest.get("run_id"), "model": manifest.get("model")}
        by = [pin["by"] for pin in self.pins if pin["version"] == version.number]
        return {**about, "rows": rows or None, "pinned_by": by}


def _refuse_found(place: str, names: Sequence[str]) -> None:
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
    return {version.number for version in versions(files, names) if version.files.keys() <= names}
