"""Score the rows of a table by an isolation forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.anomalies.model import AnomalyModel
from traintable.analyse.rows.add_columns import add_columns
from traintable.analyse.rows.inputs import InputRows
from traintable.columns import refuse_taken, require_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCORE, BECAUSE = "anomaly_score", "anomaly_because"


def score_anomalies(df: DataFrame, model: AnomalyModel) -> DataFrame:
    """Add to each row how easily it is isolated from the others, and which columns make it so.

    Parameters
    ----------
    df : rows with the columns that the model was fitted to.
    model : of `isolation_forest`.

    Returns
    -------
    DataFrame
        All rows with `anomaly_score double`, between 0 and 1, and `anomaly_because array<string>` added. The score is
        that of Liu, Ting and Zhou (2008) for a row that the forest has seen (see `AnomalyModel.scores`); it does not
        depend on the other rows of `df`. From the model's threshold on a row is an anomaly, and the columns that caused
        it are named, the strongest first (see `AnomalyModel.contributions`); other rows have an empty array. Costs one
        pass, as the rows are computed; scikit-learn is not needed.

    Raises
    ------
    ConfigError
        When a column of the model is missing, or the new names are taken.

    Examples
    --------
    >>> from traintable import analyse
    >>> df = spark.createDataFrame([(i, 9.9 if i == 5 else i % 4 / 4) for i in range(40)], "id int, x double")
    >>> scored = analyse.score_anomalies(df, analyse.isolation_forest(df, ["x"], key=["id"], n_trees=20))
    >>> [(row.id, row.anomaly_because) for row in scored.where("size(anomaly_because) > 0").collect()]
    [(5, ['x'])]
    """
    require_columns(df, set(model.encoder.columns), where="analyse.score_anomalies")
    refuse_taken(df, {SCORE, BECAUSE}, where="analyse.score_anomalies")
    schema = f"{SCORE} double, {BECAUSE} array<string>"
    return add_columns(df, model.encoder.inputs, schema, lambda rows: _score(model, rows))


def _score(model: AnomalyModel, rows: InputRows) -> list[pa.Array]:
    matrix = model.encoder.transform(rows)
    scores = model.scores(matrix)
    anomalies = np.flatnonzero(scores >= model.threshold)
    because: list[list[str]] = [[] for _ in scores]
    for row, causes in zip(anomalies.tolist(), model.causes(matrix[anomalies]), strict=True):
        because[row] = [name for name, _ in causes]
    return [pa.array(scores), pa.array(because, pa.list_(pa.string()))]
