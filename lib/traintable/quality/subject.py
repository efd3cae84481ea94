"""What the gate looks at: rows that are there, or that are still to be computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class Subject(Protocol):
    """Rows of known columns."""

    @property
    def rows(self) -> DataFrame:
        """The rows; before `compute` they are good for their schema only, and a pass over them is not to be made."""

    @property
    def n(self) -> int | None:
        """How many they are, if that is known."""

    @property
    def is_pending(self) -> bool:
        """Whether `compute` is still to be called."""

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Compute the rows, and in the same pass these aggregates of them."""


class Computed:
    """Rows that are there already."""

    n, is_pending = None, False

    def __init__(self, rows: DataFrame) -> None:
        self.rows = rows

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Nobody calls it."""
        raise AssertionError("they have been computed")
