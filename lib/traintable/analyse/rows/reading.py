"""How columns are handed over to NumPy: numbers as doubles, categories as text, each once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from traintable.arrays import Floats
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NUMBER, WORD = "number", "word"


def as_number(df: DataFrame, name: str) -> Column:
    """A number, a date or a time as a double; times as seconds since 1970."""
    kind, column = df.schema[name].dataType.simpleString(), F.col(quote(name))
    if kind == "date":
        return F.unix_date(column) * F.lit(86400.0)
    return column.cast("timestamp").cast("double") if kind.startswith("timestamp") else column.cast("double")


def as_word(name: str) -> Column:
    """A category as text."""
    return F.col(quote(name)).cast("string")


@dataclass(frozen=True)
class Reading:
    """Which columns are read as numbers, and which as words."""

    numbers: tuple[str, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, numbers: Iterable[str], words: Iterable[str]) -> Reading:
        """The columns named, each once."""
        return cls(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(words)))

    def columns(self, df: DataFrame) -> dict[str, Column]:
        """What is handed over, by plain names: "number 0", ..., "word 0", ..."""
        found = {f"{NUMBER} {i}": as_number(df, name) for i, name in enumerate(self.numbers)}
        return found | {f"{WORD} {i}": as_word(name) for i, name in enumerate(self.words)}


@dataclass
class Read:
    """Rows that were handed over, in a table or a batch."""

    reading: Reading
    rows: pa.Table | pa.RecordBatch
    _numbers: dict[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def number(self, name: str) -> Floats:
        """A number or a time, shape (rows,); NaN where it has no finite value."""
        if name not in self._numbers:
            column = _whole(self.rows.column(f"{NUMBER} {self.reading.numbers.index(name)}"))
            values = column.to_numpy(zero_copy_only=False)
            self._numbers[name] = np.where(np.isfinite(values), values, np.nan)
        return self._numbers[name]

    def word(self, name: str) -> pa.Array:
        """A category, or a class, as text; null where it has no value."""
        return _whole(self.rows.column(f"{WORD} {self.reading.words.index(name)}"))


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
