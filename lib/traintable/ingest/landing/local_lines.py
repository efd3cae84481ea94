"""The lines of plain local files, read by the tasks that parse them, so that no line passes through the JVM."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from traintable.ingest.landing.listing import FoundFile
from traintable.ingest.landing.records import BLOCK, PATH, PLACE, RAW, Work
from traintable.session import parallelism

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SPLIT_BYTES = 32 * 2**20  # of a file, read at once by one task
BATCH_LINES = 2**15
_AHEAD = 2**16  # read to find the end of the last line
_LF, _CR = 10, 13
_MAX_LINE = 2**30
_BLANKS = b" \t\n\f\r"  # those of the pattern that leaves blank records out


@dataclass(frozen=True)
class Split:
    """The lines of a file that begin from `start` until before `end`."""

    path: str
    start: int
    end: int
    size: int

    @property
    def address(self) -> str:
        """The file's address, as Spark gives it."""
        return f"file:{quote(self.path)}"


@dataclass(frozen=True)
class LocalLines:
    """The lines of files; `_raw`, `_path`, `_block` and `_place` are what `records.lines` says they are.

    Attributes
    ----------
    keep_blank : whether lines of nothing but blanks count.
    """

    spark: SparkSession
    parts: Sequence[Sequence[Split]]
    keep_blank: bool

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of the batches of lines, each part of them in a task of its own."""
        return self._per_part(lambda splits: work(_batches(splits)), schema)

    def blocks(self) -> DataFrame:
        """Of each block `first`, the place of its first line, and `n`, how many it has; one pass."""
        return self._counted(keep_blank=True)

    def counts(self) -> DataFrame:
        """Of each block `n`, how many lines count; one pass."""
        return self._counted(keep_blank=self.keep_blank)

    def _counted(self, *, keep_blank: bool) -> DataFrame:
        schema = f"{PATH} string, {BLOCK} bigint, first bigint, n bigint"
        return self._per_part(lambda splits: _counted(splits, keep_blank=keep_blank), schema)

    def _per_part(self, work: Callable[[Sequence[Split]], Iterator[pa.RecordBatch]], schema: str) -> DataFrame:
        parts = self.parts

        def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from work(parts[number])

        return self.spark.range(0, len(parts), 1, len(parts)).mapInArrow(task, schema)


def local_lines(spark: SparkSession, files: Sequence[FoundFile], *, keep_blank: bool) -> LocalLines:
    """The lines of plain local files of UTF-8, in as many parts as make good use of the cores."""
    splits = [
        Split(file.path, start, min(start + SPLIT_BYTES, file.size), file.size)
        for file in files
        for start in range(0, max(file.size, 1), SPLIT_BYTES)
    ]
    n_parts = max(1, min(len(splits), max(parallelism(spark), -(-sum(f.size for f in files) // SPLIT_BYTES))))
    parts: list[list[Split]] = [[] for _ in range(n_parts)]
    loads = [(0, i) for i in range(n_parts)]  # a heap: the part that has least to read comes first
    for split in sorted(splits, key=lambda one: (one.start - one.end, one.path, one.start)):
        load, least = loads[0]
        parts[least].append(split)
        heapreplace(loads, (load + split.end - split.start, least))
    return LocalLines(spark, parts, keep_blank)


def _batches(splits: Sequence[Split]) -> Iterator[pa.RecordBatch]:
    """The lines of splits as `_raw`, `_path`, `_block` and `_place`."""
    for split in splits:
        content = _read(split)
        kept, lengths = _cut(content)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        for first in range(0, len(lengths), BATCH_LINES):
            own = offsets[first : first + BATCH_LINES + 1]
            n = len(own) - 1
            text = pa.py_buffer(kept[own[0] : own[-1]])
            raw = pa.StringArray.from_buffers(n, pa.py_buffer((own - own[0]).astype(np.int32)), text)
            block, place = np.full(n, split.start), np.arange(first, first + n)
            columns = [raw, pa.repeat(pa.scalar(split.address), n), pa.array(block), pa.array(place)]
            yield pa.RecordBatch.from_arrays(columns, names=[RAW, PATH, BLOCK, PLACE])


def _counted(splits: Sequence[Split], *, keep_blank: bool) -> Iterator[pa.RecordBatch]:
    """How many lines each split has."""
    for split in splits:
        content = _read(split)
        starts, ends = _extents(np.frombuffer(content, np.uint8))
        n = len(starts) if keep_blank else len(starts) - _n_blank(content, starts, ends)
        columns = [[split.address], [split.start], [0], [n]]
        yield pa.RecordBatch.from_pydict(dict(zip((PATH, BLOCK, "first", "n"), columns, strict=True)))


def _n_blank(content: bytes, starts: np.ndarray, ends: np.ndarray) -> int:
    """How many lines are of nothing but blanks: only those that begin with one can be."""
    data = np.frombuffer(content, np.uint8)
    is_empty = starts == ends
    first = data[np.minimum(starts, len(data) - 1)] if len(data) else starts
    suspects = np.flatnonzero(~is_empty & np.isin(first, np.frombuffer(_BLANKS, np.uint8)))
    n_spaces = sum(not content[starts[i] : ends[i]].strip(_BLANKS) for i in suspects)
    return int(is_empty.sum()) + n_spaces


def _cut(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of lines without their ends, one line after the other, and the length of each."""
    data = np.frombuffer(content, np.uint8)
    starts, ends = _extents(data)
    lengths = ends - starts
    between = (data != _LF) & (data != _CR)
    return data[between], lengths


def _extents(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where lines start and end (without their line ends): at LF, CRLF, CR, or the end of the data."""
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


def _read(split: Split) -> bytes:
    """The bytes of the lines that begin within a split, with their ends."""
    try:
        with open(split.path, "rb", buffering=0) as opened:
            file = opened.fileno()
            if os.fstat(file).st_size < split.end:
                raise OSError("it is shorter than when it was listed")
            before = _exactly(file, split.start - 1, 1) if split.start else b"\n"
            content = _exactly(file, split.start, split.end - split.start)
            content += _rest(file, split, content)
    except OSError as error:
        text = f"[FAILED_READ_FILE] Encountered error while reading file {split.address}. "
        raise RuntimeError(f"{text}\nCaused by: {error}") from error
    if split.start == 0:
        return content.removeprefix(b"\xef\xbb\xbf")
    return content[_first_line(before, content) :]


def _exactly(file: int, start: int, n: int) -> bytes:
    content = os.pread(file, n, start)
    while len(content) < n:
        more = os.pread(file, n - len(content), start + len(content))
        if not more:
            raise OSError("it has become shorter")
        content += more
    return content


def _first_line(before: bytes, content: bytes) -> int:
    """Where the first line begins that does so within the content; `before` is the byte in front of it."""
    if before == b"\n" or (before == b"\r" and not content.startswith(b"\n")):
        return 0
    at = _after_first_end(content)
    if at is None:
        return len(content)
    return at + 1 if content[at - 1 : at + 1] == b"\r\n" else at


def _after_first_end(content: bytes) -> int | None:
    """What follows the first LF or CR; None where there is none."""
    found = [at + 1 for at in (content.find(b"\n"), content.find(b"\r")) if at >= 0]
    return min(found, default=None)


def _rest(file: int, split: Split, content: bytes) -> bytes:
    """What follows the split of the line that begins last in it, with its end."""
    at, parts = split.end, []
    last = content[-1:]
    if last == b"\n" or at >= split.size:
        return b""
    if last == b"\r":  # the line has ended, but for an LF that belongs to the same end
        return b"\n" if _exactly(file, at, 1) == b"\n" else b""
    while at < split.size:
        piece = _exactly(file, at, min(_AHEAD, split.size - at))
        end = _after_first_end(piece)
        if end is not None:
            parts.append(piece[:end])
            if piece[end - 1 : end] == b"\r" and at + end < split.size and _exactly(file, at + end, 1) == b"\n":
                parts.append(b"\n")
            break
        parts.append(piece)
        at += len(piece)
        if at - split.end > _MAX_LINE:
            raise OSError(f"a line of more than {_MAX_LINE:,} bytes")
    return b"".join(parts)
