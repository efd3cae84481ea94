"""Which columns are missing together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.arrays import Ints
from traintable.statistics.chunk import Chunk

MAX_PATTERNS = 10_000


class MissingnessRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads; patterns hexadecimal."""

    columns: list[str]
    patterns: dict[str, int]
    n_other: int
    n_missing: list[int]


class Missingness:
    """How many rows have each pattern of missing values among `columns`.

    A pattern is the set of the columns that have no value. Beyond 10,000 patterns the rarest are counted together in
    `n_other`; then each count is exact for the patterns since they were last in, and `n_other` bounds what they lack.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.patterns: Counter[bytes] = Counter()
        self.n_other = 0
        self.n_missing: Ints = np.zeros(len(self.columns), np.int64)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        width = (len(self.columns) + 7) // 8
        if not width or not chunk.n_rows:
            return
        where = np.stack([chunk.is_null(name) for name in self.columns])
        self.n_missing += where.sum(axis=1)
        missing = np.packbits(where, axis=0)
        if not missing.any():
            self.patterns[bytes(width)] += chunk.n_rows
            return
        rows = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(width), chunk.n_rows, [None, pa.py_buffer(np.ascontiguousarray(missing.T).tobytes())]
        )
        counts = pc.value_counts(rows)
        self.patterns.update(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))
        self._bound()

    def _bound(self) -> None:
        if len(self.patterns) > MAX_PATTERNS:
            ranked = sorted(self.patterns.items(), key=lambda pair: (-pair[1], pair[0]))
            self.n_other += sum(n for _, n in ranked[MAX_PATTERNS // 2 :])
            self.patterns = Counter(dict(ranked[: MAX_PATTERNS // 2]))

    def merge(self, other: Missingness) -> None:
        """Add the rows of another state of the same columns."""
        self.patterns.update(other.patterns)
        self.n_other += other.n_other
        self.n_missing += other.n_missing
        self._bound()

    def most_frequent(self, n: int) -> list[tuple[tuple[str, ...], int]]:
        """At most `n` patterns, each as the names of the missing columns, and the rows that have it."""
        ranked = sorted(self.patterns.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
        return [(self._names(pattern), count) for pattern, count in ranked]

    def _names(self, pattern: bytes) -> tuple[str, ...]:
        bits = np.unpackbits(np.frombuffer(pattern, np.uint8))[: len(self.columns)]
        return tuple(name for name, bit in zip(self.columns, bits, strict=True) if bit)

    def to_dict(self) -> MissingnessRecord:
        """The state as plain values for JSON."""
        patterns = {pattern.hex(): n for pattern, n in self.patterns.items()}
        return {
            "columns": list(self.columns),
            "patterns": patterns,
            "n_other": self.n_other,
            "n_missing": self.n_missing.tolist(),
        }

    @classmethod
    def from_dict(cls, state: MissingnessRecord) -> Missingness:
        """The state that `to_dict` wrote."""
        missingness = cls(state["columns"])
        missingness.patterns = Counter({bytes.fromhex(pattern): n for pattern, n in state["patterns"].items()})
        missingness.n_other = state["n_other"]
        missingness.n_missing = np.array(state["n_missing"], np.int64)
        return missingness
