"""The log of a table after files of it were replaced: every version names the new ones, and no statistics are left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, cast

from traintable.delta.log import (
    Action,
    data_file_name,
    edit_actions,
    is_checkpoint,
    log_names,
    now_ms,
    parse_json,
)
from traintable.delta.manifest import Manifest, parse_manifest
from traintable.publish.erasure.key import REDACTED, Key
from traintable.storage.folder import Folder

_CONDITIONS = re.compile("predicate|condition|clause", re.IGNORECASE)


@dataclass(frozen=True)
class Replacement:
    """A file without the rows of the key, in place of one that had them; `path` is that of the log."""

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


def rewrite_log(
    files: Folder, names: Set[str], key: Key, replacements: Mapping[str, Replacement], there: Set[str]
) -> list[str]:
    """Let the log name new files for those in `replacements` (by name); returns the files of the log that were changed.

    In a commit that adds such a file the old one is removed and the new one added; one that removes it removes the new
    one too. Commits are changed from the newest to the oldest, each at once. So whatever has been done when somebody
    reads, or when this is killed, each version has one of the two files and never both. Files that are not `there` any
    more, and those whose statistics show the key, lose their statistics. Texts of the key, and conditions on its
    columns, go from what commits say of themselves; examples of rows go from manifests, and those of versions that have
    lost rows say so (`forgotten`: `at`, `rows`, `content_hash`).
    """
    editing = _Editing(key, replacements, there)
    return [
        name
        for name in log_names(names)
        if edit_actions(files, name, names, editing.edit_checkpoint if is_checkpoint(name) else editing.edit_commit)
    ]


def mark_forgotten(manifest: Manifest, n: int, content_hash: str) -> Manifest:
    """A manifest that says that `n` more rows were forgotten, and of which rows its content hash is."""
    n_earlier = manifest["forgotten"]["rows"] if manifest.get("forgotten") else 0
    forgotten = {"at": now_ms(), "rows": n_earlier + n, "content_hash": content_hash}
    return cast(Manifest, {**manifest, "forgotten": forgotten})


@dataclass(frozen=True)
class _Editing:
    key: Key
    replacements: Mapping[str, Replacement]
    there: Set[str]

    def edit_commit(self, old: list[Action]) -> list[Action]:
        """The new actions of a commit."""
        added = {data_file_name(action["add"]["path"]) for action in old if "add" in action}
        exchanged = [self.replacements[name] for name in added & self.replacements.keys()]
        n_removed = sum(new.n_removed for new in exchanged)
        after = added | {data_file_name(new.path) for new in exchanged}
        return [new for action in old for new in self._of_commit(action, after, n_removed)]

    def edit_checkpoint(self, old: list[Action]) -> list[Action]:
        """The new rows of a checkpoint, which is a state: files are exchanged in it."""
        return [{kind: self._of_file(kind, action) for kind, action in row.items()} for row in old]

    def _of_commit(self, row: Action, added: Set[str], n_removed: int) -> Iterator[Action]:
        (kind, action), *_ = row.items()
        if kind == "commitInfo":
            yield {kind: self._info(action, n_removed)}
            return
        old = data_file_name(action["path"]) if kind in ("add", "remove") else None
        new = self.replacements.get(old or "")
        if new is not None and kind == "add":
            is_change = action.get("dataChange", True)
            yield {"remove": {"path": action["path"], "deletionTimestamp": new.at, "dataChange": is_change}}
        yield {kind: self._of_file(kind, action)}
        if new is not None and kind == "remove" and data_file_name(new.path) not in added:
            yield {"remove": new.action(action)}

    def _of_file(self, kind: str, action: Any) -> Any:
        """What an action says of a file; of all else what it says already."""
        if kind not in ("add", "remove") or not action:
            return action
        name = data_file_name(action["path"])
        if name in self.replacements and kind == "add":
            return self.replacements[name].action(action)
        stats = parse_json(action.get("stats")) or action.get("stats_parsed") or {}
        if stats and (name not in self.there or name in self.replacements or self._shows(stats)):
            return _with_stats(action, {"numRecords": stats["numRecords"]} if "numRecords" in stats else None)
        return action

    def _shows(self, stats: Mapping[str, Any]) -> bool:
        bounds = (stats.get("minValues"), stats.get("maxValues"))
        return any(map(self.key.is_in, bounds)) or self.key.is_written_in(json.dumps(stats, default=str).encode())

    def _info(self, info: Action, n_removed: int) -> Action:
        manifest = parse_manifest(info.get("userMetadata"))
        if manifest is not None:
            new = without_examples(manifest)
            new = mark_forgotten(new, n_removed, "of the rows before") if n_removed else new
            info = info if new == manifest else {**info, "userMetadata": json.dumps(new)}
        if info.get("operationParameters"):
            parameters = {
                name: REDACTED if _CONDITIONS.search(name) and self._names_a_column(value) else value
                for name, value in info["operationParameters"].items()
            }
            info = {**info, "operationParameters": parameters}
        redacted: Action = self.key.redact(info)
        return redacted

    def _names_a_column(self, value: Any) -> bool:
        return any(name in str(value) for name in self.key.values)


def without_examples(manifest: Manifest) -> Manifest:
    """A manifest without the keys of rows that guards against leaks have given as examples."""
    leakage = manifest.get("leakage")
    if not isinstance(leakage, list):
        return cast(Manifest, dict(manifest))
    findings = [
        {**finding, "numbers": {name: n for name, n in finding.get("numbers", {}).items() if name != "examples"}}
        for finding in leakage
    ]
    return cast(Manifest, {**manifest, "leakage": findings})


def _with_stats(action: Action, stats: Mapping[str, Any] | None) -> Action:
    parsed = {"stats_parsed": None} if "stats_parsed" in action else {}
    return {**action, "stats": None if stats is None else json.dumps(stats), **parsed}
