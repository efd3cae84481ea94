"""Add columns that NumPy computes to the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

import pyarrow as pa
from pyspark.sql.types import StructType

from traintable.analyse.rows.inputs import InputColumns, InputRows
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def add_columns(
    df: DataFrame, inputs: InputColumns, schema: str, compute: Callable[[InputRows], list[pa.Array]]
) -> DataFrame:
    """The rows with the columns of `schema` added, which `compute` makes of batches of their `inputs`.

    The rows pass through Python workers as Arrow batches, all columns unchanged; one pass, as they are computed.
    """
    n = len(df.columns)
    unchanged = [df[quote(name)].alias(f"column {i}") for i, name in enumerate(df.columns)]
    handed_over = [column.alias(name) for name, column in inputs.expressions(df).items()]
    added = cast(StructType, StructType.fromDDL(schema))
    fields = StructType([*df.schema.fields, *added.fields])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = [*batch.columns[:n], *compute(InputRows(inputs, batch))]
            yield pa.RecordBatch.from_arrays(columns, names=[field.name for field in fields])

    return df.select(*unchanged, *handed_over).mapInArrow(work, fields)
