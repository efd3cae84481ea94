"""The commits of a Delta table, read from its log."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from traintable.columns import identifier, is_catalog_name, is_remote
from traintable.errors import InputMissing
from traintable.session import get_spark, is_managed
from traintable.spark_errors import first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Every reader of Delta opens a table without these two features.
PLAIN = {"delta.enableDeletionVectors": "false", "delta.columnMapping.mode": "none"}
# What VACUUM and the writers of checkpoints leave alone: with these, files and commits go only when we remove them.
KEPT = {
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.logRetentionDuration": "interval 36500 days",
}
# Commits that leave the rows as they are.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES")


@dataclass(frozen=True)
class Commit:
    """One version of a table; `timestamp` is ISO in UTC, `metadata` what the writer left in userMetadata."""

    version: int
    timestamp: str
    operation: str
    metadata: str | None

    def told(self) -> dict[str, Any]:
        """The object of JSON in the metadata; an empty one when there is none."""
        try:
            found = json.loads(self.metadata or "")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def manifest(self) -> dict[str, Any] | None:
        """The manifest in the metadata, unless somebody else wrote something else there."""
        found = self.told()
        return found if "traintable" in found else None


def has_commits(table: str) -> bool:
    """Whether a local folder is a table: not where the first write to it was cut short before its commit."""
    return bool(glob.glob("*.json", root_dir=os.path.join(table, "_delta_log")))


def commits(table: str, spark: SparkSession | None = None) -> list[Commit]:
    """The commits of a table, newest first.

    A local folder is read without Spark, in about a second; an address or a catalog name needs a session, which is
    started if none is given. Raises InputMissing when there is no such table.
    """
    if is_catalog_name(table) or is_remote(table):
        return _by_spark(table, spark)
    if not os.path.isdir(os.path.join(table, "_delta_log")):
        if is_managed():  # a path without a scheme may lie in the platform's own file system
            return _by_spark(table, spark)
        found = "a folder without one" if os.path.isdir(table) else "nothing there"
        raise _missing(table, found)
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        found_commits = DeltaTable(table).history()
    except (DeltaError, OSError):  # a table with features that only Spark knows
        return _by_spark(table, spark)
    return [_commit(c["version"], c.get("timestamp", 0) / 1000, c) for c in found_commits]


def _by_spark(table: str, spark: SparkSession | None) -> list[Commit]:
    from pyspark.errors import PySparkException

    try:
        rows = (spark or get_spark()).sql(f"DESCRIBE HISTORY {identifier(table)}").collect()  # one row a commit
    except PySparkException as error:
        raise _missing(table, first_line(error)) from error
    newest_first = sorted(rows, key=lambda row: -int(row["version"]))
    return [_commit(row["version"], row["timestamp"].timestamp(), row.asDict()) for row in newest_first]


def _commit(version: int, seconds: float, fields: dict[str, Any]) -> Commit:
    timestamp = datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    return Commit(int(version), timestamp, fields.get("operation") or "", fields.get("userMetadata"))


def _missing(table: str, found: str) -> InputMissing:
    return InputMissing(
        where=f"table {table}",
        expected="a readable Delta table",
        found=found,
        remedy="Check the name (relative paths in a configuration start at its `root`) and your access to it.",
    )
