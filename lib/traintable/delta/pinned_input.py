"""Read a Delta table at one version, which is then named in the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from traintable.delta.commits import commits
from traintable.delta.manifest import InputTable
from traintable.delta.table import Table
from traintable.errors import InputMissing
from traintable.spark.errors import first_line
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class PinnedInput:
    """One version of one table, and when it was committed (by which a rebuilt table differs from the earlier one)."""

    table: str
    version: int
    committed: str

    def to_dict(self) -> InputTable:
        """For the manifest."""
        return {"table": self.table, "version": self.version, "committed": self.committed}


def pin_input(table: str, version: int | None = None, *, spark: SparkSession | None = None) -> PinnedInput:
    """Find a version of a table (default: the newest) in its log, without reading its rows.

    Raises InputMissing when the table or the version does not exist.
    """
    newest_first = commits(table, spark)
    chosen = [commit for commit in newest_first if version is None or commit.version == version]
    if not chosen:
        raise InputMissing(
            where=f"table {table}",
            expected=f"version {version}",
            found=f"versions {newest_first[-1].version} to {newest_first[0].version}",
            remedy="Name one of these, or leave `version` out to pin the newest.",
        )
    return PinnedInput(table, chosen[0].version, chosen[0].timestamp)


def read_pinned(spark: SparkSession, pinned: PinnedInput, *, where: str | None = None) -> DataFrame:
    """The rows of a pinned table; `where` is a SQL predicate, which prunes partitions when it names them.

    Raises ConfigError when the predicate names a column that the table lacks. Costs no pass by itself.
    """
    try:
        df = Table(pinned.table).rows(spark, pinned.version)
    except PySparkException as error:
        raise InputMissing(
            where=f"table {pinned.table} version {pinned.version}",
            expected="a version whose files are still there",
            found=first_line(error),
            remedy="It may have been vacuumed: pin a newer version.",
        ) from error
    return df if where is None else df.where(evaluate(df, where, where=f"`where` of table {pinned.table}"))
