"""A table under analysis, and the sample of its rows that all who learn from rows share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from traintable.analyse.rows.analysed_table import AnalysedTable
from traintable.analyse.rows.sample import SampledRows, draw_sample
from traintable.analyse.scans.columns import KEY, LABEL, TIME, usable_features

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from traintable.analyse.scans.columns import AnalysedColumn
    from traintable.statistics import Statistics

TRAIN_ROWS = 20_000
HELD_OUT_ROWS = 10_000


@dataclass(frozen=True)
class AnalysisContext(AnalysedTable):
    """A table under analysis, and a sample of it; anomalies, importance and hints take one, and share its sample.

    Attributes
    ----------
    train_rows, held_out_rows : the most rows that are brought to the driver to learn from, and to measure on.
    """

    train_rows: int = TRAIN_ROWS
    held_out_rows: int = HELD_OUT_ROWS

    @cached_property
    def sample(self) -> SampledRows:
        """A keyed sample of rows, brought to the driver once; costs one pass."""
        return draw_sample(self, self.train_rows, self.held_out_rows)

    @classmethod
    def of(
        cls,
        df: DataFrame,
        columns: Sequence[AnalysedColumn],
        statistics: Statistics,
        *,
        label_is_number: bool = False,
        time: str | None = None,
        partition: str | None = None,
        key: Sequence[str] = (),
        seed: int = 0,
    ) -> AnalysisContext:
        """The context of a table whose columns have been scanned: what they are used for follows from their roles."""
        numbers, categories = usable_features(columns, statistics)
        return cls(
            df,
            statistics,
            numbers=numbers,
            categories=tuple(name for name in categories if name != partition),
            times=tuple(column.name for column in columns if column.kind == TIME and column.role != KEY),
            label=next((column.name for column in columns if column.role == LABEL), None),
            label_is_number=label_is_number,
            key=tuple(key),
            time=time,
            partition=partition,
            seed=seed,
        )
