"""How often the values of two categorical columns occur together, as a table."""

from __future__ import annotations

import numpy as np

from traintable.arrays import Ints
from traintable.statistics.chunk import Word
from traintable.statistics.groups import Groups, GroupsRecord


class Contingency(Groups):
    """Counts of pairs of values of two columns, read as text; None stands for null."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__((first, second))

    def table(self, *, null_rows: bool = False) -> tuple[list[Word], list[str], Ints]:
        """Values of the first and the second column in order, null first, and counts of that shape.

        Rows without a value of the second column are left out, and without one of the first unless `null_rows`.
        """
        kept = {(a, b): n for (a, b), n in self.counts.items() if b is not None and (a is not None or null_rows)}
        rows = sorted({a for a, _ in kept}, key=lambda word: (word is not None, word or ""))
        columns = sorted({b for _, b in kept if b is not None})
        row, column = ({word: i for i, word in enumerate(words)} for words in (rows, columns))
        table = np.zeros((len(rows), len(columns)), np.int64)
        for (a, b), n in kept.items():
            table[row[a], column[b]] = n
        return rows, columns, table

    @classmethod
    def from_dict(cls, state: GroupsRecord) -> Contingency:
        """The state that `to_dict` wrote."""
        contingency = cls(*state["columns"])
        contingency.counts = Groups.from_dict(state).counts
        return contingency
