"""The tables that an extraction writes: one commit each, which a repetition of the run leaves as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.addresses import is_catalog_name, is_remote, resolve, sibling
from traintable.columns import literal, quote
from traintable.config.ingest import IngestConfig
from traintable.contract.record_columns import FILE
from traintable.delta.table import Table, Transaction
from traintable.errors import ConfigError
from traintable.ingest.ledger import Ledger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = "rows"  # how many a commit of files has written, in its metadata
INTERVAL, REPAIRED, REPLAYED = "_interval", "repaired", "replayed"


@dataclass(frozen=True)
class IngestTables:
    """What an extraction writes: the landed table, the records that were not landed, and the ledger.

    Where rows are merged by their key, `landed` is the log of all that came, and `merged` what it comes to.
    """

    landed: Table
    quarantine: Table
    ledger: Ledger
    merged: Table | None = None

    @classmethod
    def of(cls, config: IngestConfig) -> IngestTables:
        """The tables that a configuration names; ConfigError for one that is no local path."""
        output, root = config.output, config.root
        table = _require_local(output.table, root, "table")
        quarantine = _require_local(output.quarantine or sibling(table, "quarantine"), root, "quarantine")
        ledger = Ledger(_require_local(output.ledger or sibling(table, "ledger"), root, "ledger"))
        if config.load.merge is None:
            return cls(Table(table), Table(quarantine), ledger)
        return cls(Table(log_of(table)), Table(quarantine), ledger, Table(table))

    @property
    def table(self) -> Table:
        """The table that the configuration names."""
        return self.merged or self.landed

    @property
    def relative_paths(self) -> dict[str, str]:
        """Where quarantine and ledger lie, as seen from the table."""
        return {
            "quarantine": os.path.relpath(self.quarantine.address, self.table.address),
            "ledger": os.path.relpath(self.ledger.address, self.table.address),
        }


def transaction_of(run: str) -> Transaction:
    """The transaction by which a run writes once to each table."""
    return Transaction(run, 1)


def n_written(table: Table, run: str) -> int:
    """How many rows a run has written, as Delta counted them; rows that were only moved do not count."""
    commit = next(commit for commit in table.newest_commits() if run in str(commit.metadata))
    metadata, metrics = commit.metadata_object(), commit.metrics or {}  # none of a commit of no rows
    if ROWS in metadata:
        return int(metadata[ROWS])
    return int(metrics.get("numOutputRows", 0)) - int(metrics.get("numCopiedRows", 0))


def log_of(table: str) -> str:
    """Where the rows lie that a merged table is made of."""
    return sibling(table, "log")


def _require_local(name: str, root: str, output: str) -> str:
    path = resolve(name, root)
    if is_catalog_name(path) or is_remote(path):
        raise ConfigError(
            where=f"output.{output}",
            expected="a local path",
            found=f"'{name}'",
            remedy="Land to a path; a catalog can name it afterwards.",
        )
    return path


def count_by_file(
    spark: SparkSession, landed: Table, quarantine: Table | None, where: str
) -> dict[str, tuple[int, int]]:
    """Of each file the rows in the table and in the quarantine where a condition holds; a narrow pass over both."""
    tables = [table for table in (landed, quarantine) if table is not None]
    rows = [table.rows(spark).where(where).select(FILE, F.lit(i).alias("table")) for i, table in enumerate(tables)]
    both = rows[0].unionByName(rows[1]) if len(rows) > 1 else rows[0]
    n_rows = [F.count_if(F.col("table") == i) for i in (0, 1)]
    return {row[0]: (int(row[1]), int(row[2])) for row in both.groupBy(FILE).agg(*n_rows).collect()}


def of_files(names: Iterable[str]) -> str:
    """The condition that a row is of one of these files."""
    return f"{quote(FILE)} IN ({', '.join(literal(name) for name in names)})"


def of_interval(name: str) -> str:
    """The condition that a row is of an interval."""
    return f"{quote(INTERVAL)} = {literal(name)}"
