"""The cutter of lines, for files that one task reads; and batches and blanks, as all cutters have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.ingest.formats.lines import count, cut, end_with_lines
from traintable.ingest.formats.streams import in_utf8
from traintable.ingest.formats.whole_files import Numbered

_BATCH_BYTES, _BATCH_RECORDS = 2**23, 2**15


@dataclass(frozen=True)
class Lines:
    """Cuts a file into its lines; of one of more than `max_bytes` the beginning is given, of at least one byte more."""

    keep_blank: bool
    encoding: str
    max_bytes: int

    def cut(self, content: Iterable[bytes]) -> Iterator[Numbered]:
        """The lines and their numbers."""
        n = 0
        for piece in end_with_lines(in_utf8(content, self.encoding), self.max_bytes):
            for lines in cut(piece):
                yield lines, np.arange(n + 1, n + 1 + len(lines))
                n += len(lines)

    def count(self, content: Iterable[bytes]) -> int:
        """How many lines count."""
        whole = end_with_lines(in_utf8(content, self.encoding), self.max_bytes)
        return sum(count(piece, keep_blank=self.keep_blank, max_bytes=self.max_bytes) for piece in whole)


def in_batches(records: Iterable[tuple[bytes, int]]) -> Iterator[Numbered]:
    """Records and their numbers in batches of bounded size."""
    raws, numbers, n_bytes = list[bytes](), list[int](), 0
    for raw, number in records:
        raws.append(raw)
        numbers.append(number)
        n_bytes += len(raw)
        if n_bytes > _BATCH_BYTES or len(raws) >= _BATCH_RECORDS:
            yield _batch(raws, numbers)
            raws, numbers, n_bytes = [], [], 0
    if raws:
        yield _batch(raws, numbers)


def _batch(raws: list[bytes], numbers: list[int]) -> Numbered:
    # The bytes may be no valid text, which is for the contract to find.
    return pa.array(raws, pa.binary()).view(pa.string()), np.array(numbers, np.int64)


def is_blank(raw: pa.Array, max_bytes: int) -> pa.Array:
    """Which records are nothing but blanks; none of more than `max_bytes`, for there may be more than is given."""
    is_short = pc.less_equal(pc.binary_length(raw), max_bytes)
    return pc.and_(is_short, pc.match_substring_regex(raw.cast(pa.binary()), rb"^\s*$"))


def count_records(batches: Iterable[Numbered], max_bytes: int) -> int:
    """How many records there are, without blank ones."""
    return sum(len(raw) - (pc.sum(is_blank(raw, max_bytes)).as_py() or 0) for raw, _ in batches)
