"""Some rows as the statistics read them: numbers as NumPy arrays, categories as codes, each converted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.arrays import Bools, Floats, Ints
from traintable.errors import ConfigError

# What a column is read as: numbers, categories, or only whether it has a value.
NUMBER, TEXT, ANY = "number", "text", "any"
Role = tuple[str, str]
Range = tuple[float, float]
Word = str | None  # a category; None stands for null
EXACT = 2**53  # below it a double tells whole numbers apart


@dataclass(frozen=True)
class NumberColumn:
    """The values of a numeric column, shape (rows,), 0 where it has none; `present` is None when all rows have one."""

    values: Floats
    present: Bools | None
    n_null: int = 0
    n_nan: int = 0
    n_infinite: int = 0
    n_outside: int = 0
    whole: Ints | None = None  # the values, when they are whole numbers of which some are not below 2**53

    @cached_property
    def compact(self) -> Floats:
        """The values that are there, in the order of the rows."""
        return self.values if self.present is None else self.values[self.present]


@dataclass(frozen=True)
class TextColumn:
    """A categorical column: codes of shape (rows,) into `words`; -1 for null."""

    codes: Ints
    words: list[str]

    @cached_property
    def counts(self) -> Ints:
        """How often each word occurs, shape (words,)."""
        return np.bincount(self.codes + 1, minlength=len(self.words) + 1)[1:]

    @property
    def n_null(self) -> int:
        """Rows without a word."""
        return len(self.codes) - int(self.counts.sum())


class Chunk:
    """Rows of Arrow columns, each under the roles in which it is wanted; numbers outside `ranges` count as missing."""

    def __init__(
        self, columns: Mapping[Role, pa.Array], n_rows: int, ranges: Mapping[str, Range] | None = None
    ) -> None:
        self.n_rows = n_rows
        self._columns = columns
        self._ranges = ranges or {}
        self._numbers: dict[str, NumberColumn] = {}
        self._texts: dict[str, TextColumn] = {}
        self.coded: dict[object, Ints] = {}  # what Coding.codes has found, once for all states

    def number(self, name: str) -> NumberColumn:
        """A column as numbers."""
        if name not in self._numbers:
            self._numbers[name] = _read_number(self._columns[NUMBER, name], self._ranges.get(name))
        return self._numbers[name]

    def text(self, name: str) -> TextColumn:
        """A column as categories; ConfigError where it is not text."""
        if name not in self._texts:
            try:
                self._texts[name] = _read_text(self._columns[TEXT, name])
            except UnicodeDecodeError as error:
                raise ConfigError(
                    where=f"column '{name}'",
                    expected="text in UTF-8",
                    found=f"bytes that are not ({error.reason})",
                    remedy="Repair it where it is read, for example by `make_valid_utf8`, or leave the column out.",
                ) from error
        return self._texts[name]

    def is_null(self, name: str) -> Bools:
        """Where a column has no value: null, and for a number NaN, infinite or out of range too; shape (rows,)."""
        if (NUMBER, name) in self._columns:
            present = self.number(name).present
            return np.zeros(self.n_rows, bool) if present is None else ~present
        array = self._columns[ANY, name]
        if pa.types.is_floating(array.type):
            return np.asarray(~np.isfinite(array.fill_null(np.nan)))
        return np.asarray(pc.is_null(array))

    def where(self, keep: Bools) -> Chunk:
        """The rows in which `keep` is true."""
        mask = pa.array(keep)
        return Chunk(
            {role: column.filter(mask) for role, column in self._columns.items()}, int(keep.sum()), self._ranges
        )


def _read_number(array: pa.Array, valid: Range | None) -> NumberColumn:
    """A column as doubles; whatever is null, NaN, infinite or outside `valid` is missing and counted by its kind."""
    n_null = array.null_count
    present = np.asarray(array.is_valid()) if n_null else None
    whole = np.asarray(pc.fill_null(array, 0)) if pa.types.is_int64(array.type) else None
    if pa.types.is_temporal(array.type):
        array = _seconds(array)
    elif not pa.types.is_float64(array.type):
        array = array.cast(pa.float64(), safe=False)
    values = np.asarray(pc.fill_null(array, 0.0) if n_null else array)
    finite = np.isfinite(values)
    n_nan = n_infinite = n_outside = 0
    if not finite.all():
        n_nan = int(np.isnan(values).sum())
        n_infinite = int((~finite).sum()) - n_nan
        present = finite if present is None else present & finite
    if valid is not None:
        inside = (values >= valid[0]) & (values <= valid[1])
        wrong = ~inside if present is None else present & ~inside
        n_outside = int(wrong.sum())
        if n_outside:
            present = inside if present is None else present & inside
    values = values + 0.0 if present is None else np.where(present, values + 0.0, 0.0)  # -0.0 becomes 0.0
    if whole is not None and max(values.max(initial=0), -values.min(initial=0)) < EXACT:
        whole = None
    return NumberColumn(values, present, n_null, n_nan, n_infinite, n_outside, whole)


def _seconds(array: pa.Array) -> pa.Array:
    """Dates and times as seconds since 1970, the part below a microsecond cut off, as Spark has them."""
    micros = array.cast(pa.timestamp("us", getattr(array.type, "tz", None)), safe=False).cast(pa.int64())
    return pc.divide(micros.cast(pa.float64(), safe=False), 1e6)


def _read_text(array: pa.Array) -> TextColumn:
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    codes = pc.fill_null(array.indices, -1) if array.indices.null_count else array.indices
    return TextColumn(np.asarray(codes).astype(np.int64, copy=False), array.dictionary.to_pylist())
