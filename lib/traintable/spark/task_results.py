"""What tasks answer the driver, as data: what they did, or what they refuse, or which files they can't read.

An exception that a task raises reaches the driver as text only, and fails the job after the first. So tasks that can
meet such a file or value catch it, answer it as a row like any other, and the driver raises it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from traintable.errors import ConfigError

SCHEMA = "result string"  # of the DataFrame that tasks answer with


class UnreadableFile(NamedTuple):
    """A file that can't be read: its path or address, and why."""

    path: str
    reason: str


class UnreadableFiles(Exception):
    """Files that can't be read.

    Attributes
    ----------
    files : at least one; each once.
    """

    def __init__(self, *files: UnreadableFile) -> None:
        super().__init__("; ".join(f"{file.path}: {file.reason}" for file in files))
        self.files = files


@dataclass(frozen=True)
class TaskResult:
    """The answer of a task: what it did, or refuses, or can't read.

    Attributes
    ----------
    value : what it did, of types that JSON has.
    refused : what it may not take, as the parts of a ConfigError (where, expected, found, remedy).
    unreadable : the files that it could not read.
    """

    value: Any = None
    refused: Mapping[str, str] | None = None
    unreadable: tuple[UnreadableFile, ...] = ()

    @classmethod
    def of(cls, work: Callable[[], Any]) -> TaskResult:
        """What `work` returns; or what it raises, if that is a ConfigError or UnreadableFiles."""
        try:
            return cls(work())
        except ConfigError as error:
            return cls(refused={name: text for name, text in error.to_dict().items() if name != "type"})
        except UnreadableFiles as error:
            return cls(unreadable=error.files)

    @classmethod
    def from_json(cls, text: str) -> TaskResult:
        """The result that `to_json` has written."""
        fields = json.loads(text)
        files = tuple(UnreadableFile(*file) for file in fields.get("unreadable", ()))
        return cls(fields.get("value"), fields.get("refused"), files)

    def to_json(self) -> str:
        """The result as one line of text."""
        fields = {"value": self.value, "refused": self.refused, "unreadable": self.unreadable or None}
        return json.dumps({name: field for name, field in fields.items() if field is not None}, separators=(",", ":"))


def to_batch(results: Iterable[TaskResult]) -> pa.RecordBatch:
    """Results as rows of `SCHEMA`, for a task to yield."""
    return pa.RecordBatch.from_pydict({"result": pa.array([result.to_json() for result in results], pa.string())})


def values_of(texts: Iterable[str]) -> Iterator[Any]:
    """The values of results, which are given as tasks have written them, one after the other.

    Raises the first refusal as a ConfigError as soon as it is met, and at the end UnreadableFiles, for all files that
    any task could not read.
    """
    unreadable: dict[str, UnreadableFile] = {}
    for text in texts:
        result = TaskResult.from_json(text)
        if result.refused is not None:
            raise ConfigError(**result.refused)
        unreadable.update({file.path: file for file in result.unreadable})
        if not result.unreadable:
            yield result.value
    if unreadable:
        raise UnreadableFiles(*unreadable.values())
