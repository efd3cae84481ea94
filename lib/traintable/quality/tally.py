"""How many rows there are, counted by the tasks that write them."""

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
    n : all rows that the gate looks at.
    n_set_aside : those of them that are not to be published.
    rows : how many of the others are in each split.
    classes : and how many in each split and class, by `split_class`.
    hashes : the sum of their hashes, of which `hash_of` makes the content hash.
    """

    n: int = 0
    n_set_aside: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    hashes: int = 0

    def add(self, rows: pa.RecordBatch, split: str | None) -> None:
        """Add audited rows of one split, none of which is set aside; what is no split of ours is not counted there."""
        if split not in SPLITS or not len(rows):
            return
        self.rows[split] += len(rows)
        self.hashes += _sum(rows.column(ROW_HASH))
        for pair in pc.value_counts(rows.column(SPLIT_CLASS)).to_pylist():
            self.classes[pair["values"]] += pair["counts"]

    def merge(self, other: Tally) -> None:
        """Add the rows of another one."""
        self.n += other.n
        self.n_set_aside += other.n_set_aside
        self.rows += other.rows
        self.classes += other.classes
        self.hashes += other.hashes

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Tally:
        """What `to_dict` has made."""
        return cls(**{**told, "rows": Counter(told["rows"]), "classes": Counter(told["classes"])})


def _sum(hashes: pa.Array) -> int:
    """The exact sum of 64-bit numbers, whose halves do not run over for 2**31 rows."""
    values = hashes.to_numpy(zero_copy_only=False)
    return (int(np.sum(values >> 32)) << 32) + int(np.sum(values & np.int64(2**32 - 1)))
