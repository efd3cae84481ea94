"""Add columns that NumPy computes to the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

import pyarrow as pa
from pyspark.sql.types import StructType

from traintable.analyse.rows.reading import Read, Reading
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def add_columns(df: DataFrame, reading: Reading, schema: str, compute: Callable[[Read], list[pa.Array]]) -> DataFrame:
    """The rows with the columns of `schema` added, which `compute` makes of batches of what is read of them.

    The rows pass through Python workers as Arrow batches, all columns unchanged; one pass, as they are computed.
    """
    n = len(df.columns)
    given = [df[quote(name)].alias(f"given {i}") for i, name in enumerate(df.columns)]
    used = [column.alias(name) for name, column in reading.columns(df).items()]
    added = cast(StructType, StructType.fromDDL(schema))
    kinds = StructType([*df.schema.fields, *added.fields])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = [*batch.columns[:n], *compute(Read(reading, batch))]
            yield pa.RecordBatch.from_arrays(columns, names=[field.name for field in kinds])

    return df.select(*given, *used).mapInArrow(work, kinds)
