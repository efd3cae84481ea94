"""Records read as an extraction reads them, without Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import pyarrow as pa

from traintable.config.promise import Promise
from traintable.config.sources import TextSource
from traintable.contract.rules import fields_of
from traintable.ingest.formats.blocks import Block
from traintable.ingest.formats.headers import Header
from traintable.ingest.formats.text_rows import reader
from traintable.ingest.formats.whole_files import Cutter

COLUMNS = {
    "id": {"type": "bigint", "nullable": False, "min": 0},
    "name": {},
    "x": {"type": "double"},
    "at": {"type": "timestamp"},
}


def promises(columns: Mapping[str, Any]) -> dict[str, Promise]:
    return {name: Promise.model_validate(promise) for name, promise in columns.items()}


def source(kind: str, **options: Any) -> TextSource:
    return TextSource.model_validate({"format": kind, "path": "x", **options})


def of(
    kind: str,
    records: Sequence[str | bytes],
    columns: Mapping[str, Any] = COLUMNS,
    *,
    names: Sequence[str] | None = None,
    **options: Any,
) -> Block:
    """The block that these records make."""
    fields, given = fields_of(promises(columns)), source(kind, **options)
    contents = [record.encode() if isinstance(record, str) else record for record in records]
    read = reader(Header("", tuple(names)) if names else None, given, fields)
    return read(pa.array(contents, pa.binary()).view(pa.string()))


def rows(block: Block) -> list[tuple[Any, ...] | list[tuple[str, str]]]:
    """Of each record its values, or what is wrong with it."""
    values = list(zip(*(column.to_pylist() for column in block.columns), strict=True))
    return [block.reasons.get(i, row) for i, row in enumerate(values)]


def reasons(block: Block, n: int) -> list[list[str]]:
    """Of each record the reasons against it."""
    return [[reason for reason, _ in block.reasons.get(row, [])] for row in range(n)]


def in_pieces(content: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """Some content in pieces of these sizes, over and over."""
    at = 0
    for size in cycle(sizes):
        if at >= len(content):
            return
        yield content[at : at + size]
        at += size


def cut(cutter: Cutter, content: bytes, sizes: Sequence[int] = (2**20,)) -> list[tuple[bytes, int]]:
    """The records that a cutter gives, and their numbers."""
    return [
        (raw.as_py(), number)
        for raws, numbers in cutter.cut(in_pieces(content, sizes))
        for raw, number in zip(raws.view(pa.binary()), numbers.tolist(), strict=True)
    ]
