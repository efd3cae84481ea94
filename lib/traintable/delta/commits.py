"""The commits of a Delta table, read from its log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from traintable.addresses import endpoint, identifier, is_catalog_name, is_remote, is_s3, region
from traintable.delta.log import LOG, commit_name, commit_names, parse_json, parse_object
from traintable.delta.manifest import Manifest, parse_manifest
from traintable.errors import InputMissing
from traintable.spark.errors import first_line
from traintable.spark.session import get_spark, is_managed
from traintable.storage.folder import folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_AT_ONCE = 16  # commits that are read at the same time, for each takes a request
# Commits that leave the rows as they are.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES")


@dataclass(frozen=True)
class Commit:
    """One version of a table; `timestamp` is ISO in UTC, `metadata` what the writer left in userMetadata."""

    version: int
    timestamp: str
    operation: str
    metadata: str | None
    metrics: Mapping[str, Any] | None = None

    def metadata_object(self) -> Mapping[str, Any]:
        """The object of JSON in the metadata; an empty one when there is none."""
        return parse_object(self.metadata)

    def manifest(self) -> Manifest | None:
        """The manifest in the metadata, unless somebody else wrote something else there."""
        return parse_manifest(self.metadata)


def commits(table: str, spark: SparkSession | None = None, *, after: int = -1) -> list[Commit]:
    """The commits of a table, newest first; with `after` those of later versions only.

    The log of a local folder or on S3 is read without Spark: it is listed, and a file read for each commit. Another
    address or a catalog name needs a session, which is started if none is given. Raises InputMissing when there is no
    such table. The page on the transaction log of the Delta protocol says what is in it.
    """
    if not is_read_without_spark(table):
        return [commit for commit in _by_spark(table, spark) if commit.version > after]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wanted = [version for version in reversed(version_numbers(table)) if version > after]
        return [commit for commit in pool.map(lambda version: _read(table, version), wanted) if commit]


def newest_commits(table: str, spark: SparkSession | None = None) -> Iterator[Commit]:
    """The commits of a table, newest first, each read when it is needed; for who wants the first of them only."""
    if not is_read_without_spark(table):
        yield from _by_spark(table, spark)
        return
    for version in reversed(version_numbers(table)):
        if (commit := _read(table, version)) is not None:
            yield commit


def commit_of_rows(newest_first: Iterable[Commit], is_ours: Callable[[Commit], bool]) -> Commit | None:
    """The commit that wrote the newest rows, if it is ours; upkeep, which leaves rows as they are, is passed over."""
    for commit in newest_first:
        if is_ours(commit):
            return commit
        if commit.operation not in UPKEEP:
            return None
    return None


def version_numbers(table: str) -> list[int]:
    """The versions whose commits are in the log of a local folder or on S3, in ascending order; the log is listed.

    Those before them are gone: Delta keeps a commit for 30 days by default. Raises InputMissing when
    there is no such table, or it can't be reached.
    """
    numbers = list(_numbers(table))
    if not numbers:
        raise _missing(table, "a folder without one" if os.path.isdir(table) else "nothing there")
    return numbers


def has_commits(table: str) -> bool:
    """Whether a local folder, or a place on S3, is a table: not where its first write was cut short."""
    return bool(_numbers(table))


def has_plain_log(table: str) -> bool:
    """Whether the log lies where it is read without Spark: on a local disk, or on S3."""
    return is_s3(table) or not (is_catalog_name(table) or is_remote(table))


def is_read_without_spark(table: str) -> bool:
    """Whether the log can be read without Spark.

    Where somebody else starts our sessions, a path without a scheme may lie in the platform's own file system.
    """
    return has_plain_log(table) and not (is_managed() and not is_remote(table) and not os.path.isdir(_log(table)))


def storage_options(table: str) -> dict[str, str]:
    """What deltalake needs to reach a table on S3: the server and the region that the environment names.

    Credentials are not among them, for deltalake looks for these where the AWS tools have them.
    """
    if not is_s3(table):
        return {}
    place, url = region(), endpoint()
    options = {"AWS_REGION": place} if place else {}
    if url:
        options |= {"AWS_ENDPOINT_URL": url, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
        options["AWS_ALLOW_HTTP"] = str(url.startswith("http://")).lower()
    return options


def _log(table: str) -> str:
    return f"{table.rstrip('/')}/{LOG}"


def _numbers(table: str) -> dict[int, str]:
    return commit_names(f"{LOG}/{name}" for name in folder(_log(table)).names())


def _read(table: str, version: int) -> Commit | None:
    """One commit; None where it has gone since the log was listed."""
    content = folder(table.rstrip("/") or "/").read(commit_name(version))
    return None if content is None else _commit(version, *_info(content))


def _info(content: bytes) -> tuple[float, dict[str, Any]]:
    """When a commit was made, in seconds, and what its writer says of it; each line of the file is one action."""
    for line in content.splitlines():
        if b'"commitInfo"' in line and isinstance(info := parse_json(line.decode()).get("commitInfo"), dict):
            return info.get("timestamp", 0) / 1000, info
    return 0.0, {}


def _by_spark(table: str, spark: SparkSession | None) -> list[Commit]:
    from pyspark.errors import PySparkException

    try:
        rows = (spark or get_spark()).sql(f"DESCRIBE HISTORY {identifier(table)}").collect()  # one row a commit
    except PySparkException as error:
        raise _missing(table, first_line(error)) from error
    newest_first = sorted(rows, key=lambda row: -int(row["version"]))
    return [_commit(row["version"], row["timestamp"].timestamp(), row.asDict()) for row in newest_first]


def _commit(version: int, seconds: float, fields: Mapping[str, Any]) -> Commit:
    timestamp = datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    operation, metadata = fields.get("operation") or "", fields.get("userMetadata")
    return Commit(int(version), timestamp, operation, metadata, fields.get("operationMetrics"))


def _missing(table: str, found: str) -> InputMissing:
    return InputMissing(
        where=f"table {table}",
        expected="a readable Delta table",
        found=found,
        remedy="Check the name (relative paths in a configuration start at its `root`) and your access to it.",
    )
