"""One pass over all rows: their scores, the highest of them, and what is counted by period."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.analyse.anomalies.model import AnomalyModel
from traintable.analyse.anomalies.period_counts import PeriodCounter
from traintable.analyse.mahalanobis import Ellipsoid
from traintable.analyse.rows.inputs import InputColumns, InputRows, as_double, as_text
from traintable.analyse.rows.sample import row_draws
from traintable.arrays import Floats, Ints
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from traintable.analyse.rows.context import AnalysisContext

BINS = 100  # of scores, from 0 to 1
MAX_ROWS = 20
SCORES, DISTANCES, BY_PERIOD, ROW = "scores", "distances", "by_period", "row"
_SCHEMA = "what string, place long, n long, minus_score double, draw long, row string"
_DRAW, _WHEN, _KEY = "draw", "when", "key"
_IN_JSON = ("tinyint", "smallint", "int", "bigint", "boolean", "string")


@dataclass(frozen=True)
class Scorers:
    """By what all rows are scored and counted; any part may be missing.

    `edges` are those of the histogram of squared distances, ascending from 0; the last is a limit beyond which rows
    are counted together.
    """

    model: AnomalyModel | None = None
    ellipsoid: Ellipsoid | None = None
    edges: Floats = field(default_factory=lambda: np.zeros(1))
    period_counter: PeriodCounter | None = None

    @property
    def inputs(self) -> InputColumns:
        """What is read of rows, each column once."""
        scorers = (self.model and self.model.encoder, self.ellipsoid, self.period_counter)
        inputs = [scorer.inputs for scorer in scorers if scorer]
        return InputColumns.of(
            (name for columns in inputs for name in columns.numbers),
            (name for columns in inputs for name in columns.categories),
        )


class HighRow(NamedTuple):
    """A row with one of the highest scores; in this order they sort from the highest on, equal scores by draw.

    `row` is its key and the causes of its score as JSON, and `n` the number of rows that are equal to it.
    """

    minus_score: float
    draw: int
    row: str
    n: int


@dataclass
class Tally:
    """What a pass over rows has counted.

    Attributes
    ----------
    scores : rows by score, in 100 bins from 0 to 1, and last the rows from the model's threshold on.
    distances : rows by squared distance, and last those beyond the last edge.
    by_period : as `PeriodCounter.count` gives it, shape (periods, width).
    rows : the rows with the highest scores, at most 20.
    """

    scores: Ints
    distances: Ints
    by_period: Ints
    rows: list[HighRow] = field(default_factory=list)

    @classmethod
    def empty(cls, scorers: Scorers) -> Tally:
        """The tally of no rows."""
        counter = scorers.period_counter
        shape = (counter.grid.n, counter.width) if counter else (0, 0)
        return cls(np.zeros(BINS + 1, np.int64), np.zeros(len(scorers.edges), np.int64), np.zeros(shape, np.int64))

    def counts(self) -> dict[str, Ints]:
        """All counts, each kind as a view on them of shape (counts,)."""
        return {SCORES: self.scores, DISTANCES: self.distances, BY_PERIOD: self.by_period.reshape(-1)}


def tally_rows(context: AnalysisContext, scorers: Scorers) -> Tally:
    """Score and count all rows of a table in one pass; the same for any layout of the same rows."""
    columns = _columns(context, scorers)
    n_key = len(context.key)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tally = Tally.empty(scorers)
        for batch in batches:
            if batch.num_rows:
                _add(tally, scorers, batch, n_key)
        yield from _to_batches(tally)

    by_task = context.df.select(*[column.alias(name) for name, column in columns.items()])
    return _merge(scorers, by_task.mapInArrow(work, _SCHEMA))


def _columns(context: AnalysisContext, scorers: Scorers) -> dict[str, Column]:
    """What is handed over of each row: its draw, the inputs, its period, and its key."""
    df, counter = context.df, scorers.period_counter
    columns = {_DRAW: row_draws(context), **scorers.inputs.expressions(df)}
    when = context.partition or context.time
    if counter and when is not None:
        columns[_WHEN] = as_text(when) if counter.grid.kind == "value" else as_double(df, when)
    if scorers.model:
        columns |= {f"{_KEY} {i}": _for_json(df, name) for i, name in enumerate(context.key)}
    return columns


def _for_json(df: DataFrame, name: str) -> Column:
    """A column of the key as JSON can show it."""
    column = F.col(quote(name))
    return column if df.schema[name].dataType.simpleString() in _IN_JSON else column.cast("string")


def _add(tally: Tally, scorers: Scorers, batch: pa.RecordBatch, n_key: int) -> None:
    """Add the rows of a batch to a tally."""
    rows = InputRows(scorers.inputs, batch)
    if scorers.model:
        _add_scores(tally, scorers.model, rows, batch, n_key)
    if scorers.ellipsoid:
        bins = np.searchsorted(scorers.edges[1:], scorers.ellipsoid.squared_distances(rows), side="right")
        tally.distances += np.bincount(bins, minlength=len(scorers.edges))
    if scorers.period_counter:
        tally.by_period += scorers.period_counter.count(batch.column(_WHEN), rows)


def _add_scores(tally: Tally, model: AnomalyModel, rows: InputRows, batch: pa.RecordBatch, n_key: int) -> None:
    """Add the scores of a batch, and those of its rows that are among the highest so far."""
    matrix = model.encoder.transform(rows)
    scores = model.scores(matrix)
    tally.scores[:BINS] += np.bincount((scores * BINS).astype(np.int64), minlength=BINS)
    tally.scores[BINS] += int((scores >= model.threshold).sum())
    draws = np.asarray(batch.column(_DRAW))
    for i in _highest(tally, scores, draws):
        key = [batch.column(f"{_KEY} {k}")[i].as_py() for k in range(n_key)]
        row = json.dumps({"key": key, "because": model.causes(matrix[i : i + 1])[0]})
        tally.rows.append(HighRow(-float(scores[i]), int(draws[i]), row, 1))
    tally.rows = sorted(tally.rows)[:MAX_ROWS]


def _highest(tally: Tally, scores: Floats, draws: Ints) -> list[int]:
    """Places of the rows that may be among the highest so far; of equal scores the lower draws."""
    least = -tally.rows[-1].minus_score if len(tally.rows) == MAX_ROWS else 0.0
    likely = np.flatnonzero(scores >= least)
    order = np.lexsort((draws[likely], -scores[likely]))[:MAX_ROWS]
    return [int(i) for i in likely[order]]


def _to_batches(tally: Tally) -> Iterator[pa.RecordBatch]:
    """The tally of a task, as rows whose `n` is summed over tasks by all other columns."""
    for what, counts in tally.counts().items():
        places = np.flatnonzero(counts)
        yield _batch(what, len(places), place=places, n=counts[places])
    rows = {name: [getattr(row, name) for row in tally.rows] for name in HighRow._fields}
    yield _batch(ROW, len(tally.rows), place=[0] * len(tally.rows), **rows)


def _batch(what: str, n_rows: int, **columns: Any) -> pa.RecordBatch:
    """A batch of the columns of `_SCHEMA`, those that are not given null."""
    kinds = {"place": pa.int64(), "n": pa.int64(), "minus_score": pa.float64(), "draw": pa.int64(), "row": pa.string()}
    arrays = [pa.array(columns.get(name, [None] * n_rows), kind) for name, kind in kinds.items()]
    return pa.RecordBatch.from_arrays([pa.array([what] * n_rows, pa.string()), *arrays], names=["what", *kinds])


def _merge(scorers: Scorers, by_task: DataFrame) -> Tally:
    """The sum of the tallies of all tasks."""
    summed = by_task.groupBy("what", "place", "minus_score", "draw", "row").agg(F.sum("n").alias("n")).toArrow()
    tally = Tally.empty(scorers)
    for what, counts in tally.counts().items():
        of_kind = summed.filter(pc.equal(summed.column("what"), what))
        counts[of_kind.column("place").to_numpy()] = of_kind.column("n").to_numpy()
    rows = summed.filter(pc.equal(summed.column("what"), ROW)).select(list(HighRow._fields))
    tally.rows = sorted(HighRow(**row) for row in rows.to_pylist())[:MAX_ROWS]
    return tally
