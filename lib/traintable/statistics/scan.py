"""Learn any number of statistics of a DataFrame in one pass over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.columns import quote, require_columns
from traintable.statistics.frequencies import Frequencies
from traintable.statistics.gram import Gram

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Wanted:
    """What is to be learned: second moments of `numeric` columns (one matrix), value counts of `categorical` ones."""

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __or__(self, other: Wanted) -> Wanted:
        """Both wants together; a column wanted twice is learned once."""
        return Wanted(
            tuple(dict.fromkeys(self.numeric + other.numeric)),
            tuple(dict.fromkeys(self.categorical + other.categorical)),
        )


@dataclass
class Statistics:
    """What a scan learned; states of other rows merge into it."""

    gram: Gram
    frequencies: dict[str, Frequencies]

    @classmethod
    def empty(cls, wanted: Wanted) -> Statistics:
        """The statistics of no rows."""
        return cls(Gram(wanted.numeric), {name: Frequencies(name) for name in wanted.categorical})

    @property
    def columns(self) -> list[str]:
        """The columns that batches have, in this order."""
        return list(dict.fromkeys([*self.gram.columns, *self.frequencies]))

    @property
    def n_rows(self) -> int:
        """Rows seen."""
        return self.gram.n_rows

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of one Arrow batch whose columns are `columns`, whatever they are called in it."""
        column = dict(zip(self.columns, batch.columns, strict=True))
        if self.gram.columns:
            arrays = [column[name] for name in self.gram.columns]
            values = [pc.fill_null(array.cast(pa.float64(), safe=False), 0.0).to_numpy(False) for array in arrays]
            not_null = [pc.is_valid(array).to_numpy(False) for array in arrays]
            self.gram.update(np.stack(values, axis=1), np.stack(not_null, axis=1))
        else:
            self.gram.n_rows += batch.num_rows
        for name, frequencies in self.frequencies.items():
            frequencies.update(column[name])

    def merge(self, other: Statistics) -> None:
        """Add what was learned from other rows."""
        self.gram.merge(other.gram)
        for name, frequencies in self.frequencies.items():
            frequencies.merge(other.frequencies[name])

    def to_json(self) -> str:
        """The states as JSON text."""
        return json.dumps(
            {"gram": self.gram.to_dict(), "frequencies": [f.to_dict() for f in self.frequencies.values()]}
        )

    @classmethod
    def from_json(cls, text: str) -> Statistics:
        """The states that `to_json` wrote."""
        state: dict[str, Any] = json.loads(text)
        frequencies = [Frequencies.from_dict(f) for f in state["frequencies"]]
        return cls(Gram.from_dict(state["gram"]), {f.column: f for f in frequencies})


def scan(df: DataFrame, wanted: Wanted) -> Statistics:
    """Learn the wanted statistics of `df`.

    Costs one pass over the wanted columns, in Arrow batches in Python workers. Each task hands one state to the
    driver; a state's size depends on the columns and their distinct values, never on the rows. All statistics are
    exact, so any partitioning and order of the same rows gives the same result to the last bit.
    """
    learned = Statistics.empty(wanted)
    require_columns(df, set(learned.columns), where="statistics")
    columns = [df[quote(name)].alias(f"c{i}") for i, name in enumerate(learned.columns)]
    if not columns:  # an Arrow batch without columns does not know how many rows it has
        learned.gram.n_rows = df.count()
        return learned
    states = df.select(*columns).mapInArrow(_learn(wanted), "state string")
    for row in states.collect():  # one row a task
        learned.merge(Statistics.from_json(row["state"]))
    return learned


def _learn(wanted: Wanted) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that a task runs over its batches."""

    def learn(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        statistics = Statistics.empty(wanted)
        for batch in batches:
            statistics.update(batch)
        yield pa.RecordBatch.from_pydict({"state": [statistics.to_json()]})

    return learn
