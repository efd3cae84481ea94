"""How columns are handed over to NumPy: numbers as doubles, categories as text, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import functions as F

from traintable.arrays import Floats, Ints
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NUMBER, CATEGORY = "number", "category"

Code = TypeVar("Code", int, float)


def as_double(df: DataFrame, name: str) -> Column:
    """A number, a date or a time as a double; times as seconds since 1970."""
    kind, column = df.schema[name].dataType.simpleString(), F.col(quote(name))
    if kind == "date":
        return F.unix_date(column) * F.lit(86400.0)
    return column.cast("timestamp").cast("double") if kind.startswith("timestamp") else column.cast("double")


def as_text(name: str) -> Column:
    """A category as text."""
    return F.col(quote(name)).cast("string")


@dataclass(frozen=True)
class InputColumns:
    """Which columns of a table are handed over as numbers, and which as categories."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, numbers: Iterable[str], categories: Iterable[str]) -> InputColumns:
        """The columns named, each once."""
        return cls(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(categories)))

    def expressions(self, df: DataFrame) -> dict[str, Column]:
        """What is handed over, by plain names: "number 0", ..., "category 0", ..."""
        numbers = {f"{NUMBER} {i}": as_double(df, name) for i, name in enumerate(self.numbers)}
        return numbers | {f"{CATEGORY} {i}": as_text(name) for i, name in enumerate(self.categories)}


@dataclass
class InputRows:
    """Rows that were handed over, in a table or a batch."""

    columns: InputColumns
    rows: pa.Table | pa.RecordBatch
    _numbers: dict[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def number(self, name: str) -> Floats:
        """A number or a time, shape (rows,); NaN where it has no finite value."""
        if name not in self._numbers:
            column = _one_chunk(self.rows.column(f"{NUMBER} {self.columns.numbers.index(name)}"))
            values = column.to_numpy(zero_copy_only=False)
            self._numbers[name] = np.where(np.isfinite(values), values, np.nan)
        return self._numbers[name]

    def category(self, name: str) -> pa.Array:
        """A category, or a class, as text; null where it has no value."""
        return _one_chunk(self.rows.column(f"{CATEGORY} {self.columns.categories.index(name)}"))

    def where(self, keep: NDArray[np.bool_]) -> InputRows:
        """The rows in which `keep`, shape (rows,), is true."""
        return InputRows(self.columns, self.rows.filter(pa.array(keep)))


def category_codes(values: pa.Array) -> tuple[list[str], Ints]:
    """The different values, and the place of each row's value among them, shape (rows,); null comes after the last."""
    encoded = values.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    return distinct, np.asarray(encoded.indices.fill_null(len(distinct))).astype(np.int64)


def map_categories(values: pa.Array, mapping: Mapping[str, Code], *, other: Code, null: Code) -> NDArray[Any]:
    """The number that `mapping` has for each row's value, shape (rows,).

    `other` is that of a value which it does not have, `null` that of a missing one.
    """
    distinct, codes = category_codes(values)
    numbers: list[Code] = [mapping.get(value, other) for value in distinct]
    return np.array([*numbers, null])[codes]


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
