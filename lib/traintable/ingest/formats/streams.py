"""The bytes of a file, unpacked where it is packed, a piece at a time, and never more than it may unpack to."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any
from urllib.parse import quote

import pyarrow as pa

PIECE = 2**20
PACKINGS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_OF_HADOOP = (".deflate", ".lz4", ".snappy")


def codec_of(path: str) -> str | None:
    """How a file is packed, by its name; None where it is not. Raises OSError for a packing that is not unpacked."""
    ending = os.path.splitext(path)[1]
    if ending in _OF_HADOOP:
        raise OSError(f"it is packed as {ending}; {', '.join(PACKINGS)} are unpacked")
    return PACKINGS.get(ending)


def pieces(stored: Any, path: str, max_bytes: int, n_bytes: int = PIECE) -> Iterator[bytes]:
    """What a file holds, unpacked as its name says, `n_bytes` at a time; `stored` is its bytes, or where it lies.

    Raises OSError where it is damaged, or unpacks to more than `max_bytes`.
    """
    n = 0
    with pa.OSFile(stored) if isinstance(stored, str) else pa.BufferReader(stored) as opened:
        codec = codec_of(path)
        if codec and not opened.size():
            raise OSError(f"it is empty, and so no {codec}")
        stream = pa.CompressedInputStream(opened, codec) if codec else opened
        while piece := stream.read(n_bytes):
            n += len(piece)
            if codec and n > max_bytes:
                raise OSError(f"it unpacks to more than {max_bytes:,} bytes (`source.max_file_bytes`)")
            yield piece


def beginning(stored: bytes, path: str, n: int) -> bytes:
    """The first `n` bytes of what a file holds that begins with `stored`, as far as these tell."""
    found = bytearray()
    try:
        for piece in pieces(stored, path, sys.maxsize, n):
            found += piece
            if len(found) >= n:
                break
    except OSError:  # the rest is missing, or it is damaged, which reading it will tell
        pass
    return bytes(found[:n])


def read_at_least(content: Iterable[bytes], n: int) -> tuple[bytes, Iterator[bytes]]:
    """The first pieces, as many as have `n` bytes where there are so many, and those that follow."""
    source, first = iter(content), b""
    while len(first) < n and (piece := next(source, b"")):
        first += piece
    return first, source


def in_utf8(content: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces in UTF-8, without the byte order mark of it that they may begin with."""
    first, source = read_at_least(content, len(BOM_UTF8))
    for piece in chain([first.removeprefix(BOM_UTF8)], source):
        yield as_utf8(piece, encoding)


def as_utf8(content: bytes, encoding: str) -> bytes:
    """Some content in UTF-8; what is no text in that encoding stays as it is, to be found when it is read."""
    return content if encoding == "utf-8" else content.decode(encoding).encode()


def address_of(path: str) -> str:
    """A local file's address, as Spark gives it."""
    return f"file:{quote(path)}"


@contextmanager
def report_unreadable(address: str) -> Iterator[None]:
    """Tell of an OSError of the body as Spark tells of a file that its own tasks can't read."""
    try:
        yield
    except OSError as error:
        text = f"[FAILED_READ_FILE] Encountered error while reading file {address}. "
        raise RuntimeError(f"{text}\nCaused by: {error}") from error
