"""The statistics of some rows: states that rows and other states are added to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

import numpy as np

from traintable.errors import ConfigError
from traintable.statistics.chunk import Chunk
from traintable.statistics.contingency import Contingency
from traintable.statistics.forms import Forms
from traintable.statistics.frequencies import Frequencies
from traintable.statistics.gram import Gram
from traintable.statistics.groups import Groups
from traintable.statistics.missingness import Missingness
from traintable.statistics.periods import Periods
from traintable.statistics.summary import NumberSummary, Shape, Sums
from traintable.statistics.tables import Scores, Tables
from traintable.statistics.targets import TargetSums
from traintable.statistics.values import Values
from traintable.statistics.wanted import Wanted

MAX_CLASSES = 1_000
_BY_COLUMN = ("summary", "shape", "values", "frequencies", "contingency", "groups", "targets", "periods", "forms")
_TOGETHER = ("sums", "gram", "missingness", "tables", "scores")


def too_many_classes(column: str) -> ConfigError:
    """The error where a column has more values than there can be classes."""
    return ConfigError(
        where=f"column '{column}'",
        expected=f"at most {MAX_CLASSES:,} classes",
        found="more",
        remedy="Merge rare classes, or cut numbers into classes: statistics by class need a label of few.",
    )


class State(Protocol):
    """What every state can do."""

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""

    def merge(self, other: Any) -> None:
        """Add the rows of another state of the same kind."""

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON."""


@dataclass(frozen=True)
class Cost:
    """What a scan took: how the rows were read, Spark jobs, and bytes (read from files, or handed over as Arrow)."""

    engine: str = "none"
    jobs: int = 0
    bytes: int = 0


class StatisticsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads: the states in the order of `_parts`."""

    n_rows: int
    states: list[Any]
    classes: dict[str, dict[str, StatisticsRecord]]


class Statistics:
    """What was learned of the rows for `wanted`; each attribute holds what the part of its name has asked for.

    Attributes
    ----------
    n_rows : rows seen.
    summary, shape, values, frequencies, periods, forms : column -> its state.
    sums, gram : exact moments of the columns together.
    contingency, groups : columns -> counts of what they have together.
    targets : TargetGroups -> sums.
    missingness : patterns of missing values.
    tables, scores : counts and moments of coded columns.
    classes : column -> value -> Statistics of the rows that have it.
    cost : what the scan took.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.n_rows = 0
        self.cost = Cost()
        self.summary = {name: NumberSummary(name) for name in wanted.summary}
        self.sums = Sums([name for name in wanted.moments if name not in wanted.covariance])
        self.shape = {name: Shape(name) for name in wanted.shape}
        self.gram = Gram(wanted.covariance, squares=wanted.correlation)
        size = wanted.sketch_size
        self.values = {n: Values(n, wanted.resolution, sketches=wanted.sketches, size=size) for n in wanted.values}
        self.frequencies = {name: Frequencies(name, size) for name in wanted.frequencies}
        self.contingency = {pair: Contingency(*pair) for pair in wanted.contingency}
        self.groups = {columns: Groups(columns) for columns in wanted.groups}
        self.targets = {target: TargetSums(target) for target in wanted.targets}
        self.periods = {name: Periods(name) for name in wanted.periods}
        self.forms = {name: Forms(name) for name in wanted.forms}
        self.missingness = Missingness(wanted.missingness)
        self.tables, self.scores = Tables(wanted.tables), Scores(wanted.scores)
        self.classes: dict[str, dict[str, Statistics]] = {name: {} for name, _ in wanted.classes}

    def _parts(self) -> Iterator[tuple[dict[str, Any], str, Any]]:
        """Each state with where it is kept: (the dict that holds it, or attributes; its key; the state)."""
        for name in _BY_COLUMN:
            held = getattr(self, name)
            yield from ((held, key, held[key]) for key in held)
        yield from ((vars(self), name, getattr(self, name)) for name in _TOGETHER)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        self.n_rows += chunk.n_rows
        for _, _, state in self._parts():
            state.update(chunk)
        for name, wanted in self.wanted.classes:
            text = chunk.text(name)
            for code in np.flatnonzero(text.counts).tolist():
                self._class(name, text.words[code], wanted).update(chunk.where(text.codes == code))

    def _class(self, name: str, word: str, wanted: Wanted) -> Statistics:
        classes = self.classes[name]
        if word not in classes:
            if len(classes) == MAX_CLASSES:
                raise too_many_classes(name)
            classes[word] = Statistics(wanted)
        return classes[word]

    def merge(self, other: Statistics) -> None:
        """Add what was learned from other rows for the same wants."""
        self.n_rows += other.n_rows
        for (_, _, mine), (_, _, theirs) in zip(self._parts(), other._parts(), strict=True):
            mine.merge(theirs)
        for name, wanted in self.wanted.classes:
            for word, statistics in other.classes[name].items():
                self._class(name, word, wanted).merge(statistics)

    def mean_and_variance(self, column: str) -> tuple[float, float]:
        """Mean and sample variance (n - 1) of the values of a column, each rounded once; NaN without enough of them."""
        if column in self.wanted.covariance:
            return self.gram.mean_and_variance(column)
        return self.sums.mean_and_variance(column)

    def imputed_mean_and_variance(self, column: str, fill: float) -> tuple[float, float]:
        """Mean and sample variance (n - 1) of a column, `fill` in place of missing values, each rounded once."""
        if column in self.wanted.covariance:
            filled = self.gram.imputed_covariance({column: fill})
            return float(filled.mean[0]), float(filled.covariance[0, 0])
        return self.sums.imputed_mean_and_variance(column, fill, self.n_rows)

    def to_dict(self) -> StatisticsRecord:
        """The states as plain values for JSON."""
        return {
            "n_rows": self.n_rows,
            "states": [state.to_dict() for _, _, state in self._parts()],
            "classes": {name: {w: s.to_dict() for w, s in classes.items()} for name, classes in self.classes.items()},
        }

    @classmethod
    def from_dict(cls, wanted: Wanted, state: StatisticsRecord) -> Statistics:
        """The statistics that `to_dict` wrote for the same wants."""
        statistics = cls(wanted)
        statistics.n_rows = state["n_rows"]
        for (held, key, empty), saved in zip(list(statistics._parts()), state["states"], strict=True):
            coded = isinstance(empty, Tables | Scores)
            held[key] = empty.restore(saved) if coded else type(empty).from_dict(saved)
        for name, inner in wanted.classes:
            statistics.classes[name] = {w: cls.from_dict(inner, s) for w, s in state["classes"][name].items()}
        return statistics

    def to_json(self) -> str:
        """The states as JSON text."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_json(cls, wanted: Wanted, text: str) -> Statistics:
        """The statistics that `to_json` wrote for the same wants."""
        return cls.from_dict(wanted, json.loads(text))
