"""One pass over all rows: their scores, the strangest of them, and what is counted by period."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.analyse.anomalies.cells import Cells
from traintable.analyse.anomalies.model import AnomalyModel
from traintable.analyse.mahalanobis import Ellipsoid
from traintable.analyse.rows.draw import drawn
from traintable.analyse.rows.reading import Read, Reading, as_number, as_word
from traintable.arrays import Floats, Ints
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from traintable.analyse.rows.context import Context

BINS = 100  # of scores, from 0 to 1
MAX_ROWS = 20
SCORES, DISTANCES, CELLS, ROW = "scores", "distances", "cells", "row"
_SCHEMA = "what string, place long, n long, score double, draw long, row string"
_DRAW, _WHEN, _KEY = "draw", "when", "key"
_PLAIN = ("tinyint", "smallint", "int", "bigint", "boolean", "string")


@dataclass(frozen=True)
class Question:
    """What is to be learned of all rows; any part may be missing.

    `edges` are those of the histogram of squared distances, ascending from 0; the last is a limit beyond which rows
    are counted together.
    """

    model: AnomalyModel | None = None
    ellipsoid: Ellipsoid | None = None
    edges: Floats = field(default_factory=lambda: np.zeros(1))
    cells: Cells | None = None

    @property
    def reading(self) -> Reading:
        """What is read of rows, each column once."""
        parts = [part.reading for part in (self.model and self.model.encoding, self.ellipsoid, self.cells) if part]
        return Reading.of((n for part in parts for n in part.numbers), (w for part in parts for w in part.words))


@dataclass
class Answer:
    """What was learned.

    Attributes
    ----------
    scores : rows by score, in 100 bins from 0 to 1, and last the rows from the model's threshold on.
    distances : rows by squared distance, and last those beyond the last edge.
    cells : as `Cells.counted` gives them, shape (periods, cells).
    rows : the highest scores: (minus score, draw, key and causes as JSON, how many equal rows these are).
    """

    scores: Ints
    distances: Ints
    cells: Ints
    rows: list[tuple[float, int, str, int]] = field(default_factory=list)

    @classmethod
    def empty(cls, question: Question) -> Answer:
        """What is known of no rows."""
        cells = question.cells
        shape = (cells.grid.n, cells.width) if cells else (0, 0)
        return cls(np.zeros(BINS + 1, np.int64), np.zeros(len(question.edges), np.int64), np.zeros(shape, np.int64))

    def counts(self) -> dict[str, Ints]:
        """All whole numbers, each kind as one flat array."""
        return {SCORES: self.scores, DISTANCES: self.distances, CELLS: self.cells.reshape(-1)}


def ask(context: Context, question: Question) -> Answer:
    """Learn the answer from all rows of a context in one pass; the same for any layout of the same rows."""
    columns = _columns(context, question)
    n_key = len(context.key)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        answer = Answer.empty(question)
        for batch in batches:
            if batch.num_rows:
                _add(answer, question, batch, n_key)
        yield _rows_of(answer)

    parts = context.df.select(*[column.alias(name) for name, column in columns.items()]).mapInArrow(work, _SCHEMA)
    return _together(question, parts)


def _columns(context: Context, question: Question) -> dict[str, Column]:
    df = context.df
    found = {_DRAW: drawn(context), **question.reading.columns(df)}
    when = context.partition or context.time
    if question.cells and when is not None:
        found[_WHEN] = as_word(when) if question.cells.grid.kind == "value" else as_number(df, when)
    if question.model:
        found |= {f"{_KEY} {i}": _shown(df, name) for i, name in enumerate(context.key)}
    return found


def _shown(df: DataFrame, name: str) -> Column:
    """A column of the key as JSON can show it."""
    column = F.col(quote(name))
    return column if df.schema[name].dataType.simpleString() in _PLAIN else column.cast("string")


def _add(answer: Answer, question: Question, batch: pa.RecordBatch, n_key: int) -> None:
    rows = Read(question.reading, batch)
    if question.model:
        matrix = question.model.encoding.matrix(rows)
        scores = question.model.scores(matrix)
        answer.scores[:BINS] += np.bincount((scores * BINS).astype(np.int64), minlength=BINS)
        answer.scores[BINS] += int((scores >= question.model.threshold).sum())
        draws = np.asarray(batch.column(_DRAW))
        for i in _highest(answer, scores, draws):
            shown = [batch.column(f"{_KEY} {k}")[i].as_py() for k in range(n_key)]
            row = json.dumps({"key": shown, "because": question.model.causes(matrix[i : i + 1])[0]})
            answer.rows.append((-float(scores[i]), int(draws[i]), row, 1))
        answer.rows = sorted(answer.rows)[:MAX_ROWS]
    if question.ellipsoid:
        places = np.searchsorted(question.edges[1:], question.ellipsoid.squared(rows), side="right")
        answer.distances += np.bincount(places, minlength=len(question.edges))
    if question.cells:
        answer.cells += question.cells.counted(batch.column(_WHEN), rows)


def _highest(answer: Answer, scores: Floats, draws: Ints) -> list[int]:
    """Places of the rows that may be among the highest so far; of equal scores the lower draws."""
    least = -answer.rows[-1][0] if len(answer.rows) == MAX_ROWS else 0.0
    likely = np.flatnonzero(scores >= least)
    order = np.lexsort((draws[likely], -scores[likely]))[:MAX_ROWS]
    return [int(i) for i in likely[order]]


def _rows_of(answer: Answer) -> pa.RecordBatch:
    """What one task has learned, as rows that are added up by all but `n`."""
    found: dict[str, list[Any]] = {name: [] for name in ("what", "place", "n", "score", "draw", "row")}
    for what, counts in answer.counts().items():
        places = np.flatnonzero(counts)
        found["what"] += [what] * len(places)
        found["place"] += places.tolist()
        found["n"] += counts[places].tolist()
    n_counts = len(found["n"])
    found["what"] += [ROW] * len(answer.rows)
    found["place"] += [0] * len(answer.rows)
    found["n"] += [n for *_, n in answer.rows]
    for name, i in (("score", 0), ("draw", 1), ("row", 2)):
        found[name] = [None] * n_counts + [row[i] for row in answer.rows]
    kinds = (pa.string(), pa.int64(), pa.int64(), pa.float64(), pa.int64(), pa.string())
    arrays = [pa.array(values, kind) for values, kind in zip(found.values(), kinds, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(found))


def _together(question: Question, parts: DataFrame) -> Answer:
    summed = parts.groupBy("what", "place", "score", "draw", "row").agg(F.sum("n").alias("n")).toArrow()
    answer = Answer.empty(question)
    for what, counts in answer.counts().items():
        own = summed.filter(pc.equal(summed.column("what"), what))
        counts[own.column("place").to_numpy()] = own.column("n").to_numpy()
    rows = summed.filter(pc.equal(summed.column("what"), ROW)).select(["score", "draw", "row", "n"])
    answer.rows = sorted(zip(*[column.to_pylist() for column in rows.columns], strict=True))[:MAX_ROWS]
    return answer
