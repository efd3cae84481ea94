"""The landed table and its quarantine: one commit each, which a repetition of the run leaves as it is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.transaction import AddAction, create_table_with_add_actions
from pyspark.sql import functions as F

from traintable.addresses import is_catalog_name, is_remote, resolve, sibling
from traintable.columns import literal, quote
from traintable.config.ingest import IngestConfig
from traintable.contract.record_columns import FILE
from traintable.delta.commits import READABLE_BY_ALL, has_commits
from traintable.delta.data_files import Written
from traintable.errors import ConfigError
from traintable.ingest.ledger import Ledger

if TYPE_CHECKING:
    from delta.tables import DeltaTable as SparkTable
    from pyspark.sql import DataFrame, SparkSession

_ROWS = "rows"  # how many a commit has written, where the table does not count them
_HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
_RECENT = 20  # commits, among which that of a run is as good as always
INTERVAL, REPAIRED, REPLAYED = "_interval", "repaired", "replayed"


class Target:
    """A Delta table at a local path that runs write to."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether there is a table."""
        return has_commits(self.path)

    def has(self, run: str) -> bool:
        """Whether a run has written to the table."""
        return self.exists and DeltaTable(self.path).transaction_version(run) is not None

    @property
    def version(self) -> int:
        """The newest version."""
        return DeltaTable(self.path).version()

    def n_written(self, run: str) -> int:
        """How many rows a run has written, as Delta counted them; rows that were only moved do not count."""
        table = DeltaTable(self.path)
        for limit in (_RECENT, None):
            found = [c for c in table.history(limit) if run in str(c.get("userMetadata"))]
            if found:
                break
        commit = found[0]
        told = json.loads(commit["userMetadata"])
        if _ROWS in told:
            return int(told[_ROWS])
        counted = commit["operationMetrics"]  # a commit of no rows says nothing of them
        return int(counted.get("numOutputRows", 0)) - int(counted.get("numCopiedRows", 0))

    def write(
        self,
        rows: DataFrame,
        run: str,
        *,
        replace: str | None = None,
        whole: bool = False,
        partition_by: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        add_columns: bool = False,
    ) -> None:
        """Append the rows, or put them in place of those where `replace` holds, or of all (`whole`).

        The run is the commit's transaction: when it is there already, nothing is computed or written.
        """
        writer = rows.write.format("delta").partitionBy(*partition_by)
        options = {
            **READABLE_BY_ALL,
            "txnAppId": run,
            "txnVersion": "1",
            "userMetadata": json.dumps(metadata or {"run": run}),
        }
        if add_columns:
            options["mergeSchema"] = "true"
        if replace is not None and self.exists:
            options["replaceWhere"] = replace
        for name, value in options.items():
            writer = writer.option(name, value)
        writer.mode("overwrite" if whole or "replaceWhere" in options else "append").save(self.path)

    def takes_files(self, schema: pa.Schema, constant: Mapping[str, str]) -> bool:
        """Whether all that it takes to append rows is a commit of files: nothing has to be checked, split or changed.

        So it is where the table has these columns, of these types, is partitioned by those that are `constant` (name
        -> value), and has no constraints or other features; or where there is none, and it can be of the first kind.
        """
        if any(pa.types.is_timestamp(field.type) and field.type.tz is None for field in schema):
            return False
        if not self.exists:
            return True
        table = DeltaTable(self.path)
        known = {field.name: field for field in table.schema().fields}
        if table.protocol().min_writer_version > 2 or table.metadata().partition_columns != list(constant):
            return False
        if any(not field.nullable or field.metadata for field in known.values()):
            return False
        own = Schema.from_arrow(schema).fields
        return all(field.name in known and field.type == known[field.name].type for field in own)

    def append_files(
        self,
        files: Sequence[Written],
        schema: pa.Schema,
        constant: Mapping[str, str],
        run: str,
        *,
        metadata: Mapping[str, Any],
    ) -> None:
        """Take files that lie in the table's folder into the table, in one commit, of which the run is the transaction.

        They have the columns of `schema`; those that are `constant` are the table's partitions. Costs no pass.
        """
        columns = pa.schema([*schema, *((name, pa.string()) for name in constant)])
        now = int(time.time() * 1000)
        actions = [AddAction(file.path, file.bytes, constant, now, True, file.stats) for file in files]
        told = json.dumps({**metadata, _ROWS: sum(file.n for file in files)})
        properties = CommitProperties(
            custom_metadata={"userMetadata": told}, app_transactions=[Transaction(run, 1, now)]
        )
        if self.exists:
            table = DeltaTable(self.path)
            table.create_write_transaction(
                [*actions],
                "append",
                Schema.from_arrow(columns),
                partition_by=list(constant),
                commit_properties=properties,
                post_commithook_properties=_HOOKS,
            )
            return
        create_table_with_add_actions(
            self.path,
            Schema.from_arrow(columns),
            actions,
            partition_by=list(constant),
            configuration=READABLE_BY_ALL,
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )

    def delete(self, spark: SparkSession, where: str) -> None:
        """Delete the rows where a condition holds; no commit when there are none."""
        if self.exists:
            self._in_spark(spark).delete(where)

    def mark(self, rows: DataFrame, *, on: Mapping[str, str], values: Mapping[str, str]) -> None:
        """Set columns to SQL values in the rows that agree with just one of `rows`.

        `on` says for each column of these what of a row, `mine`, is to be the same.
        """
        same = " AND ".join(f"{expression} = theirs.{quote(name)}" for name, expression in on.items())
        merge = self._in_spark(rows.sparkSession).alias("mine").merge(rows.alias("theirs"), same)
        merge.whenMatchedUpdate(set=dict(values)).execute()

    def update(self, spark: SparkSession, where: str, values: Mapping[str, str]) -> None:
        """Set columns to SQL values where a condition holds."""
        self._in_spark(spark).update(where, dict(values))

    def _in_spark(self, spark: SparkSession) -> SparkTable:
        from delta.tables import DeltaTable as SparkTable

        return SparkTable.forPath(spark, self.path)


@dataclass(frozen=True)
class Tables:
    """What an extraction writes: the landed table, the records that were not, and the ledger.

    Where rows are merged by their key, `target` is the log of all that were landed, and `merged` what it comes to.
    """

    target: Target
    quarantine: Target
    ledger: Ledger
    merged: Target | None = None

    @classmethod
    def of(cls, config: IngestConfig) -> Tables:
        """The tables that a configuration names; ConfigError for one that is no local path."""
        output, root = config.output, config.root
        table = _local(output.table, root, "table")
        quarantine = _local(output.quarantine or sibling(table, "quarantine"), root, "quarantine")
        ledger = Ledger(_local(output.ledger or sibling(table, "ledger"), root, "ledger"))
        if config.load.merge is None:
            return cls(Target(table), Target(quarantine), ledger)
        return cls(Target(log_of(table)), Target(quarantine), ledger, Target(table))

    @property
    def table(self) -> Target:
        """The table that the configuration names."""
        return self.merged or self.target

    @property
    def beside(self) -> dict[str, str]:
        """Where quarantine and ledger lie, as seen from the table."""
        return {
            "quarantine": os.path.relpath(self.quarantine.path, self.table.path),
            "ledger": os.path.relpath(self.ledger.path, self.table.path),
        }


def log_of(table: str) -> str:
    """Where the rows lie that a merged table is made of."""
    return sibling(table, "log")


def _local(name: str, root: str, what: str) -> str:
    found = resolve(name, root)
    if is_catalog_name(found) or is_remote(found):
        raise ConfigError(
            where=f"output.{what}",
            expected="a local path",
            found=f"'{name}'",
            remedy="Land to a path; a catalog can name it afterwards.",
        )
    return found


def counts_of(spark: SparkSession, target: Target, quarantine: Target | None, where: str) -> dict[str, tuple[int, int]]:
    """Of each file the rows in the table and in the quarantine where a condition holds; a narrow pass over both."""
    tables = [table for table in (target, quarantine) if table is not None]
    parts = [
        spark.read.format("delta").load(table.path).where(where).select(FILE, F.lit(i).alias("table"))
        for i, table in enumerate(tables)
    ]
    both = parts[0].unionByName(parts[1]) if len(parts) > 1 else parts[0]
    n_rows = [F.count_if(F.col("table") == i) for i in (0, 1)]
    return {row[0]: (int(row[1]), int(row[2])) for row in both.groupBy(FILE).agg(*n_rows).collect()}


def of_files(names: Iterable[str]) -> str:
    """The condition that a row is of one of these files."""
    return f"{quote(FILE)} IN ({', '.join(literal(name) for name in names)})"


def of_interval(name: str) -> str:
    """The condition that a row is of an interval."""
    return f"{quote(INTERVAL)} = {literal(name)}"
