"""What fitting a plan gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traintable.columns import FEATURES, column_name, quote
from traintable.prepare.terms import Layers, Term, without_substitutions
from traintable.statistics import Cost, Statistics

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel


@dataclass(frozen=True)
class DroppedFeature:
    """A feature that selection has left out: by which method, and why."""

    feature: str
    method: str
    because: str

    def __str__(self) -> str:
        return f"{self.feature}: {self.method}, {self.because}"


@dataclass(frozen=True)
class FittedPlan:
    """A plan that is fitted on train.

    Attributes
    ----------
    model : stock stages only; `transform` adds the features, and keeps all rows and all other columns.
    features : names of the features, in the order of the array or as the columns have them.
    dropped : what selection has left out, and why.
    statistics : what the first scan has learned of train.
    costs : what each scan of train took.
    """

    model: PipelineModel
    features: tuple[str, ...]
    dropped: tuple[DroppedFeature, ...]
    statistics: Statistics
    costs: tuple[Cost, ...]


def feature_names(terms: Sequence[Term], *, output: str) -> list[str]:
    """The names of the features, each different; as columns without what Delta or a statement refuses."""
    taken: set[str] = set()
    names = []
    for term in terms:
        name = without_substitutions(column_name(term.name)) if output == "columns" else term.name
        candidate, n = name, 2
        while candidate.lower() in taken:
            candidate, n = f"{name}_{n}", n + 1
        taken.add(candidate.lower())
        names.append(candidate)
    return names


def pipeline_model(layers: Layers, terms: Sequence[Term], *, output: str, replaced: Sequence[str]) -> PipelineModel:
    """A stock stage: one SQLTransformer, of a SELECT for each layer of columns and one that puts the features together.

    All are plain projections (but for a forward fill, which is a window), so Spark compiles them into one. `replaced`
    are the columns of the rows that a feature may take the name of.
    """
    from pyspark.ml import PipelineModel
    from pyspark.ml.feature import SQLTransformer

    names = feature_names(terms, output=output)
    if output == "array":
        elements = ",\n  ".join(f"CAST({term.sql} AS FLOAT)" for term in terms)
        added = f"array(\n  {elements}\n) AS {quote(FEATURES)}"
    else:
        pairs = zip(names, terms, strict=True)
        added = ",\n  ".join(f"CAST({term.sql} AS FLOAT) AS {quote(name)}" for name, term in pairs)
    gone = [*layers.names, *(name for name in names if output == "columns" and name in replaced)]
    rest = f"* EXCEPT ({', '.join(quote(name) for name in gone)})" if gone else "*"
    return PipelineModel([SQLTransformer(statement=f"SELECT {rest},\n  {added}\nFROM {layers.rows()}")])
