"""Some rows of both sides of the split, drawn by a hash of their key, on the driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from traintable.arrays import Bools
from traintable.columns import SPLIT, TRAIN, quote
from traintable.sample.draw import keyed_hash, null_safe_columns
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.text.shingles import shingles

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class LeakageSample:
    """About `sample_rows` rows of train and as many of the others, all where they are fewer; one pass.

    Attributes
    ----------
    rows : in the order of their hashes: `draw` (the hash), `train`, `half` (the first or second half, by another
        hash), `answer` (a hash of the label), `key` as JSON, `tokens` of the columns `compared`, `text 0`, ... of the
        columns of free text, and `value 0`, ... of the features `valued`.
    compared : the features that have more than one value.
    valued : the features that are numbers or categories.
    """

    def __init__(self, evidence: Evidence) -> None:
        table = evidence.table
        self.compared = _varying_features(evidence)
        self.valued = [n for n in table.features if n in (*table.numbers, *table.texts)]
        size = table.limits.sample_rows
        is_train = F.col(SPLIT) == TRAIN
        bounds = [_threshold(n, size) for n in (evidence.n[TRAIN], evidence.n_held)]
        chosen = table.with_split.where(row_draw(table) <= F.when(is_train, bounds[0]).otherwise(bounds[1]))
        self.rows = _collect(chosen.select(*self._columns(table)), 4 * size)

    def _columns(self, table: ExaminedTable) -> list[Column]:
        """What comes to the driver of each sampled row."""
        half = F.pmod(keyed_hash(table.key, seed=table.seed, purpose="half of leakage"), F.lit(2)) == 0
        fixed = {
            "draw": row_draw(table),
            "train": F.col(SPLIT) == TRAIN,
            "half": half,
            "answer": label_hash(table),
            "key": F.to_json(F.struct(*[F.col(quote(name)) for name in table.key])),
            "tokens": row_tokens(self.compared) if self.compared else F.lit(None).cast("array<bigint>"),
        }
        fixed |= {f"text {i}": text_tokens(table, name) for i, name in enumerate(table.text)}
        fixed |= {f"value {i}": _number_or_text(table.df, name) for i, name in enumerate(self.valued)}
        return [column.alias(name) for name, column in fixed.items()]

    def values(self, name: str) -> pa.ChunkedArray:
        """The values of a feature."""
        return self.rows.column(f"value {self.valued.index(name)}")

    def flags(self, name: str) -> Bools:
        """A column of truths, shape (rows,)."""
        return np.asarray(self.rows.column(name).combine_chunks()).astype(bool)


def row_draw(table: ExaminedTable) -> Column:
    """The hash by which a row is drawn, and known again."""
    return keyed_hash(table.key, seed=table.seed, purpose="leakage")


def label_hash(table: ExaminedTable) -> Column:
    """A hash of the label."""
    return F.xxhash64(*null_safe_columns([F.col(quote(table.label))]))


def row_tokens(names: Sequence[str]) -> Column:
    """The hash of each of these columns' values, in their order: a row as a set of (column, value) pairs."""
    columns = ([F.lit(i), *null_safe_columns([F.col(quote(name))])] for i, name in enumerate(names))
    return F.array(*[F.xxhash64(*pair) for pair in columns])


def text_tokens(table: ExaminedTable, name: str) -> Column:
    """The tokens of a column of free text."""
    return shingles(F.col(quote(name)).cast("string"), table.limits.shingle_words)


def _collect(rows: DataFrame, most: int) -> pa.Table:
    return rows.limit(most).toArrow().sort_by([("draw", "ascending"), ("key", "ascending")]).combine_chunks()


def _threshold(n: int, size: int) -> Column:
    """Up to it lie the hashes of about `size` of `n` rows; of all when they are fewer."""
    return F.lit(2**63 - 1 if n <= size else int(size / n * 2**64) - 2**63)


def _varying_features(evidence: Evidence) -> Sequence[str]:
    """The features that have more than one value, as far as that is known, those of the most values first."""
    table = evidence.table
    known = {name: evidence.n_values(name) for name in (*table.numbers, *table.texts)}
    names = [name for name in table.hashable if name not in table.text and known.get(name, 2.0) > 1]
    return sorted(names, key=lambda name: (-known.get(name, 2.0), name))


def _number_or_text(df: DataFrame, name: str) -> Column:
    """A column as a number where it is one, as text otherwise."""
    kind, column = df.schema[name].dataType.simpleString(), F.col(quote(name))
    if kind in ("string", "boolean"):
        return column.cast("string")
    if kind == "date":
        return F.unix_date(column).cast("double")
    return column.cast("timestamp").cast("double") if kind.startswith("timestamp") else column.cast("double")
