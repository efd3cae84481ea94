"""A table under analysis, and the sample of its rows that all who learn from rows share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from traintable.analyse.rows.draw import Rows, draw
from traintable.analyse.rows.table import Table

TRAIN_ROWS = 20_000
HELD_OUT_ROWS = 10_000


@dataclass(frozen=True)
class Context(Table):
    """A table under analysis; `anomalies.find`, `importance.measure` and `hints.find` take one, and share its sample.

    Attributes
    ----------
    train_rows, held_out_rows : the most rows that are brought to the driver to learn from, and to measure on.
    """

    train_rows: int = TRAIN_ROWS
    held_out_rows: int = HELD_OUT_ROWS

    @cached_property
    def rows(self) -> Rows:
        """A keyed sample of rows, brought to the driver once; costs one pass."""
        return draw(self, self.train_rows, self.held_out_rows)
