"""How many lines of a local file begin within a part of it, by their ends alone, where these are plain."""

from __future__ import annotations

import os
from codecs import BOM_UTF8

import numpy as np

_PIECE = 2**20
_LF, _CR, _SPACE = 10, 13, 32


def plain_count(path: str, start: int, end: int, *, keep_blank: bool) -> int | None:
    """The number of lines that begin from `start` until before `end`; None where that takes more than this.

    That is where a line ends otherwise than at LF, where a line may be of nothing but blanks that do not count, and
    after a byte order mark. Reads the bytes once, a piece at a time. Raises OSError where they are not all there.
    """
    if start == end:
        return 0
    n, is_first = 0, True  # whether a line begins with the next byte
    buffer = bytearray(_PIECE)
    with open(path, "rb", buffering=0) as file:
        if start:
            before = os.pread(file.fileno(), 1, start - 1)
            if before == b"\r":
                return None
            is_first = before == b"\n"
            file.seek(start)
        elif os.pread(file.fileno(), len(BOM_UTF8), 0) == BOM_UTF8:
            return None
        while start < end:
            size = file.readinto(memoryview(buffer)[: min(_PIECE, end - start)])
            if not size:
                raise OSError("it has become shorter")
            data = np.frombuffer(buffer, np.uint8, size)
            ends = data == _LF
            if (data == _CR).any() or (not keep_blank and _may_have_blanks(data, ends, is_first=is_first)):
                return None
            n += is_first + int(np.count_nonzero(ends[:-1]))
            is_first, start = bool(ends[-1]), start + size
    return n


def _may_have_blanks(data: np.ndarray, ends: np.ndarray, *, is_first: bool) -> bool:
    """Whether a line begins with a byte that one of nothing but blanks may begin, or end, with."""
    is_low = data <= _SPACE
    return bool((is_first and is_low[0]) or (ends[:-1] & is_low[1:]).any())
