"""Search every file of a table for somebody, whatever has been done before: what is found is found."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from traintable.delta.commits import LOG
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.rows import Rows, count
from traintable.storage.folder import Folder


def search(files: Folder, key: Key, rows: Rows) -> tuple[int, int, list[str]]:
    """How many files a folder has, their bytes, and the names of those that hold the key.

    Of Parquet files the values are decoded: of data files those of the key's columns, in all rows; of the log's all.
    Other files are searched line by line: for the texts of the key where it has any of six letters, in the forms in
    which files write them, and as JSON for bounds in statistics (`minValues`, `maxValues`) that are the key's values,
    for a number such as 7 stands in any text. Reads every file.
    """
    listed = files.files()
    found = [file.name for file in listed if _holds(files, file.name, key, rows)]
    return len(listed), sum(file.bytes for file in listed), found


def search_texts(files: Folder, key: Key) -> tuple[int, int, list[str]]:
    """The same of the files that manifests name, which are texts, packed or not."""
    listed = files.files()
    found = [file.name for file in listed if key.is_written_in(_unpacked(files.read(file.name) or b""))]
    return len(listed), sum(file.bytes for file in listed), found


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _holds(files: Folder, name: str, key: Key, rows: Rows) -> bool:
    with files.open(name) as opened:
        if not name.endswith(".parquet"):
            return any(_is_in_line(line, key) for line in opened)
        if name.startswith(f"{LOG}/"):
            return _is_in_checkpoint(opened, key)
        return count(opened, rows).total() > 0


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
    return any(key.is_in(one) for one in _bounds(value))


def _bounds(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name in ("minValues", "maxValues"):
                yield one
            yield from _bounds(one)
    elif isinstance(value, list):
        for one in value:
            yield from _bounds(one)
    elif isinstance(value, str) and value.startswith(("{", "[")):
        try:
            yield from _bounds(json.loads(value))
        except ValueError:
            return
