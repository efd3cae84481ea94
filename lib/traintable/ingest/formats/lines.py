"""Lines, as Spark ends them: at LF, CRLF or CR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

BATCH_LINES = 2**15
_LF, _CR = 10, 13
_BLANKS = b" \t\n\f\r"  # those of the pattern by which blank records are skipped


def extents(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where lines start and end (without their line ends)."""
    data = np.frombuffer(content, np.uint8)
    stops = np.flatnonzero(data == _LF)
    ends = stops
    returns = np.flatnonzero(data == _CR)
    if len(returns):
        followed = np.append(data[1:], 0)[returns] == _LF
        alone = returns[~followed]
        ends = np.concatenate([stops - np.isin(stops - 1, returns), alone])
        stops = np.concatenate([stops, alone])
        order = np.argsort(stops, kind="stable")
        stops, ends = stops[order], ends[order]
    starts = np.concatenate([[0], stops + 1])
    if starts[-1] < len(data):
        return starts, np.append(ends, len(data))
    return starts[:-1], ends


def cut(content: bytes) -> Iterator[pa.StringArray]:
    """The lines of some content, without their ends, in batches."""
    data = np.frombuffer(content, np.uint8)
    starts, ends = extents(content)
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    kept = data[(data != _LF) & (data != _CR)]
    for first in range(0, len(starts), BATCH_LINES):
        own = offsets[first : first + BATCH_LINES + 1]
        text = pa.py_buffer(kept[own[0] : own[-1]])
        yield pa.StringArray.from_buffers(len(own) - 1, pa.py_buffer((own - own[0]).astype(np.int32)), text)


def count(content: bytes, *, keep_blank: bool, max_bytes: int) -> int:
    """How many lines some content has, those of nothing but blanks only where they count (`keep_blank`).

    A line of more than `max_bytes` always counts, for there may be more of it than is given.
    """
    starts, ends = extents(content)
    return len(starts) if keep_blank else len(starts) - _n_blank(content, starts, ends, max_bytes)


def _n_blank(content: bytes, starts: np.ndarray, ends: np.ndarray, max_bytes: int) -> int:
    """How many lines are of nothing but blanks: only those that begin with one can be."""
    data = np.frombuffer(content, np.uint8)
    is_empty = starts == ends
    first = data[np.minimum(starts, len(data) - 1)] if len(data) else starts
    suspects = np.flatnonzero(
        ~is_empty & (ends - starts <= max_bytes) & np.isin(first, np.frombuffer(_BLANKS, np.uint8))
    )
    n_spaces = sum(not content[starts[i] : ends[i]].strip(_BLANKS) for i in suspects)
    return int(is_empty.sum()) + n_spaces


def end_with_lines(pieces: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Pieces cut anew, so that each ends with a line.

    Of a line of more than `max_bytes` its beginning is given, of at least one byte more.
    """
    started, n = list[bytes](), 0  # a line whose end has not come yet, and its length
    for piece in keep_crlf_whole(pieces):
        if n > max_bytes:
            piece = piece[first_end(piece) :]
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if end:
            yield b"".join([*started, piece[:end]])
            started, n = [], 0
        started.append(piece[end:][: max_bytes + 1 - n])
        n += len(started[-1])
    if n:
        yield b"".join(started)


def keep_crlf_whole(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces cut anew, so that none ends within a CRLF."""
    carried = b""
    for piece in pieces:
        content = carried + piece
        carried = b"\r" if content.endswith(b"\r") else b""
        yield content.removesuffix(b"\r")
    yield carried


def first_end(content: bytes) -> int:
    """Where the first line of some content ends; its length where it does not."""
    ends = [at for at in (content.find(b"\n"), content.find(b"\r")) if at >= 0]
    return min(ends, default=len(content))


def next_line(content: bytes) -> int | None:
    """Where the second line of some content begins; None where the first has no end."""
    end = first_end(content)
    if end == len(content):
        return None
    return end + 2 if content[end : end + 2] == b"\r\n" else end + 1


def read_doubling(source: Iterator[bytes], start: bytes) -> tuple[bytes, bool]:
    """`start` with at least as much again from the source, and whether the source ends with it.

    As the content doubles each time, no byte is searched often.
    """
    parts, n = [start], 0
    for piece in source:
        parts.append(piece)
        n += len(piece)
        if n >= max(len(start), 1):
            return b"".join(parts), False
    return b"".join(parts), True


def skip_line(source: Iterator[bytes]) -> bytes:
    """What follows the first line end in its piece; pieces without one are skipped."""
    for piece in source:
        at = next_line(piece)
        if at is not None:
            return piece[at:]
    return b""
