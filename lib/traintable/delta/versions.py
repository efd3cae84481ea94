"""The files that each version of a table consists of, read from its log without Spark."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from traintable import __version__
from traintable.addresses import is_catalog_name, is_remote, is_s3
from traintable.delta.commits import LOG, UPKEEP, commit_name
from traintable.errors import ConfigError, InputMissing, TableBusy
from traintable.storage.folder import Folder, folder

Action = dict[str, Any]

_COMMIT = re.compile(rf"{LOG}/(\d{{20}})\.json")
_CHECKPOINT = re.compile(rf"{LOG}/(\d{{20}})\.checkpoint(?:\.\d{{10}}\.(\d{{10}}))?\.parquet")
# Features that leave it to the paths, sizes and statistics in the log what a version consists of.
_PLAIN = {"appendOnly", "invariants", "checkConstraints", "generatedColumns", "changeDataFeed", "identityColumns"}
_PLAIN |= {"timestampNtz", "vacuumProtocolCheck"}


@dataclass(frozen=True)
class Version:
    """One version of a table.

    Attributes
    ----------
    number : 0 for the first.
    moment : when it was committed, in milliseconds since 1970 by its writer's clock; None where that is not known.
    manifest : what was published with its rows, which upkeep leaves as they are; None where somebody else wrote them.
    files : all its data files by name, each with the log's `add` of it.
    metadata, protocol : the actions of these names that hold for it.
    """

    number: int
    moment: int | None
    manifest: dict[str, Any] | None
    files: dict[str, Action]
    metadata: Action
    protocol: Action


def table_folder(table: str) -> Folder:
    """The folder of a table at a path or on S3; ConfigError for other places, whose files can't be listed here."""
    if is_catalog_name(table) or (is_remote(table) and not is_s3(table)):
        raise ConfigError(
            where=f"table {table}",
            expected="a path, or an address s3a://bucket/prefix",
            found="a table of a catalog" if is_catalog_name(table) else "another kind of storage",
            remedy="Give the place where the table's files lie, if that is one of these.",
        )
    return folder(table)


def versions(files: Folder, names: Iterable[str] | None = None) -> Iterator[Version]:
    """The versions of a table that its log still tells, in ascending order.

    `names` are those of all files of the folder, where they have been listed. Costs a request for each commit, and
    memory for the names of one version's files. Raises InputMissing where there is no table, or commits are missing in
    its log, and ConfigError for a table with features that only Spark knows.
    """
    found = list(files.names() if names is None else names)
    commits = _commits(found)
    if not commits:
        raise _unreadable(files, "nothing there" if not found else "no log")
    first, state = min(commits), _State()
    if first > 0:
        parts = base(found)
        if not parts:
            raise _unreadable(files, f"a log that begins at version {first}, without a checkpoint of what was before")
        for part in parts:
            state.take(read_actions(files, part))
        first = _number(parts[0])
        yield state.version(first)
        first += 1
    for number in range(first, max(commits) + 1):
        if number not in commits:
            raise _unreadable(files, f"a log without version {number}")
        state.take(read_actions(files, commits[number]))
        yield state.version(number)


def newest_version(files: Folder) -> Version:
    """The newest version of a table; errors and cost are those of `versions`."""
    *_, newest = versions(files)
    return newest


def base(names: Iterable[str]) -> list[str]:
    """The files of the checkpoint that a log begins with: the oldest whole one that commits follow without a gap.

    None where the commits begin with the first one, for then no checkpoint is needed.
    """
    found = list(names)
    first, parts = min(_commits(found), default=0), defaultdict[tuple[int, int], list[str]](list)
    for name in found:
        if first > 0 and (match := _CHECKPOINT.fullmatch(name)):
            parts[int(match[1]), int(match[2] or 1)].append(name)
    whole = sorted(key for key, some in parts.items() if key[0] >= first - 1 and len(some) == key[1])
    return parts[whole[0]] if whole else []


def checkpoints(names: Iterable[str]) -> list[str]:
    """The files of the checkpoints among `names`."""
    return sorted(name for name in names if _CHECKPOINT.fullmatch(name))


def log_files(names: Iterable[str]) -> list[str]:
    """The commits, and the checkpoint that the log begins with, among `names`, newest first."""
    found = list(names)
    return sorted([*_commits(found).values(), *base(found)], reverse=True)


def is_checkpoint(name: str) -> bool:
    """Whether a file of the log is a state, in Parquet, rather than a commit."""
    return name.endswith(".parquet")


def read_actions(files: Folder, name: str) -> list[Action]:
    """The actions of a commit (JSON lines) or of a checkpoint (Parquet)."""
    if is_checkpoint(name):
        with files.open(name) as opened:
            table = pq.read_table(pa.PythonFile(opened, mode="r"))
        return [_without_nulls(row) for row in table.to_pylist(maps_as_pydicts="strict")]
    content = files.read(name)
    if content is None:
        raise _unreadable(files, f"no {name}")
    return [json.loads(line) for line in content.decode().splitlines() if line.strip()]


def _without_nulls(row: Action) -> Action:
    """An action as a commit writes it: what has no value is left out."""
    return {kind: {k: v for k, v in action.items() if v is not None} for kind, action in row.items() if action}


def commit(files: Folder, number: int, actions: list[Action]) -> str:
    """Make a version of these actions, at once, and give the name of its file.

    Raises TableBusy when somebody else has made that version.
    """
    lines = [json.dumps(action, ensure_ascii=False, separators=(",", ":")) for action in actions]
    if not files.create(commit_name(number), ("\n".join(lines) + "\n").encode()):
        raise TableBusy(
            where=f"table {files.address}",
            expected=f"to write its version {number}",
            found="that somebody without its lease has written one meanwhile",
            remedy="Run again.",
        )
    return commit_name(number)


def info_of(operation: str, **more: Any) -> Action:
    """The `commitInfo` of a commit that is made now."""
    about = {"timestamp": now(), "operation": operation, "operationParameters": {}}
    return {"commitInfo": {**about, "engineInfo": f"traintable/{__version__}", **more}}


def now() -> int:
    """The time as the log writes it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def json_of(text: str | None) -> Any:
    """The value that a text of JSON holds; None where it is none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def file_name(path: str) -> str:
    """The name of a file in the table's folder, of a path as the log writes it."""
    if is_remote(path) or path.startswith("/"):
        raise _only_spark(path, "files within its folder", "one elsewhere: a shallow clone")
    return unquote(path)


def manifest_of(info: Action) -> dict[str, Any] | None:
    """The manifest in a `commitInfo`; None where there is none."""
    found = json_of(info.get("userMetadata"))
    return found if isinstance(found, dict) and "traintable" in found else None


class _State:
    """What the actions up to some version come to."""

    def __init__(self) -> None:
        self.files: dict[str, Action] = {}
        self.info: Action = {}
        self.manifest: Action | None = None
        self.metadata: Action = {}
        self.protocol: Action = {}

    def take(self, actions: list[Action]) -> None:
        """Take the actions of one commit in, or of a checkpoint."""
        self.info, added, is_same = {}, dict[str, Action](), True
        for action in actions:
            is_same = is_same and not (action.get("add") or action.get("remove"))
            if action.get("add"):
                added[file_name(action["add"]["path"])] = action["add"]
            if action.get("remove"):
                self.files.pop(file_name(action["remove"]["path"]), None)
            self.info = action.get("commitInfo") or self.info
            self.metadata = action.get("metaData") or self.metadata
            self.protocol = action.get("protocol") or self.protocol
        self.files.update(added)
        if not is_same or manifest_of(self.info):
            is_upkeep = self.info.get("operation") in UPKEEP
            self.manifest = manifest_of(self.info) or (self.manifest if is_upkeep else None)
        self._require_plain()

    def version(self, number: int) -> Version:
        """What they come to, as the version of that number."""
        moment = self.info.get("inCommitTimestamp") or self.info.get("timestamp")
        return Version(
            number,
            None if moment is None else int(moment),
            self.manifest,
            dict(self.files),
            self.metadata,
            self.protocol,
        )

    def _require_plain(self) -> None:
        protocol, configuration = self.protocol, self.metadata.get("configuration") or {}
        asked = {*(protocol.get("readerFeatures") or ()), *(protocol.get("writerFeatures") or ())} - _PLAIN
        if configuration.get("delta.columnMapping.mode", "none") != "none":
            asked.add("columnMapping")
        if asked:
            raise _only_spark(str(self.metadata.get("id")), "no features but those of plain tables", str(sorted(asked)))


def _commits(names: Iterable[str]) -> dict[int, str]:
    return {int(match[1]): name for name in names if (match := _COMMIT.fullmatch(name))}


def _number(name: str) -> int:
    return int(name.removeprefix(f"{LOG}/")[:20])


def _only_spark(where: str, expected: str, found: str) -> ConfigError:
    return ConfigError(
        where=f"table ({where})",
        expected=expected,
        found=found,
        remedy="Tables that are published here have none; copy the rows into one of these.",
    )


def _unreadable(files: Folder, found: str) -> InputMissing:
    return InputMissing(
        where=f"table {files.address}",
        expected="a Delta table with a whole log",
        found=found,
        remedy="Check the name, and who removes files there.",
    )
