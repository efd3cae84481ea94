"""How often the values of several categorical columns occur together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from traintable.errors import ConfigError
from traintable.statistics.chunk import Chunk, Word
from traintable.statistics.word_codes import combine_words

MAX_GROUPS = 1_000_000


class GroupsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads: the values of each group, then its rows."""

    columns: list[str]
    counts: list[list[Any]]


class Groups:
    """Counts of the combinations of values of `columns`, read as text; None stands for null."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.counts: Counter[tuple[Word, ...]] = Counter()

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk; ConfigError beyond a million different combinations."""
        groups, codes = combine_words([chunk.text(name) for name in self.columns])
        for group, n in zip(groups, np.bincount(codes, minlength=len(groups)).tolist(), strict=True):
            self.counts[group] += n
        self._bound()

    def merge(self, other: Groups) -> None:
        """Add the rows of another state of the same columns."""
        self.counts.update(other.counts)
        self._bound()

    def _bound(self) -> None:
        if len(self.counts) > MAX_GROUPS:
            raise ConfigError(
                where=f"columns {', '.join(map(repr, self.columns))}",
                expected=f"categories with at most {MAX_GROUPS:,} combinations of values",
                found="more",
                remedy="One of them looks like a key or a measurement: leave it out.",
            )

    def to_dict(self) -> GroupsRecord:
        """The state as plain values for JSON."""
        return {"columns": list(self.columns), "counts": [[*group, n] for group, n in self.counts.items()]}

    @classmethod
    def from_dict(cls, state: GroupsRecord) -> Groups:
        """The state that `to_dict` wrote."""
        groups = cls(state["columns"])
        groups.counts = Counter({tuple(group): n for *group, n in state["counts"]})
        return groups
