"""Some rows of a table on the driver: a keyed sample, from which trees and hints are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from traintable.analyse.rows.inputs import InputColumns, InputRows
from traintable.arrays import Bools, Floats, Ints
from traintable.columns import SPLIT, TRAIN, VALIDATION, quote
from traintable.sample import keyed_hash
from traintable.sample.allocation import proportional
from traintable.sample.lowest import draw_bound
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from traintable.analyse.rows.analysed_table import AnalysedTable

PURPOSE = "analysis"
_DRAW, _TIE, _N, _HELD = "draw", "tie", "n", "held"
_ORDER = [(_DRAW, "ascending"), (_TIE, "ascending")]


@dataclass(frozen=True)
class SampledRows:
    """Rows in the order of their draws, those to learn from and those to measure on.

    Attributes
    ----------
    inputs : the features, times and the label.
    draws : keyed hashes, shape (rows,); equal for rows that share a key.
    is_train : which rows are to be learned from, shape (rows,).
    """

    inputs: InputRows
    draws: Ints
    is_train: Bools

    def __len__(self) -> int:
        return len(self.draws)

    def number(self, name: str) -> Floats:
        """A number or a time (seconds since 1970), shape (rows,); NaN where it has no finite value."""
        return self.inputs.number(name)

    def category(self, name: str) -> pa.Array:
        """A category, or a class, as text; null where it has no value."""
        return self.inputs.category(name)

    def where(self, keep: Bools) -> SampledRows:
        """The rows in which `keep` is true."""
        return SampledRows(self.inputs.where(keep), self.draws[keep], self.is_train[keep])


class _Side(NamedTuple):
    """Train or validation, or all rows where they are still to be divided: rows there are, and rows wanted of them."""

    n_rows: int
    n_wanted: int


def draw_sample(table: AnalysedTable, train_rows: int, held_out_rows: int) -> SampledRows:
    """At most `train_rows` to learn from and `held_out_rows` to measure on; one pass.

    Where the rows have `split`, those of train and of validation; else, or where validation has none, the rows of the
    lower draws are train. A draw is a hash of the key, or of all that is read of a row where there is no key: equal
    rows are then drawn together, and cut down in proportion to how many they are.
    """
    columns, sides = _input_columns(table), _sides(table, train_rows, held_out_rows)
    return _take(_collect(table, columns, sides), sides, train_rows, columns)


def row_draws(table: AnalysedTable) -> Column:
    """The draw of each row: a hash of its key, or of its features, times and label where there is no key."""
    columns = _input_columns(table)
    names = table.key or tuple(dict.fromkeys([*columns.numbers, *columns.categories]))
    return keyed_hash(names, seed=table.seed, purpose=PURPOSE)


def _input_columns(table: AnalysedTable) -> InputColumns:
    label = () if table.label is None else (table.label,)
    number_label, class_label = (label, ()) if table.label_is_number else ((), label)
    return InputColumns.of([*table.numbers, *table.times, *number_label], [*table.categories, *class_label])


def _tie_break(columns: Mapping[str, Column]) -> Column:
    """A hash of all that is read, which orders rows of one draw."""
    return F.xxhash64(F.lit(PURPOSE), *[part for column in columns.values() for part in (column.isNull(), column)])


def _is_held(table: AnalysedTable) -> Column:
    """Whether a row is of validation; null for rows of other splits than train and validation."""
    if SPLIT not in table.df.columns:
        return F.lit(False)
    split = F.col(SPLIT)
    return F.when(split == TRAIN, False).when(split == VALIDATION, True)


def _sides(table: AnalysedTable, train_rows: int, held_out_rows: int) -> list[_Side]:
    """Train and validation, or the one that is to be divided."""
    n = table.statistics.n_rows
    if SPLIT not in table.df.columns:
        return [_Side(n, train_rows + held_out_rows)]
    splits = table.statistics.frequencies.get(SPLIT) or scan(table.df, Wanted(frequencies=(SPLIT,))).frequencies[SPLIT]
    n_train, n_held = splits.counts[TRAIN], splits.counts[VALIDATION]
    if not n_held:
        return [_Side(n_train, train_rows + held_out_rows)]
    return [_Side(n_train, train_rows), _Side(n_held, held_out_rows)]


def _collect(table: AnalysedTable, columns: InputColumns, sides: Sequence[_Side]) -> pa.Table:
    """The rows of the lowest draws of each side, or a few more."""
    bounds = [F.lit(draw_bound(n_wanted, n_rows)).cast("long") for n_rows, n_wanted in sides]
    draw, held = row_draws(table), _is_held(table)
    most = 2 * sum(side.n_wanted for side in sides) + 1000
    candidates = table.df.where(held.isNotNull())
    within = candidates.where(F.when(held, draw <= bounds[-1]).otherwise(draw <= bounds[0]))
    if table.key:
        return _lowest(_select(within, table, columns).withColumn(_N, F.lit(1).cast("long")), most)
    lowest = _lowest(_count_equal(_select(within, table, columns)), most)
    expected = sum(min(side.n_wanted, side.n_rows) for side in sides)
    if sum(lowest.column(_N).to_pylist()) < expected // 2:  # few different rows: chance may leave most of them out
        return _lowest(_count_equal(_select(candidates, table, columns)), most)
    return lowest


def _select(df: DataFrame, table: AnalysedTable, columns: InputColumns) -> DataFrame:
    """What is handed over of rows.

    Rows are filtered before, not after: of a condition on columns that were renamed Spark infers others, and of a hash
    of 30 renamed columns 2 to the power of 30.
    """
    inputs = columns.expressions(df)
    selected = {_DRAW: row_draws(table), _TIE: _tie_break(inputs), _HELD: _is_held(table), **inputs}
    return df.select(*[column.alias(name) for name, column in selected.items()])


def _count_equal(df: DataFrame) -> DataFrame:
    return df.groupBy(*[quote(name) for name in df.columns]).agg(F.count(F.lit(1)).alias(_N))


def _lowest(df: DataFrame, most: int) -> pa.Table:
    return df.orderBy(_DRAW, _TIE).limit(most).toArrow().sort_by(_ORDER)


def _take(lowest: pa.Table, sides: Sequence[_Side], train_rows: int, columns: InputColumns) -> SampledRows:
    """As many rows as are wanted of each side; where there is one only, the lower draws are to be learned from.

    A row of `lowest` stands for `n` equal ones: where these are more than are wanted, each is cut down in proportion,
    and then repeated as often as is left of it.
    """
    held = np.asarray(lowest.column(_HELD).to_pylist(), bool)
    counts = np.asarray(lowest.column(_N).to_pylist(), np.int64)
    taken: list[Ints] = []
    for is_validation, (_, n_wanted) in zip((False, True), sides, strict=False):
        rows = np.flatnonzero(held == is_validation)
        n_equal = counts[rows]
        if n_equal.sum() > n_wanted:
            n_equal = np.asarray(proportional(n_equal.tolist(), n_wanted), np.int64)
        taken.append(np.repeat(rows, n_equal))
    rows = np.concatenate(taken)
    n_train = len(taken[0]) if len(sides) == 2 else -(-len(rows) * train_rows // sides[0].n_wanted)
    is_train = np.arange(len(rows)) < n_train
    draws = np.asarray(lowest.column(_DRAW).to_pylist(), np.int64)[rows]
    return SampledRows(InputRows(columns, lowest.take(pa.array(rows)).combine_chunks()), draws, is_train)
