"""The private files of a run: rows are computed once and written here, and all later steps read them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.addresses import is_remote
from traintable.assemble.labelled_rows import KIND
from traintable.columns import SPLIT, TRAIN, quote
from traintable.contract.json_text import to_json
from traintable.contract.rows import REASONS
from traintable.spark.errors import translate_spark_errors
from traintable.spark.hadoop_files import delete_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROW = "_row"


class Staging:
    """A folder of Parquet files that lives as long as the run."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self._spark = spark
        self.folder = folder

    def write(self, df: DataFrame, name: str, *, partition_by: Sequence[str] = ()) -> DataFrame:
        """Write the rows and read them back from the files."""
        path = f"{self.folder}/{name}"
        with writing(path):
            df.write.mode("overwrite").partitionBy(*partition_by).parquet(path)
        return self._spark.read.schema(df.schema).parquet(path)

    def delete(self) -> None:
        """Delete the folder, and its parent if no other run uses that."""
        delete_folder(self._spark, self.folder)
        if not is_remote(self.folder):
            with suppress(OSError):
                os.rmdir(os.path.dirname(self.folder))


@contextmanager
def staging(spark: SparkSession, folder: str) -> Iterator[Staging]:
    """A staging folder that is deleted at the end of the body, whatever ends it."""
    files = Staging(spark, folder)
    try:
        yield files
    finally:
        files.delete()


def writing(path: str) -> AbstractContextManager[None]:
    """Turn an error of Spark from a failed write in the body into one line that names the path."""
    remedy = "Check permissions, free space and `output` in the configuration; nothing was published."
    return translate_spark_errors(path, expected="a path that can be written to", remedy=remedy)


def stageable(rows: DataFrame, keep: Sequence[str], *, whole_train: bool = False) -> DataFrame:
    """The columns of assembled rows that later steps read: `keep`, `split`, `_kind`, `_reasons` and `_row`.

    `_row` is the whole row as JSON, for rows that are not published; with `whole_train` also for those of train, some
    of which may still be removed. Costs no pass.

    >>> rows = spark.sql("SELECT * FROM VALUES (1, 2, 'train', null, array()) AS t(id, x, split, _kind, _reasons)")
    >>> stageable(rows, ["id"], whole_train=True).show(truncate=False)
    +---+-----+--------+---------------------------------------------------------+-----+
    |id |_kind|_reasons|_row                                                     |split|
    +---+-----+--------+---------------------------------------------------------+-----+
    |1  |NULL |[]      |{"id":1,"x":2,"split":"train","_kind":null,"_reasons":[]}|train|
    +---+-----+--------+---------------------------------------------------------+-----+
    """
    removed = F.col(KIND).isNotNull() | ((F.col(SPLIT) == TRAIN) if whole_train else F.lit(False))
    whole = to_json(F.struct(*[F.col(quote(name)) for name in rows.columns]))
    return rows.select(
        *[F.col(quote(name)) for name in dict.fromkeys(keep) if name != SPLIT],
        F.col(KIND),
        F.col(REASONS),
        F.when(removed, whole).alias(ROW),
        F.col(SPLIT),
    )
