"""The commits of a Delta table, read from its log."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from traintable import s3
from traintable.columns import identifier, is_catalog_name, is_remote
from traintable.errors import InputMissing
from traintable.session import get_spark, is_managed
from traintable.spark_errors import first_line

if TYPE_CHECKING:
    from deltalake import DeltaTable
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

    A local folder and a table on S3 are read without Spark, in about a second; another address or a catalog name needs
    a session, which is started if none is given. Raises InputMissing when there is no such table.
    """
    if is_catalog_name(table) or (is_remote(table) and not s3.is_s3(table)):
        return _by_spark(table, spark)
    if not s3.is_s3(table) and not _has_log(table) and is_managed():
        return _by_spark(table, spark)  # a path without a scheme may lie in the platform's own file system
    require_log(table)
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return commits_of(DeltaTable(table, storage_options=storage_options(table)))
    except (DeltaError, OSError):  # a table with features that only Spark knows
        return _by_spark(table, spark)


def commits_of(opened: DeltaTable, limit: int | None = None) -> list[Commit]:
    """The commits of a table that deltalake has opened, newest first; the newest `limit` of them where it is given."""
    return [_commit(c["version"], c.get("timestamp", 0) / 1000, c) for c in opened.history(limit)]


def require_log(table: str) -> None:
    """Raise InputMissing where a local path or an address `s3a://` is no Delta table, or can't be reached.

    On S3 it costs a request; an address in other storage is believed.
    """
    if s3.is_s3(table):
        if next(s3.objects(f"{table.rstrip('/')}/_delta_log/"), None) is None:
            raise _missing(table, "nothing there")
    elif not is_remote(table) and not _has_log(table):
        raise _missing(table, "a folder without one" if os.path.isdir(table) else "nothing there")


def storage_options(table: str) -> dict[str, str]:
    """What deltalake has to be told to reach a table: the S3 server and region that the environment names.

    Credentials are not among them, for deltalake takes these from where the AWS tools have them.
    """
    if not s3.is_s3(table):
        return {}
    region, url = s3.region(), s3.endpoint()
    found = {"AWS_REGION": region} if region else {}
    if url:
        is_plain = url.startswith("http://")
        found |= {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": str(is_plain).lower()}
        found["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] = "false"
    return found


def _has_log(table: str) -> bool:
    return os.path.isdir(os.path.join(table, "_delta_log"))


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
