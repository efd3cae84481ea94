"""The rows of the training table, from staged rows and the fitted pipeline."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS
from traintable.config.plan import Plan
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame


def transform_rows(staged: DataFrame, model: PipelineModel, plan: Plan, columns: TableColumns) -> DataFrame:
    """The rows of the training table with its columns, and no others.

    A projection of the staged files; costs no pass by itself. Where the plan fills forward, each split is transformed
    by itself, so that no row is filled from another split. Raises ConfigError for a feature whose name is taken.
    """
    conditions = [F.col(SPLIT) == name for name in SPLITS] if plan.fills_forward else [F.col(SPLIT).isNotNull()]
    transformed = [model.transform(staged.where(condition)) for condition in conditions]
    return columns.select(reduce(lambda rows, more: rows.unionByName(more), transformed))
