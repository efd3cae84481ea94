"""The commits of a Delta table, read from its log."""

from __future__ import annotations

import glob
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from traintable.addresses import endpoint, identifier, is_catalog_name, is_remote, is_s3, region
from traintable.errors import InputMissing
from traintable.spark.errors import first_line
from traintable.spark.session import get_spark, is_managed
from traintable.storage.folder import Folder, folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Every reader of Delta opens a table without these two features.
READABLE_BY_ALL = {"delta.enableDeletionVectors": "false", "delta.columnMapping.mode": "none"}
LOG = "_delta_log"  # the folder in a table's own
_COMMIT = re.compile(r"(\d{20})\.json")
_AT_ONCE = 16  # commits that are read side by side, for each takes a request
# What VACUUM and the writers of checkpoints leave alone: with these, files and commits go only when we remove them.
KEEP_HISTORY = {
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
    return bool(glob.glob("*.json", root_dir=os.path.join(table, LOG)))


def commits(table: str, spark: SparkSession | None = None, *, after: int = -1) -> list[Commit]:
    """The commits of a table, newest first; with `after` those of later versions only.

    The log of a local folder or on S3 is read without Spark: it is listed, and a file read for each commit. Another
    address or a catalog name needs a session, which is started if none is given. Raises InputMissing when there is no
    such table. The page on the transaction log of the Delta protocol says what is in it.
    """
    if not has_plain_log(table) or (is_managed() and not is_remote(table) and not os.path.isdir(_log(table))):
        # a path without a scheme may lie in the platform's own file system
        return [commit for commit in _by_spark(table, spark) if commit.version > after]
    wanted = [version for version in reversed(versions(table)) if version > after]
    store = folder(_log(table))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [found for found in pool.map(lambda version: _read(store, version), wanted) if found]


def versions(table: str) -> list[int]:
    """The versions whose commits are in the log of a local folder or on S3, in ascending order; the log is listed.

    Those before them are gone: Delta keeps a commit for 30 days if it is not told otherwise. Raises InputMissing when
    there is no such table, or it can't be reached.
    """
    found = sorted(int(match[1]) for name in folder(_log(table)).names() if (match := _COMMIT.fullmatch(name)))
    if not found:
        raise _missing(table, "a folder without one" if os.path.isdir(table) else "nothing there")
    return found


def has_plain_log(table: str) -> bool:
    """Whether the log lies where it is read without Spark: on a local disk, or on S3."""
    return is_s3(table) or not (is_catalog_name(table) or is_remote(table))


def commit_name(version: int) -> str:
    """The name of the commit of a version, in the table's folder."""
    return f"{LOG}/{version:020}.json"


def storage_options(table: str) -> dict[str, str]:
    """What deltalake has to be told to reach a table on S3: the server and the region that the environment names.

    Credentials are not among them, for deltalake looks for these where the AWS tools have them.
    """
    if not is_s3(table):
        return {}
    place, url = region(), endpoint()
    found = {"AWS_REGION": place} if place else {}
    if url:
        found |= {"AWS_ENDPOINT_URL": url, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
        found["AWS_ALLOW_HTTP"] = str(url.startswith("http://")).lower()
    return found


def _log(table: str) -> str:
    return f"{table.rstrip('/')}/{LOG}"


def _read(store: Folder, version: int) -> Commit | None:
    """One commit; None where it has gone since the log was listed."""
    content = store.read(f"{version:020}.json")
    return None if content is None else _commit(version, *_info(content))


def _info(content: bytes) -> tuple[float, dict[str, Any]]:
    """When a commit was made, in seconds, and what its writer says of it; each line of the file is one action."""
    for line in content.splitlines():
        if b'"commitInfo"' in line and isinstance(found := json.loads(line).get("commitInfo"), dict):
            return found.get("timestamp", 0) / 1000, found
    return 0.0, {}


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
