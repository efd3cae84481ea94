"""The bytes of a file, unpacked where it is packed, a piece at a time, and never more than it may unpack to."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import pyarrow as pa

from traintable.ingest.listing import path_of
from traintable.spark.task_results import UnreadableFile, UnreadableFiles

PIECE = 2**20
CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_ONLY_IN_HADOOP = (".deflate", ".lz4", ".snappy")


def codec_of(path: str) -> str | None:
    """How a file is compressed, by its name; None where it is not. Raises OSError for a codec that is not read here."""
    ending = os.path.splitext(path)[1]
    if ending in _ONLY_IN_HADOOP:
        raise OSError(f"it is compressed as {ending}; only {', '.join(CODECS)} are read")
    return CODECS.get(ending)


def pieces(stored: str | pa.Buffer, path: str, max_bytes: int, n_bytes: int = PIECE) -> Iterator[bytes]:
    """What a file holds, unpacked as its name says, `n_bytes` at a time; `stored` is its bytes, or where it lies.

    Raises OSError where it is damaged, or unpacks to more than `max_bytes`.
    """
    n = 0
    with pa.OSFile(stored) if isinstance(stored, str) else pa.BufferReader(stored) as opened:
        codec = codec_of(path)
        if codec and not opened.size():
            raise OSError(f"it is empty, which no {codec} file is")
        stream = pa.CompressedInputStream(opened, codec) if codec else opened
        while piece := stream.read(n_bytes):
            n += len(piece)
            if codec and n > max_bytes:
                raise OSError(f"it unpacks to more than {max_bytes:,} bytes (`source.max_file_bytes`)")
            yield piece


def beginning(stored: bytes, path: str, n: int) -> bytes:
    """The first `n` bytes of what a file holds; fewer where `stored`, the bytes that it begins with, has fewer."""
    first = bytearray()
    try:
        for piece in pieces(stored, path, sys.maxsize, n):
            first += piece
            if len(first) >= n:
                break
    except OSError:  # the rest is missing; or it is damaged, and reading it will say so
        pass
    return bytes(first[:n])


def read_at_least(content: Iterable[bytes], n: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `n` bytes or more, where there are so many, and the pieces that follow."""
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
    """Some content in UTF-8; content in UTF-8 stays as it is, valid or not."""
    return content if encoding == "utf-8" else content.decode(encoding).encode()


@contextmanager
def report_unreadable(address: str) -> Iterator[None]:
    """Raise an OSError of the body as UnreadableFiles of the file at this address."""
    try:
        yield
    except OSError as error:
        raise UnreadableFiles(UnreadableFile(path_of(address), str(error))) from error
