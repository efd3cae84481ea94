"""The rows that the gate checks: they are there, or still to be computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class Subject(Protocol):
    """Rows of known columns."""

    @property
    def rows(self) -> DataFrame:
        """The rows; before `compute` only their schema may be used, and no pass be made over them."""

    @property
    def n(self) -> int | None:
        """How many there are, if that is known."""

    @property
    def is_pending(self) -> bool:
        """Whether `compute` is still to be called."""

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Compute the rows, and in the same pass these aggregates of them."""


class ComputedRows:
    """Rows that are there already."""

    n, is_pending = None, False

    def __init__(self, rows: DataFrame) -> None:
        self.rows = rows

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Not to be called."""
        raise AssertionError("the rows are computed already")
