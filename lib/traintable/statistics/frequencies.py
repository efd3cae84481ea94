"""Exact counts of the values of categorical columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from traintable.errors import ConfigError

MAX_DISTINCT = 200_000


@dataclass
class Frequencies:
    """How often each value of `column` occurs, read as text; None stands for null."""

    column: str
    counts: Counter[str | None] = field(default_factory=Counter)

    def update(self, values: pa.Array) -> None:
        """Add the values of one batch. Raises ConfigError when there are more than 200,000 different ones."""
        counted = pc.value_counts(values.cast(pa.string()))
        for value, n in zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True):
            self.counts[value] += n
        self._check()

    def merge(self, other: Frequencies) -> None:
        """Add the counts of another state of the same column."""
        self.counts.update(other.counts)
        self._check()

    def _check(self) -> None:
        if len(self.counts) > MAX_DISTINCT:
            raise ConfigError(
                where=f"column '{self.column}'",
                expected=f"a category of at most {MAX_DISTINCT:,} values",
                found="more",
                remedy="It looks like a key or free text: leave it out of `prepare.features`.",
            )

    def vocabulary(self, *, top_k: int, min_frequency: int = 1) -> list[str]:
        """The most frequent values, most frequent first, ties by value; null is not among them."""
        kept = [(value, n) for value, n in self.counts.items() if value is not None and n >= min_frequency]
        kept.sort(key=lambda pair: (-pair[1], pair[0]))
        return [value for value, _ in kept[:top_k]]

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""
        return {"column": self.column, "counts": [[value, n] for value, n in self.counts.items()]}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Frequencies:
        """The state that `to_dict` wrote."""
        return cls(state["column"], Counter(dict(state["counts"])))
