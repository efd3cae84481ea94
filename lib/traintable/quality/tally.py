"""The number of rows, counted by the tasks that write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.columns import SPLITS
from traintable.quality.suite import SPLIT_CLASS
from traintable.statistics.content_hash import ROW_HASH


@dataclass
class Tally:
    """Counts of rows; those of several tasks add up.

    Attributes
    ----------
    n : all rows that the gate checks.
    n_quarantined : those of them that break a rule of level quarantine, and are not published.
    rows : how many of the others are in each split.
    classes : how many of the others are in each split and class, by `split_class`.
    hashes : the sum of their hashes, from which `hash_of` makes the content hash.
    """

    n: int = 0
    n_quarantined: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    hashes: int = 0

    def add(self, rows: pa.RecordBatch, split: str | None) -> None:
        """Add rows of a split, none of which is quarantined; those of an unknown split are not counted."""
        if split not in SPLITS or not len(rows):
            return
        self.rows[split] += len(rows)
        self.hashes += _sum(rows.column(ROW_HASH))
        for pair in pc.value_counts(rows.column(SPLIT_CLASS)).to_pylist():
            self.classes[pair["values"]] += pair["counts"]

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.n += other.n
        self.n_quarantined += other.n_quarantined
        self.rows += other.rows
        self.classes += other.classes
        self.hashes += other.hashes

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tally:
        """The tally that `to_dict` described."""
        return cls(**{**data, "rows": Counter(data["rows"]), "classes": Counter(data["classes"])})


def _sum(hashes: pa.Array) -> int:
    """The exact sum of 64-bit numbers; sums of their halves do not overflow below 2**31 rows."""
    values = hashes.to_numpy(zero_copy_only=False)
    return (int(np.sum(values >> 32)) << 32) + int(np.sum(values & np.int64(2**32 - 1)))
