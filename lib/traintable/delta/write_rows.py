"""Rows that Spark writes to a Delta table and commits itself, with an idempotent transaction and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from traintable.addresses import identifier, is_catalog_name
from traintable.delta.commit_actions import Transaction
from traintable.delta.manifest import manifest_json
from traintable.delta.properties import OWN_PROPERTIES
from traintable.spark.session import settings

if TYPE_CHECKING:
    from delta.tables import DeltaTable
    from pyspark.sql import DataFrame, DataFrameReader, SparkSession

Mode = Literal["append", "overwrite", "errorifexists"]
_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_TRANSACTION = ("spark.databricks.delta.write.txnAppId", "spark.databricks.delta.write.txnVersion")


class WriteOptions(TypedDict, total=False):
    """What goes with rows that are written.

    Attributes
    ----------
    transaction : by which a commit that is repeated is made once.
    metadata : an object that becomes the `userMetadata` of the commit, as JSON.
    partition_by : columns of the rows.
    properties : of the table, where it is made, beside those that every table gets.
    add_columns : columns that the table has not are added to it; without, they are refused.
    """

    transaction: Transaction | None
    metadata: Mapping[str, Any] | None
    partition_by: Sequence[str]
    properties: Mapping[str, str]
    add_columns: bool


@dataclass(frozen=True)
class CommitOptions:
    """The same with defaults, and the `userMetadata` as the text that it is."""

    metadata: str | None = None
    transaction: Transaction | None = None
    partition_by: Sequence[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    add_columns: bool = False

    @classmethod
    def of(cls, options: WriteOptions) -> CommitOptions:
        """The options that a caller gives; ValueError for numbers in `metadata` that JSON has not."""
        metadata = options.get("metadata")
        return cls(
            metadata=None if metadata is None else manifest_json(metadata),
            transaction=options.get("transaction"),
            partition_by=options.get("partition_by", ()),
            properties=options.get("properties", {}),
            add_columns=options.get("add_columns", False),
        )

    def writer_options(self) -> dict[str, str]:
        """The options of a DataFrameWriter."""
        options = {} if self.metadata is None else {"userMetadata": self.metadata}
        if self.transaction is not None:
            options |= {"txnAppId": self.transaction.app, "txnVersion": str(self.transaction.version)}
        return options

    def table_properties(self) -> dict[str, str]:
        """All properties of a table that is made."""
        return {**OWN_PROPERTIES, **self.properties}

    def session_settings(self) -> dict[str, str]:
        """The settings of a session for commands that take no options."""
        values = {} if self.metadata is None else {_METADATA: self.metadata}
        if self.transaction is not None:
            names = (self.transaction.app, str(self.transaction.version))
            values |= dict(zip(_TRANSACTION, names, strict=True))
        return values


def write(rows: DataFrame, table: str, mode: Mode, options: CommitOptions, *, where: str | None = None) -> None:
    """Write rows beside those of the table, or in place of all of them, or of those where a condition holds."""
    named = {**options.table_properties(), **options.writer_options()}
    if options.add_columns:
        named["mergeSchema"] = "true"
    if where is not None:
        named["replaceWhere"] = where
    writer = rows.write.format("delta").mode(mode).partitionBy(*options.partition_by)
    for name, value in named.items():
        writer = writer.option(name, value)
    if is_catalog_name(table):
        writer.saveAsTable(identifier(table))
    else:
        writer.save(table)


def create_or_replace(rows: DataFrame, table: str, options: CommitOptions) -> None:
    """Make the table of these rows, whatever schema, partitions and properties one of its name has had."""
    from pyspark.sql import functions as F

    writer = rows.writeTo(identifier(table)).using("delta")
    if options.partition_by:
        writer = writer.partitionedBy(*map(F.col, options.partition_by))
    for name, value in options.writer_options().items():
        writer = writer.option(name, value)
    for name, value in options.table_properties().items():
        writer = writer.tableProperty(name, value)
    writer.createOrReplace()


@dataclass(frozen=True)
class MergeClauses:
    """What a MERGE does with rows that match, or don't; conditions and values are SQL on `target` and `source`.

    Attributes
    ----------
    on : when a row of the table, `target`, and one that is merged into it, `source`, match.
    delete : matching rows of the table that go; None: none.
    update : column -> value, in the other matching rows.
    insert : column -> value, of rows that match none.
    """

    on: str
    delete: str | None = None
    update: Mapping[str, str] | None = None
    insert: Mapping[str, str] | None = None


def merge(rows: DataFrame, table: str, clauses: MergeClauses, options: CommitOptions) -> None:
    """One MERGE, with the clauses that are given: without inserts, or with nothing else, it costs less."""
    spark = rows.sparkSession
    builder = delta_table(spark, table).alias("target").merge(rows.alias("source"), clauses.on)
    if options.add_columns:
        builder = builder.withSchemaEvolution()
    if clauses.delete is not None:
        builder = builder.whenMatchedDelete(clauses.delete)
    if clauses.update is not None:
        builder = builder.whenMatchedUpdate(set=dict[str, Any](clauses.update))
    if clauses.insert is not None:
        builder = builder.whenNotMatchedInsert(values=dict[str, Any](clauses.insert))
    with _session_settings(spark, options):
        builder.execute()


def update(spark: SparkSession, table: str, where: str, values: Mapping[str, str], options: CommitOptions) -> None:
    """Set columns to SQL values where a condition holds; no commit when there are no such rows."""
    with _session_settings(spark, options):
        delta_table(spark, table).update(where, dict[str, Any](values))


def delete(spark: SparkSession, table: str, where: str, options: CommitOptions) -> None:
    """Delete the rows where a condition holds; no commit when there are none."""
    with _session_settings(spark, options):
        delta_table(spark, table).delete(where)


def load(reader: DataFrameReader, table: str) -> DataFrame:
    """The rows of a table that is named by a catalog or an address; costs no pass."""
    return reader.table(identifier(table)) if is_catalog_name(table) else reader.format("delta").load(table)


def delta_table(spark: SparkSession, table: str) -> DeltaTable:
    """The table, as Delta's own Python interface has it."""
    from delta.tables import DeltaTable

    if is_catalog_name(table):
        return DeltaTable.forName(spark, identifier(table))
    return DeltaTable.forPath(spark, table)


@contextmanager
def _session_settings(spark: SparkSession, options: CommitOptions) -> Iterator[None]:
    values = options.session_settings()
    if not values:
        yield
        return
    with settings(spark, values):
        yield
