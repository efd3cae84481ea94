"""The private files of one run: rows are computed once and written here, and everything after reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.addresses import is_remote
from traintable.assemble.rows import KIND
from traintable.columns import SPLIT, TRAIN, quote
from traintable.contract.json_text import to_json
from traintable.contract.rows import REASONS
from traintable.spark.errors import translated
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
        """Delete the folder, and the one it lies in if no other run uses that."""
        delete_folder(self._spark, self.folder)
        if not is_remote(self.folder):
            with suppress(OSError):
                os.rmdir(os.path.dirname(self.folder))


@contextmanager
def staging(spark: SparkSession, folder: str) -> Iterator[Staging]:
    """A staging folder that is gone when the body ends, whatever ends it."""
    files = Staging(spark, folder)
    try:
        yield files
    finally:
        files.delete()


def writing(path: str) -> AbstractContextManager[None]:
    """Turn what Spark says of a failed write in the body into one line that names the place."""
    remedy = "Check permissions, free space and `output` in the configuration; nothing was published."
    return translated(path, expected="a place that can be written", remedy=remedy)


def stageable(rows: DataFrame, keep: Sequence[str], *, whole_train: bool = False) -> DataFrame:
    """What later steps need of assembled rows: `keep`, `split`, `_kind`, reasons, and removed rows whole as JSON.

    With `whole_train` the rows of train too, for some of them may still be removed.
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
