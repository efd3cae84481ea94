"""The lines of plain local files, read by the tasks that parse them, so that no line passes through the JVM."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.contract.record_columns import BLOCK, PATH, PLACE, RAW
from traintable.ingest.formats.lines import count, cut, next_line
from traintable.ingest.formats.streams import as_utf8, report_unreadable
from traintable.ingest.listing import ListedFile, address_of
from traintable.ingest.records import CountedBlock, Work, with_positions
from traintable.spark.plans import parallelism
from traintable.spark.task_results import SCHEMA, TaskResult, to_batch, values_of
from traintable.spark.tasks import distribute, run_tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BLOCK_BYTES = 32 * 2**20  # of a file, read at once by one task
SHARE_BYTES = 4 * BLOCK_BYTES  # read by one task, block after block
_AHEAD = 2**16  # read to find the end of the last line
_PIECE = 2**20
_LF, _CR, _SPACE = 10, 13, 32


@dataclass(frozen=True)
class FileBlock:
    """The lines of a file that begin from byte `start` until before byte `end`; the file has `size` bytes."""

    path: str
    start: int
    end: int
    size: int


@dataclass(frozen=True)
class LocalLines:
    """The lines of files: `_raw` (text), `_path` (an address), `_block` and `_place` (from 0 within the block).

    Attributes
    ----------
    shares : the blocks of all files, as tasks read them.
    keep_blank : whether lines of nothing but blanks count.
    max_bytes : of a line that is longer the beginning is given, of at least one byte more.
    """

    spark: SparkSession
    shares: Sequence[Sequence[FileBlock]]
    keep_blank: bool
    encoding: str
    max_bytes: int

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of the batches of lines, each share of them in a task of its own."""
        read = partial(_batches, encoding=self.encoding, max_bytes=self.max_bytes)
        return run_tasks(self.spark, self.shares, lambda blocks: work(read(blocks)), schema)

    def with_positions(self, some: DataFrame, root: str) -> DataFrame:
        """`some` of the lines, with the number of each in its file; one pass."""
        return with_positions(some, self._count(keep_blank=True), root=root)

    def counts(self) -> Counter[str]:
        """How many lines count, by the address of their file; one pass."""
        counts: Counter[str] = Counter()
        for block in self._count(keep_blank=self.keep_blank):
            counts[block.path] += block.n
        return counts

    def _count(self, *, keep_blank: bool) -> list[CountedBlock]:
        count_share = partial(_count_share, keep_blank=keep_blank, max_bytes=self.max_bytes)
        answers = run_tasks(self.spark, self.shares, count_share, SCHEMA).collect()  # one row a block
        return [CountedBlock(*block) for block in values_of(row[0] for row in answers)]


def local_lines(
    spark: SparkSession, files: Sequence[ListedFile], *, keep_blank: bool, encoding: str, max_bytes: int
) -> LocalLines:
    """The lines of plain local files, in as many shares as make good use of the cores."""
    blocks = [
        FileBlock(file.path, start, min(start + BLOCK_BYTES, file.size), file.size)
        for file in files
        for start in range(0, max(file.size, 1), BLOCK_BYTES)
    ]
    n_bytes = sum(file.size for file in files)
    n_shares = max(1, min(len(blocks), max(parallelism(spark), -(-n_bytes // SHARE_BYTES))))
    shares = distribute(blocks, lambda block: block.end - block.start, n_shares)
    return LocalLines(spark, shares, keep_blank, encoding, max_bytes)


def _batches(blocks: Sequence[FileBlock], *, encoding: str, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """The lines of blocks as `_raw`, `_path`, `_block` and `_place`."""
    for block in blocks:
        first, address = 0, address_of(block.path)
        for raw in cut(as_utf8(_read(block, max_bytes), encoding)):
            n = len(raw)
            starts, places = np.full(n, block.start), np.arange(first, first + n)
            columns = [raw, pa.repeat(pa.scalar(address), n), pa.array(starts), pa.array(places)]
            yield pa.RecordBatch.from_arrays(columns, names=[RAW, PATH, BLOCK, PLACE])
            first += n


def _count_share(blocks: Sequence[FileBlock], *, keep_blank: bool, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """How many lines each block has, as results of a task."""
    count_lines = partial(_count_lines, keep_blank=keep_blank, max_bytes=max_bytes)
    yield to_batch(TaskResult.of(partial(count_lines, block)) for block in blocks)


def _count_lines(block: FileBlock, *, keep_blank: bool, max_bytes: int) -> CountedBlock:
    address = address_of(block.path)
    with report_unreadable(address):
        n = plain_count(block.path, block.start, block.end, keep_blank=keep_blank)
    if n is None:
        n = count(_read(block, max_bytes), keep_blank=keep_blank, max_bytes=max_bytes)
    return CountedBlock(address, block.start, 0, n)


def _read(block: FileBlock, max_bytes: int) -> bytes:
    """The bytes of the lines that begin within a block, with their ends."""
    with report_unreadable(address_of(block.path)), open(block.path, "rb", buffering=0) as opened:
        file = opened.fileno()
        if os.fstat(file).st_size < block.end:
            raise OSError("it is shorter than when it was listed")
        previous = _exactly(file, block.start - 1, 1) if block.start else b"\n"
        content = _exactly(file, block.start, block.end - block.start)
        content += _rest(file, block, content, max_bytes)
    if block.start == 0:
        return content.removeprefix(BOM_UTF8)
    return content[_first_line(previous, content) :]


def _exactly(file: int, start: int, n: int) -> bytes:
    content = os.pread(file, n, start)
    while len(content) < n:
        more = os.pread(file, n - len(content), start + len(content))
        if not more:
            raise OSError("it has become shorter")
        content += more
    return content


def _first_line(previous: bytes, content: bytes) -> int:
    """Where the first line begins that does so within the content; `previous` is the byte in front of it."""
    if previous == b"\n" or (previous == b"\r" and not content.startswith(b"\n")):
        return 0
    at = next_line(content)
    return len(content) if at is None else at


def _rest(file: int, block: FileBlock, content: bytes, max_bytes: int) -> bytes:
    """What follows the block of the line that begins last in it, with its end; no more than shows it is too long."""
    at, parts = block.end, []
    last = content[-1:]
    if last == b"\n" or at >= block.size:
        return b""
    if last == b"\r":  # the line has ended, but for an LF that belongs to the same end
        return b"\n" if _exactly(file, at, 1) == b"\n" else b""
    while at < block.size and at - block.end <= max_bytes:
        piece = _exactly(file, at, min(_AHEAD, block.size - at))
        end = next_line(piece)
        if end is not None:
            parts.append(piece[:end])
            if piece[end - 1 : end] == b"\r" and at + end < block.size and _exactly(file, at + end, 1) == b"\n":
                parts.append(b"\n")
            break
        parts.append(piece)
        at += len(piece)
    return b"".join(parts)


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
            previous = os.pread(file.fileno(), 1, start - 1)
            if previous == b"\r":
                return None
            is_first = previous == b"\n"
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
