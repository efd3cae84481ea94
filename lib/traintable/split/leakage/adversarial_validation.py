"""Adversarial validation: whether a classifier can tell the rows of train from the others.

The check is called "gap" in findings, in `leakage.allow` and in the limits of the configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.arrays import Bools, Floats
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.finding import LeakFinding, Severity
from traintable.split.leakage.sample import LeakageSample
from traintable.split.leakage.separation import auc, standard_error

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N_TREES, MAX_DEPTH, MAX_BINS = 10, 5, 32
MIN_ROWS = 20
_ERRORS = 3.0
_N_NAMED = 3


def adversarial_validation(evidence: Evidence, sample: LeakageSample) -> list[LeakFinding]:
    """Whether features tell which split a row is in, by the area under the ROC curve of a random forest.

    On half of the sampled rows pyspark.ml's RandomForestClassifier learns to tell them apart (10 trees of depth 5,
    columns in at most 32 bins); on the other half its area is measured, with the standard error of Hanley and McNeil.
    A finding is an area above `max_gap_auc` that lies three errors above 0.5; above `severe_gap_auc` it is severe,
    unless splits follow each other in time, where seasons differ and the column of time is left out. The columns named
    are the most important ones to the forest. Where a half has fewer than 20 rows of a side there is no finding.

    Costs the forest's passes over the sample.
    """
    table = evidence.table
    names = [name for name in sample.valued if name != table.time]
    if not names:
        return []
    is_train, fits = sample.flags("train"), sample.flags("half")
    sides = [int((is_train[half] == side).sum()) for half in (fits, ~fits) for side in (True, False)]
    if min(sides) < MIN_ROWS:
        return []
    matrix = np.column_stack([_codes(sample.values(name), fits, ~is_train) for name in names])
    scores, importance = _forest(table.df.sparkSession, matrix, ~is_train, fits)
    rank = np.unique(scores, return_inverse=True)[1]
    held = ~is_train[~fits]
    area = auc(np.bincount(rank[~held], minlength=len(scores)), np.bincount(rank[held], minlength=len(scores)))
    error = standard_error(area, sides[2], sides[3])
    limits = table.limits
    if area <= limits.max_gap_auc or area - 0.5 <= _ERRORS * error:
        return []
    order = [i for i in np.argsort(-importance, kind="stable")[:_N_NAMED] if importance[i] >= 0.1]
    severity: Severity = "severe" if area > limits.severe_gap_auc and table.time is None else "warning"
    return [_finding(severity, tuple(names[i] for i in order), area, error, len(is_train), limits.max_gap_auc)]


def _finding(
    severity: Severity, columns: tuple[str, ...], area: float, error: float, n_rows: int, limit: float
) -> LeakFinding:
    return LeakFinding(
        "gap",
        severity,
        columns,
        "a classifier tells train from the other splits",
        "Leave out features that follow from the split, or split so that train resembles what is to be predicted.",
        {"auc": area, "standard_error": error, "rows": n_rows, "limit": limit},
    )


def _codes(column: pa.ChunkedArray, fits: Bools, held: Bools) -> Floats:
    """A column in at most 32 ordered codes: numbers by quantiles, categories by their share of held-out rows.

    Both are learned of the rows that the forest is fitted on. A missing number is below all others, and a category
    that was not seen in the middle.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        encoded = pc.fill_null(column, "\0").combine_chunks().dictionary_encode()
        codes = np.asarray(encoded.indices).astype(np.int64)
        n = np.bincount(codes[fits], minlength=len(encoded.dictionary))
        of_held = np.bincount(codes[fits & held], minlength=len(encoded.dictionary))
        values = ((of_held + 1.0) / (n + 2.0))[codes]
    else:
        values = np.asarray(pc.fill_null(column, np.nan).combine_chunks())
    missing = ~np.isfinite(values)
    known = values[fits & ~missing]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, MAX_BINS - 1)[1:-1])) if len(known) else np.zeros(0)
    return np.where(missing, 0.0, 1.0 + np.searchsorted(edges, np.where(missing, 0.0, values), side="left"))


def _forest(spark: SparkSession, matrix: Floats, held: Bools, fits: Bools) -> tuple[Floats, Floats]:
    """Scores of the rows that the forest was not fitted on, and the importance of each column."""
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.functions import array_to_vector, vector_to_array

    def rows(chosen: Bools) -> DataFrame:
        lists = pa.FixedSizeListArray.from_arrays(pa.array(matrix[chosen].ravel()), matrix.shape[1])
        arrow = pa.table({"x": lists.cast(pa.list_(pa.float64())), "y": held[chosen].astype(np.float64)})
        arrow = arrow.append_column("i", pa.array(np.arange(len(arrow))))
        return spark.createDataFrame(arrow).select("i", array_to_vector(F.col("x")).alias("features"), "y")

    forest = RandomForestClassifier(
        labelCol="y",
        numTrees=N_TREES,
        maxDepth=MAX_DEPTH,
        maxBins=MAX_BINS,
        featureSubsetStrategy="all",
        seed=0,
    )
    model = forest.fit(rows(fits).coalesce(1))
    scored = model.transform(rows(~fits)).select("i", vector_to_array(F.col("probability"))[1].alias("p")).toArrow()
    scores = np.asarray(scored.sort_by("i").column("p").combine_chunks())
    return scores, np.asarray(model.featureImportances.toArray())
