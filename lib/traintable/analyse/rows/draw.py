"""Some rows of a table on the driver: a keyed sample, from which trees and hints are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import functions as F

from traintable.analyse.rows.reading import Read, Reading
from traintable.arrays import Bools, Floats, Ints
from traintable.columns import SPLIT, TRAIN, VALIDATION, quote
from traintable.sample import keyed_hash
from traintable.sample.allocation import proportional
from traintable.sample.lowest import draw_bound
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from traintable.analyse.rows.table import Table

PURPOSE = "analysis"
_DRAW, _TIE, _N, _HELD = "draw", "tie", "n", "held"
_ORDER = [(_DRAW, "ascending"), (_TIE, "ascending")]


@dataclass(frozen=True)
class Rows:
    """Rows in the order of their draws, those to learn from and those to measure on.

    Attributes
    ----------
    read : the features, times and the label.
    draws : keyed hashes, shape (rows,); equal for rows that share a key.
    is_train : which rows are to be learned from, shape (rows,).
    """

    read: Read
    draws: Ints
    is_train: Bools

    def __len__(self) -> int:
        return len(self.draws)

    def number(self, name: str) -> Floats:
        """A number or a time (seconds since 1970), shape (rows,); NaN where it has no finite value."""
        return self.read.number(name)

    def word(self, name: str) -> pa.Array:
        """A category, or a class, as text; null where it has no value."""
        return self.read.word(name)

    def where(self, keep: Bools) -> Rows:
        """The rows in which `keep` is true."""
        read = Read(self.read.reading, self.read.rows.filter(pa.array(keep)))
        return Rows(read, self.draws[keep], self.is_train[keep])


def draw(table: Table, train_rows: int, held_out_rows: int) -> Rows:
    """At most `train_rows` to learn from and `held_out_rows` to measure on; one pass.

    Where the rows have `split`, those of train and of validation; else, or where validation has none, the rows of the
    lower draws are train. A draw is a hash of the key, or of all that is read of a row where there is no key: equal
    rows are then drawn together, and cut down in proportion to how many they are.
    """
    reading, sizes = _reading(table), _sizes(table, train_rows, held_out_rows)
    return _divided(_collected(table, reading, sizes), sizes, train_rows, reading)


def drawn(table: Table) -> Column:
    """The draw of each row: a hash of its key, or of its features, times and label where there is no key."""
    reading = _reading(table)
    names = table.key or tuple(dict.fromkeys([*reading.numbers, *reading.words]))
    return keyed_hash(names, seed=table.seed, purpose=PURPOSE)


def _reading(table: Table) -> Reading:
    label = () if table.label is None else (table.label,)
    of_numbers, of_words = (label, ()) if table.label_is_number else ((), label)
    return Reading.of([*table.numbers, *table.times, *of_numbers], [*table.categories, *of_words])


def _tie(columns: Mapping[str, Column]) -> Column:
    """A hash of all that is read, which orders rows of one draw."""
    return F.xxhash64(F.lit(PURPOSE), *[part for column in columns.values() for part in (column.isNull(), column)])


def _is_held(table: Table) -> Column:
    """Whether a row is of validation; null for rows of neither side."""
    if SPLIT not in table.df.columns:
        return F.lit(False)
    part = F.col(SPLIT)
    return F.when(part == TRAIN, False).when(part == VALIDATION, True)


def _sizes(table: Table, train_rows: int, held_out_rows: int) -> list[tuple[int, int]]:
    """(rows that there are, rows wanted) of train and of validation, or of the rows that are to be divided."""
    n = table.statistics.n_rows
    if SPLIT not in table.df.columns:
        return [(n, train_rows + held_out_rows)]
    known = table.statistics.frequencies.get(SPLIT) or scan(table.df, Wanted(frequencies=(SPLIT,))).frequencies[SPLIT]
    n_train, n_held = known.counts[TRAIN], known.counts[VALIDATION]
    if not n_held:
        return [(n_train, train_rows + held_out_rows)]
    return [(n_train, train_rows), (n_held, held_out_rows)]


def _collected(table: Table, reading: Reading, sizes: Sequence[tuple[int, int]]) -> pa.Table:
    """The rows of the lowest draws of each side, or a few more."""
    bounds = [F.lit(draw_bound(n, size)).cast("long") for size, n in sizes]
    draw, held = drawn(table), _is_held(table)
    most = 2 * sum(n for _, n in sizes) + 1000
    known = table.df.where(held.isNotNull())
    within = known.where(F.when(held, draw <= bounds[-1]).otherwise(draw <= bounds[0]))
    if table.key:
        return _lowest(_chosen(within, table, reading).withColumn(_N, F.lit(1).cast("long")), most)
    found = _lowest(_counted(_chosen(within, table, reading)), most)
    expected = sum(min(n, size) for size, n in sizes)
    if sum(found.column(_N).to_pylist()) < expected // 2:  # few different rows: chance may leave most of them out
        return _lowest(_counted(_chosen(known, table, reading)), most)
    return found


def _chosen(df: DataFrame, table: Table, reading: Reading) -> DataFrame:
    """What is handed over of rows.

    Rows are filtered before, not after: of a condition on columns that were renamed Spark infers others, and of a hash
    of 30 renamed columns 2 to the power of 30.
    """
    columns = reading.columns(df)
    chosen = {_DRAW: drawn(table), _TIE: _tie(columns), _HELD: _is_held(table), **columns}
    return df.select(*[column.alias(name) for name, column in chosen.items()])


def _counted(df: DataFrame) -> DataFrame:
    return df.groupBy(*[quote(name) for name in df.columns]).agg(F.count(F.lit(1)).alias(_N))


def _lowest(df: DataFrame, most: int) -> pa.Table:
    return df.orderBy(_DRAW, _TIE).limit(most).toArrow().sort_by(_ORDER)


def _divided(found: pa.Table, sizes: Sequence[tuple[int, int]], train_rows: int, reading: Reading) -> Rows:
    """The rows wanted of each side; where there is one, the lower draws are to be learned from."""
    held = np.asarray(found.column(_HELD).to_pylist(), bool)
    counts = np.asarray(found.column(_N).to_pylist(), np.int64)
    taken: list[Ints] = []
    for side, (_, n) in enumerate(sizes):
        own = np.flatnonzero(held == bool(side))
        n_of = counts[own] if counts[own].sum() <= n else np.asarray(proportional(counts[own].tolist(), n), np.int64)
        taken.append(np.repeat(own, n_of))
    rows = np.concatenate(taken)
    n_train = len(taken[0]) if len(sizes) == 2 else -(-len(rows) * train_rows // sizes[0][1])
    is_train = np.arange(len(rows)) < n_train
    draws = np.asarray(found.column(_DRAW).to_pylist(), np.int64)[rows]
    return Rows(Read(reading, found.take(pa.array(rows)).combine_chunks()), draws, is_train)


def mixed(draws: Ints, purpose: str) -> NDArray[np.uint64]:
    """A 64-bit number for each draw that depends on (draw, purpose, place among the rows) alone.

    The keyed hash of a row, hashed again with a purpose by the finaliser of splitmix64 (Steele et al., 2014): chance
    for what is done with a sample on the driver. The place tells rows of one draw apart.
    """
    import hashlib

    salt = np.uint64(int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big"))
    bits = draws.view(np.uint64) ^ salt
    bits = bits + np.arange(len(draws), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def order(draws: Ints, purpose: str) -> Ints:
    """The rows in an order that depends on their draws and a purpose."""
    return np.argsort(mixed(draws, purpose), kind="stable")


def uniform(draws: Ints, purpose: str) -> Floats:
    """A number from 0 to 1 for each row that depends on its draw and a purpose."""
    return np.asarray(mixed(draws, purpose) / 2.0**64, np.float64)


def fold_of(draws: Ints, n: int, purpose: str) -> Ints:
    """The fold of each row, from 0 to n - 1, which depends on its draw and a purpose."""
    return np.asarray((uniform(draws, purpose) * n).astype(np.int64).clip(0, n - 1))
