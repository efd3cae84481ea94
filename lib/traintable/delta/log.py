"""The files of a table's log: their names, the actions in them, and how one is added or changed.

The format is that of the Delta protocol (https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from traintable import __version__
from traintable.addresses import is_remote
from traintable.errors import ConfigError, InputMissing, TableBusy
from traintable.storage.folder import Folder

LOG = "_delta_log"  # the folder in a table's own
Action = dict[str, Any]

_COMMIT = re.compile(rf"{LOG}/(\d{{20}})\.json")
_CHECKPOINT = re.compile(rf"{LOG}/(\d{{20}})\.checkpoint(?:\.\d{{10}}\.(\d{{10}}))?\.parquet")
_SUMMARY = re.compile(rf"{LOG}/(\d+\.crc|\d+\.\d+\.compacted\.json|_last_checkpoint)")


def commit_name(version: int) -> str:
    """The name of the commit of a version, in the table's folder."""
    return f"{LOG}/{version:020}.json"


def is_log_file(name: str) -> bool:
    """Whether a file of a table's folder belongs to its log."""
    return name.startswith(f"{LOG}/")


def commit_names(names: Iterable[str]) -> dict[int, str]:
    """The commits among the files of a table's folder, by version in ascending order."""
    return dict(sorted((int(match[1]), name) for name in names if (match := _COMMIT.fullmatch(name))))


def checkpoint_names(names: Iterable[str]) -> list[str]:
    """The files of the checkpoints among those of a table's folder."""
    return sorted(name for name in names if _CHECKPOINT.fullmatch(name))


def first_checkpoint(names: Iterable[str]) -> list[str]:
    """The files of the checkpoint that a log begins with: the oldest whole one that commits follow without a gap.

    None where the commits begin with the first one, for then no checkpoint is needed.
    """
    listed = list(names)
    first, parts = min(commit_names(listed), default=0), defaultdict[tuple[int, int], list[str]](list)
    for name in listed:
        if first > 0 and (match := _CHECKPOINT.fullmatch(name)):
            parts[int(match[1]), int(match[2] or 1)].append(name)
    whole = sorted(key for key, files in parts.items() if key[0] >= first - 1 and len(files) == key[1])
    return parts[whole[0]] if whole else []


def log_names(names: Iterable[str]) -> list[str]:
    """The commits, and the checkpoint that the log begins with, among the files of a table's folder, newest first."""
    listed = list(names)
    return sorted([*commit_names(listed).values(), *first_checkpoint(listed)], reverse=True)


def summary_names(names: Set[str]) -> list[str]:
    """Files of a log that repeat what others say, statistics among it, and that readers and writers do without.

    Checkpoints are among them but for the one that the log begins with: to change all of them with the commits would
    take a while in which they say different things. Pointers to a checkpoint come before it.
    """
    summaries = {name for name in names if _SUMMARY.fullmatch(name)}
    return sorted(summaries | (set(checkpoint_names(names)) - set(first_checkpoint(names))), reverse=True)


def is_checkpoint(name: str) -> bool:
    """Whether a file of the log is a state, in Parquet, rather than a commit."""
    return name.endswith(".parquet")


def version_in(name: str) -> int:
    """The version that a commit or a checkpoint is of."""
    return int(name.removeprefix(f"{LOG}/")[:20])


def checksum_name(name: str) -> str:
    """The name of the checksum that Hadoop lays beside a file on a local disk, and believes when it reads the file."""
    place, slash, last = name.rpartition("/")
    return f"{place}{slash}.{last}.crc"


def data_file_name(path: str) -> str:
    """The name of a data file in the table's folder, of a path as the log writes it."""
    if is_remote(path) or path.startswith("/"):
        raise only_spark_reads(path, "files within its folder", "one elsewhere: a shallow clone")
    return unquote(path)


def read_actions(files: Folder, name: str) -> list[Action]:
    """The actions of a commit or of a checkpoint, without what has no value."""
    if is_checkpoint(name):
        return [
            {kind: {key: value for key, value in action.items() if value is not None}}
            for row in _checkpoint(files, name).to_pylist(maps_as_pydicts="strict")
            for kind, action in row.items()
            if action
        ]
    content = files.read(name)
    if content is None:
        raise unreadable_log(files, f"no {name}")
    return _lines(content)


def commit_info(operation: str, **more: Any) -> Action:
    """The `commitInfo` of a commit that is made now."""
    fixed = {"timestamp": now_ms(), "operation": operation, "operationParameters": {}}
    return {"commitInfo": {**fixed, "engineInfo": f"traintable/{__version__}", **more}}


def create_commit(files: Folder, version: int, actions: Sequence[Action]) -> bool:
    """Make a version of these actions, at once; False where somebody else has made that version."""
    return files.create(commit_name(version), _content(actions))


def add_commit(files: Folder, version: int, actions: Sequence[Action]) -> str:
    """Make a version as `create_commit` does, and give the name of its file.

    Raises TableBusy when somebody else has made that version.
    """
    if not create_commit(files, version, actions):
        raise TableBusy(
            where=f"table {files.address}",
            expected=f"to write its version {version}",
            found="that another writer, which does not hold the lease, has written it",
            remedy="Run again.",
        )
    return commit_name(version)


def edit_actions(files: Folder, name: str, names: Set[str], edit: Callable[[list[Action]], list[Action]]) -> bool:
    """Put what `edit` makes of the actions of a commit or checkpoint in their place, at once, if it changes any.

    A row of a checkpoint has all kinds of actions, all but one of them None. `names` are those of the table's files.
    Returns whether the file was changed.
    """
    if is_checkpoint(name):
        table = _checkpoint(files, name)
        old = table.to_pylist()
        new = edit(old)
        content = _as_parquet(new, table.schema) if new != old else b""
    else:
        old = _lines(files.read(name) or b"")
        new = edit(old)
        content = _content(new)
    if new == old:
        return False
    if checksum_name(name) in names:
        files.remove(checksum_name(name))
    files.write(name, content)
    return True


def now_ms() -> int:
    """The time as the log writes it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def parse_json(text: str | None) -> Any:
    """The value that a text of JSON holds; None where it is none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def parse_object(text: str | None) -> Mapping[str, Any]:
    """The object that a text of JSON holds; an empty one where it is none."""
    value = parse_json(text)
    return value if isinstance(value, dict) else {}


def only_spark_reads(where: str, expected: str, found: str) -> ConfigError:
    """What to raise for a table with features that are known to Spark only."""
    return ConfigError(
        where=f"table ({where})",
        expected=expected,
        found=found,
        remedy="Tables that are published here have none; copy the rows into one of these.",
    )


def unreadable_log(files: Folder, found: str) -> InputMissing:
    """What to raise for a table whose log is not there, or not whole."""
    return InputMissing(
        where=f"table {files.address}",
        expected="a Delta table with a whole log",
        found=found,
        remedy="Check the name, and who removes files there.",
    )


def _checkpoint(files: Folder, name: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with files.open(name) as opened:
        return pq.read_table(pa.PythonFile(opened, mode="r"))


def _as_parquet(actions: list[Action], schema: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = BytesIO()
    pq.write_table(pa.Table.from_pylist(actions, schema=schema), out)
    return out.getvalue()


def _lines(content: bytes) -> list[Action]:
    return [json.loads(line) for line in content.splitlines() if line.strip()]  # of bytes: U+2028 ends no line


def _content(actions: Sequence[Action]) -> bytes:
    lines = [json.dumps(action, ensure_ascii=False, separators=(",", ":")) for action in actions]
    return ("\n".join(lines) + "\n").encode()
