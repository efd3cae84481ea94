"""The lines of plain local files, read by the tasks that parse them, so that no line passes through the JVM."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from traintable.addresses import escaped
from traintable.contract.record_columns import BLOCK, PATH, PLACE, RAW
from traintable.ingest.listing import ListedFile
from traintable.ingest.records import SparkRecords

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from traintable.ingest.formats.lines import count, cut, next_line
from traintable.ingest.formats.streams import address_of, as_utf8, report_unreadable
from traintable.ingest.records import Work, numbered
from traintable.spark.plans import parallelism
from traintable.spark.tasks import distribute, run_tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SPLIT_BYTES = 32 * 2**20  # of a file, read at once by one task
PART_BYTES = 4 * SPLIT_BYTES  # read by one task, one after the other
_AHEAD = 2**16  # read to find the end of the last line


@dataclass(frozen=True)
class Split:
    """The lines of a file that begin from `start` until before `end`."""

    path: str
    start: int
    end: int
    size: int


@dataclass(frozen=True)
class LocalLines:
    """The lines of files; `_raw`, `_path`, `_block` and `_place` are what `spark_lines.lines` says they are.

    Attributes
    ----------
    keep_blank : whether lines of nothing but blanks count.
    max_bytes : of a line that is longer the beginning is given, of at least one byte more.
    """

    spark: SparkSession
    parts: Sequence[Sequence[Split]]
    keep_blank: bool
    encoding: str
    max_bytes: int

    def map(self, work: Work, schema: str) -> DataFrame:
        """What `work` makes of the batches of lines, each part of them in a task of its own."""
        read = partial(_batches, encoding=self.encoding, max_bytes=self.max_bytes)
        return run_tasks(self.spark, self.parts, lambda splits: work(read(splits)), schema)

    def numbered(self, found: DataFrame, root: str) -> DataFrame:
        """`found`, some of the lines, with the number of each in its file; one pass."""
        return numbered(found, self._counted(keep_blank=True), root=root)

    def counts(self) -> DataFrame:
        """Of each block `n`, how many lines count; one pass."""
        return self._counted(keep_blank=self.keep_blank)

    def _counted(self, *, keep_blank: bool) -> DataFrame:
        read = partial(_counted, keep_blank=keep_blank, max_bytes=self.max_bytes)
        return run_tasks(self.spark, self.parts, read, f"{PATH} string, {BLOCK} bigint, first bigint, n bigint")


def local_lines(
    spark: SparkSession, files: Sequence[ListedFile], *, keep_blank: bool, encoding: str, max_bytes: int
) -> LocalLines:
    """The lines of plain local files, in as many parts as make good use of the cores."""
    splits = [
        Split(file.path, start, min(start + SPLIT_BYTES, file.size), file.size)
        for file in files
        for start in range(0, max(file.size, 1), SPLIT_BYTES)
    ]
    n_bytes = sum(file.size for file in files)
    n_parts = max(1, min(len(splits), max(parallelism(spark), -(-n_bytes // PART_BYTES))))
    parts = distribute(splits, lambda split: split.end - split.start, n_parts)
    return LocalLines(spark, parts, keep_blank, encoding, max_bytes)


def _batches(splits: Sequence[Split], *, encoding: str, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """The lines of splits as `_raw`, `_path`, `_block` and `_place`."""
    for split in splits:
        first, address = 0, address_of(split.path)
        for raw in cut(as_utf8(_read(split, max_bytes), encoding)):
            n = len(raw)
            block, place = np.full(n, split.start), np.arange(first, first + n)
            columns = [raw, pa.repeat(pa.scalar(address), n), pa.array(block), pa.array(place)]
            yield pa.RecordBatch.from_arrays(columns, names=[RAW, PATH, BLOCK, PLACE])
            first += n


def _counted(splits: Sequence[Split], *, keep_blank: bool, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """How many lines each split has."""
    for split in splits:
        address = address_of(split.path)
        with report_unreadable(address):
            n = plain_count(split.path, split.start, split.end, keep_blank=keep_blank)
        if n is None:
            n = count(_read(split, max_bytes), keep_blank=keep_blank, max_bytes=max_bytes)
        columns = [[address], [split.start], [0], [n]]
        yield pa.RecordBatch.from_pydict(dict(zip((PATH, BLOCK, "first", "n"), columns, strict=True)))


def _read(split: Split, max_bytes: int) -> bytes:
    """The bytes of the lines that begin within a split, with their ends."""
    with report_unreadable(address_of(split.path)), open(split.path, "rb", buffering=0) as opened:
        file = opened.fileno()
        if os.fstat(file).st_size < split.end:
            raise OSError("it is shorter than when it was listed")
        before = _exactly(file, split.start - 1, 1) if split.start else b"\n"
        content = _exactly(file, split.start, split.end - split.start)
        content += _rest(file, split, content, max_bytes)
    if split.start == 0:
        return content.removeprefix(BOM_UTF8)
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
    at = next_line(content)
    return len(content) if at is None else at


def _rest(file: int, split: Split, content: bytes, max_bytes: int) -> bytes:
    """What follows the split of the line that begins last in it, with its end, or as much as tells it is too long."""
    at, parts = split.end, []
    last = content[-1:]
    if last == b"\n" or at >= split.size:
        return b""
    if last == b"\r":  # the line has ended, but for an LF that belongs to the same end
        return b"\n" if _exactly(file, at, 1) == b"\n" else b""
    while at < split.size and at - split.end <= max_bytes:
        piece = _exactly(file, at, min(_AHEAD, split.size - at))
        end = next_line(piece)
        if end is not None:
            parts.append(piece[:end])
            if piece[end - 1 : end] == b"\r" and at + end < split.size and _exactly(file, at + end, 1) == b"\n":
                parts.append(b"\n")
            break
        parts.append(piece)
        at += len(piece)
    return b"".join(parts)


def spark_lines(
    spark: SparkSession, files: Sequence[ListedFile], *, keep_blank: bool, encoding: str, max_bytes: int
) -> SparkRecords:
    """The lines of files: `_raw` (text), `_path` (an address), and where a line is: `_block` and `_place` within it.

    A block is a part of a file that one task reads; places ascend within it. Lines end at LF, CRLF or CR; a byte order
    mark is none of the text. Costs no pass.
    """
    found = spark.read.text([escaped(file.path) for file in files])
    raw = F.col("value") if encoding == "utf-8" else F.decode(F.col("value").cast("binary"), encoding)
    rows = found.select(
        raw.alias(RAW),
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_block_start").alias(BLOCK),
        F.monotonically_increasing_id().alias(PLACE),
    )
    return SparkRecords(rows, keep_blank, max_bytes)


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
