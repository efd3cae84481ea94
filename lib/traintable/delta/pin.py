"""Read a Delta table at one version, which is then named in the manifest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from traintable.addresses import is_catalog_name
from traintable.delta.commits import commits
from traintable.errors import InputMissing
from traintable.spark.errors import first_line
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameReader, SparkSession


@dataclass(frozen=True)
class Pinned:
    """One version of one table, and when it was committed (which tells a rebuilt table from the one before)."""

    table: str
    version: int
    committed: str

    def to_dict(self) -> dict[str, str | int]:
        """For the manifest."""
        return asdict(self)


def pin(table: str, version: int | None = None, *, spark: SparkSession | None = None) -> Pinned:
    """Find a version of a table (default: the newest) in its log, without reading its rows.

    Raises InputMissing when the table or the version does not exist.
    """
    found = commits(table, spark)
    chosen = [commit for commit in found if version is None or commit.version == version]
    if not chosen:
        raise InputMissing(
            where=f"table {table}",
            expected=f"version {version}",
            found=f"versions {found[-1].version} to {found[0].version}",
            remedy="Name one of these, or leave `version` out to pin the newest.",
        )
    return Pinned(table, chosen[0].version, chosen[0].timestamp)


def loaded(reader: DataFrameReader, table: str) -> DataFrame:
    """The rows of a Delta table that is named by a catalog or a path; costs no pass."""
    return reader.table(table) if is_catalog_name(table) else reader.format("delta").load(table)


def read_pinned(spark: SparkSession, pinned: Pinned, *, where: str | None = None) -> DataFrame:
    """The rows of a pinned table; `where` is a SQL predicate, which prunes partitions when it names them.

    Raises ConfigError when the predicate names a column that the table has not. Costs no pass by itself.
    """
    reader = spark.read.option("versionAsOf", pinned.version)
    try:
        df = loaded(reader, pinned.table)
    except PySparkException as error:
        raise InputMissing(
            where=f"table {pinned.table} version {pinned.version}",
            expected="a version whose files are still there",
            found=first_line(error),
            remedy="It may have been vacuumed: pin a newer version.",
        ) from error
    return df if where is None else df.where(evaluate(df, where, where=f"`where` of table {pinned.table}"))
