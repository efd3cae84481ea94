"""Search every file of a table for somebody, whatever has been done to it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from traintable.delta.log import is_log_file
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.matching_rows import RowMatch, count_matches
from traintable.storage.folder import Folder


def search(files: Folder, key: Key, rows: RowMatch) -> tuple[int, int, list[str]]:
    """How many files a folder has, their bytes, and the names of those that hold the key.

    Of Parquet files the values are decoded: of data files those of the key's columns, in all rows; of the log's all.
    Other files are searched line by line: for the texts of the key where it has any of six letters, in the forms in
    which files write them, and as JSON for bounds in statistics (`minValues`, `maxValues`) that are the key's values,
    for a number such as 7 stands in any text. Reads every file.
    """
    listed = files.files()
    holding = [file.name for file in listed if _holds(files, file.name, key, rows)]
    return len(listed), sum(file.bytes for file in listed), holding


def search_texts(files: Folder, key: Key) -> tuple[int, int, list[str]]:
    """The same of the files that manifests name, which are texts, packed or not."""
    listed = files.files()
    holding = [file.name for file in listed if key.is_written_in(_unpack(files.read(file.name) or b""))]
    return len(listed), sum(file.bytes for file in listed), holding


def _unpack(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _holds(files: Folder, name: str, key: Key, rows: RowMatch) -> bool:
    with files.open(name) as opened:
        if not name.endswith(".parquet"):
            return any(_is_in_line(line, key) for line in opened)
        if is_log_file(name):
            return _is_in_checkpoint(opened, key)
        return count_matches(opened, rows).total() > 0


def _is_in_line(line: bytes, key: Key) -> bool:
    if key.is_written_in(line):
        return True
    try:
        return _is_bound(json.loads(line), key)
    except ValueError:
        return False


def _is_in_checkpoint(opened: BinaryIO, key: Key) -> bool:
    for row in pq.read_table(pa.PythonFile(opened, mode="r")).to_pylist(maps_as_pydicts="strict"):
        if key.is_written_in(json.dumps(row, default=str).encode()) or _is_bound(row, key):
            return True
    return False


def _is_bound(value: Any, key: Key) -> bool:
    """Whether statistics anywhere in a value of JSON have the key as one of their bounds."""
    return any(map(key.is_in, _bounds(value)))


def _bounds(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in ("minValues", "maxValues"):
                yield item
            yield from _bounds(item)
    elif isinstance(value, list):
        for item in value:
            yield from _bounds(item)
    elif isinstance(value, str) and value.startswith(("{", "[")):
        try:
            yield from _bounds(json.loads(value))
        except ValueError:
            return
