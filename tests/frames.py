"""DataFrames for tests, handed over as Arrow: a list of rows would go through Python workers, which are slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def of_rows(spark: SparkSession, schema: str, rows: Sequence[Sequence[Any]]) -> DataFrame:
    """The rows, under a schema such as "id int, `a b` string"."""
    kinds = StructType.fromDDL(schema)
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrow = to_arrow_schema(kinds)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, arrow, strict=True)]
    return spark.createDataFrame(pa.Table.from_arrays(arrays, schema=arrow), kinds)


def of_pandas(spark: SparkSession, frame: pd.DataFrame) -> DataFrame:
    """The rows of a pandas frame; None and NaN in it are null."""
    return spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))
