"""The log of a table after files of it were replaced: every version names the new ones, and no statistics are left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from traintable.delta.commits import LOG
from traintable.delta.versions import Action, base, checkpoints, file_name, is_checkpoint, json_of, log_files, now
from traintable.publish.erasure.key import REDACTED, Key
from traintable.publish.vacuum import checksum_name
from traintable.storage.folder import Folder

FORGOTTEN = "forgotten"  # in a manifest
_SUMMARY = re.compile(rf"{LOG}/(\d+\.crc|\d+\.\d+\.compacted\.json|_last_checkpoint)")
_CONDITIONS = re.compile("predicate|condition|clause", re.IGNORECASE)


@dataclass(frozen=True)
class Replaced:
    """A file without the rows that were meant, in place of one that had them; `path` is that of the log."""

    path: str
    bytes: int
    n: int
    n_removed: int
    at: int

    def action(self, old: Action) -> Action:
        """What the log says of the old file, for this one; of its values it says nothing."""
        new = {**old, "path": self.path, "size": self.bytes}
        if "modificationTime" not in old:
            return new
        return _with_stats({**new, "modificationTime": self.at}, {"numRecords": self.n})


def summaries(names: Set[str]) -> list[str]:
    """Files of a log that repeat what others say, statistics among it, and that readers and writers do without.

    Checkpoints are among them but for the one that the log begins with: to change all of them with the commits would
    take a moment in which they say different things. Pointers to a checkpoint come before it.
    """
    found = {name for name in names if _SUMMARY.fullmatch(name)} | (set(checkpoints(names)) - set(base(names)))
    return sorted(found, reverse=True)


def rewrite(files: Folder, names: Set[str], key: Key, replaced: Mapping[str, Replaced], there: Set[str]) -> list[str]:
    """Let the log name new files for those in `replaced` (by name); returns the files of the log that were changed.

    In a commit that adds such a file the old one is removed and the new one added; one that removes it removes the new
    one too. Commits are changed from the newest to the oldest, each at once. So whatever has been done when somebody
    reads, or when this is killed, each version has one of the two files and never both. Files that are not `there` any
    more, and those whose statistics show the key, lose their statistics. Texts of the key, and conditions on its
    columns, go from what commits say of themselves; examples of rows go from manifests, and those of versions that have
    lost rows say so (`forgotten`: `at`, `rows`, `content_hash`).
    """
    editing = _Editing(key, replaced, there)
    changed = []
    for name in log_files(names):
        content = editing.checkpoint(files, name) if is_checkpoint(name) else editing.commit(files, name)
        if content is not None:
            if checksum_name(name) in names:
                files.remove(checksum_name(name))
            files.write(name, content)
            changed.append(name)
    return changed


def mark(manifest: Mapping[str, Any], n: int, content_hash: str) -> dict[str, Any]:
    """A manifest that says that `n` more rows were forgotten, and of which rows its content hash is."""
    before = manifest.get(FORGOTTEN) or {"rows": 0}
    return {**manifest, FORGOTTEN: {"at": now(), "rows": before["rows"] + n, "content_hash": content_hash}}


@dataclass(frozen=True)
class _Editing:
    key: Key
    replaced: Mapping[str, Replaced]
    there: Set[str]

    def commit(self, files: Folder, name: str) -> bytes | None:
        """The new content of a commit; None where it stays as it is."""
        old = [json.loads(line) for line in (files.read(name) or b"").decode().splitlines() if line.strip()]
        added = {file_name(action["add"]["path"]) for action in old if "add" in action}
        removed = sum(self.replaced[name].n_removed for name in added & self.replaced.keys())
        after = added | {file_name(self.replaced[name].path) for name in added & self.replaced.keys()}
        new = [action for one in old for action in self._of_commit(one, after, removed)]
        if new == old:
            return None
        lines = [json.dumps(action, ensure_ascii=False, separators=(",", ":")) for action in new]
        return ("\n".join(lines) + "\n").encode()

    def checkpoint(self, files: Folder, name: str) -> bytes | None:
        """The new content of a checkpoint, which is a state: files are exchanged in it."""
        with files.open(name) as opened:
            table = pq.read_table(pa.PythonFile(opened, mode="r"))
        old = table.to_pylist()
        new = [{kind: self._of_file(kind, one) for kind, one in row.items()} for row in old]
        if new == old:
            return None
        out = BytesIO()
        pq.write_table(pa.Table.from_pylist(new, schema=table.schema), out)
        return out.getvalue()

    def _of_commit(self, action: Action, added: Set[str], n_removed: int) -> Iterator[Action]:
        (kind, one), *_ = action.items()
        if kind == "commitInfo":
            yield {kind: self._info(one, n_removed)}
            return
        old = file_name(one["path"]) if kind in ("add", "remove") else None
        new = self.replaced.get(old or "")
        if new is not None and kind == "add":
            yield {
                "remove": {"path": one["path"], "deletionTimestamp": new.at, "dataChange": one.get("dataChange", True)}
            }
        yield {kind: self._of_file(kind, one)}
        if new is not None and kind == "remove" and file_name(new.path) not in added:
            yield {"remove": new.action(one)}

    def _of_file(self, kind: str, one: Any) -> Any:
        """What an action says of a file; of all else what it says already."""
        if kind not in ("add", "remove") or not one:
            return one
        name = file_name(one["path"])
        if name in self.replaced and kind == "add":
            return self.replaced[name].action(one)
        stats = json_of(one.get("stats")) or one.get("stats_parsed") or {}
        if stats and (name not in self.there or name in self.replaced or self._shows(stats)):
            return _with_stats(one, {"numRecords": stats["numRecords"]} if "numRecords" in stats else None)
        return one

    def _shows(self, stats: Mapping[str, Any]) -> bool:
        bounds = (stats.get("minValues"), stats.get("maxValues"))
        return any(map(self.key.is_in, bounds)) or self.key.is_written_in(json.dumps(stats, default=str).encode())

    def _info(self, info: Action, n_removed: int) -> Action:
        told = json_of(info.get("userMetadata"))
        if isinstance(told, dict) and "traintable" in told:
            new = without_examples(told)
            new = mark(new, n_removed, "of the rows before") if n_removed else new
            info = info if new == told else {**info, "userMetadata": json.dumps(new)}
        if info.get("operationParameters"):
            parameters = {
                name: REDACTED if _CONDITIONS.search(name) and self._names_a_column(value) else value
                for name, value in info["operationParameters"].items()
            }
            info = {**info, "operationParameters": parameters}
        redacted: Action = self.key.redacted(info)
        return redacted

    def _names_a_column(self, value: Any) -> bool:
        return any(name in str(value) for name in self.key.values)


def without_examples(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest without the keys of rows that guards against leaks have given as examples."""
    found = manifest.get("leakage")
    if not isinstance(found, list):
        return dict(manifest)
    findings = [
        {**one, "numbers": {name: n for name, n in one.get("numbers", {}).items() if name != "examples"}}
        for one in found
    ]
    return {**manifest, "leakage": findings}


def _with_stats(action: Action, stats: Mapping[str, Any] | None) -> Action:
    parsed = {"stats_parsed": None} if "stats_parsed" in action else {}
    return {**action, "stats": None if stats is None else json.dumps(stats), **parsed}
