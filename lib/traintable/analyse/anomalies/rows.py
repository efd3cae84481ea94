"""Score the rows of a table by an isolation forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.anomalies.model import AnomalyModel
from traintable.analyse.rows.add_columns import add_columns
from traintable.analyse.rows.reading import Read
from traintable.columns import refuse_taken, require_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCORE, BECAUSE = "anomaly_score", "anomaly_because"


def score_anomalies(df: DataFrame, model: AnomalyModel) -> DataFrame:
    """Rows with `anomaly_score double`, between 0 and 1, and `anomaly_because array<string>` added.

    The score is that of `AnomalyModel.scores`; a row's does not depend on the rows beside it. From the model's
    threshold on a row is an anomaly, and the columns that caused it are named, the strongest first (see
    `AnomalyModel.contributions`); other rows have an empty array. One pass, as the rows are computed; scikit-learn is
    not needed for it.

    Raises ConfigError when a column of the model is missing, or the new names are taken.
    """
    require_columns(df, set(model.encoding.columns), where="analyse.score_anomalies")
    refuse_taken(df, {SCORE, BECAUSE}, where="analyse.score_anomalies")
    schema = f"{SCORE} double, {BECAUSE} array<string>"
    return add_columns(df, model.encoding.reading, schema, lambda rows: _scored(model, rows))


def _scored(model: AnomalyModel, rows: Read) -> list[pa.Array]:
    matrix = model.encoding.matrix(rows)
    scores = model.scores(matrix)
    strange = np.flatnonzero(scores >= model.threshold)
    because: list[list[str]] = [[] for _ in scores]
    for row, causes in zip(strange.tolist(), model.causes(matrix[strange]), strict=True):
        because[row] = [name for name, _ in causes]
    return [pa.array(scores), pa.array(because, pa.list_(pa.string()))]
