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
    too_many: bool = False

    def update(self, values: pa.Array) -> None:
        """Add the values of one batch."""
        if self.too_many:
            return
        counted = pc.value_counts(values.cast(pa.string()))
        for value, n in zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True):
            self.counts[value] += n
        self._bound()

    def merge(self, other: Frequencies) -> None:
        """Add the counts of another state of the same column."""
        self.too_many = self.too_many or other.too_many
        self.counts.update(other.counts)
        if self.too_many:
            self.counts.clear()
        self._bound()

    def _bound(self) -> None:
        """Forget the counts of what is no category, so that a state stays small; `vocabulary` then says so."""
        if len(self.counts) > MAX_DISTINCT:
            self.too_many = True
            self.counts.clear()

    def vocabulary(self, *, top_k: int, min_frequency: int = 1) -> list[str]:
        """The most frequent values, most frequent first, ties by value; null is not among them.

        Raises ConfigError when the column had more than 200,000 different values.
        """
        if self.too_many:
            raise ConfigError(
                where=f"column '{self.column}'",
                expected=f"a category of at most {MAX_DISTINCT:,} values",
                found="more",
                remedy="It looks like a key or free text: leave it out of `prepare.features`.",
            )
        kept = [(value, n) for value, n in self.counts.items() if value is not None and n >= min_frequency]
        kept.sort(key=lambda pair: (-pair[1], pair[0]))
        return [value for value, _ in kept[:top_k]]

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""
        counts = [[value, n] for value, n in self.counts.items()]
        return {"column": self.column, "counts": counts, "too_many": self.too_many}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Frequencies:
        """The state that `to_dict` wrote."""
        return cls(state["column"], Counter(dict(state["counts"])), state["too_many"])
