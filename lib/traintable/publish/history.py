"""The versions of a training table, as their manifests tell them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from traintable.columns import is_catalog_name
from traintable.errors import InputMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Commits that leave the rows as they are.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES")


def history(table: str, spark: SparkSession | None = None) -> list[dict[str, Any]]:
    """The commits of a table, newest first: `version`, `timestamp` (ISO, UTC), `operation`, `manifest` (or None).

    A path is read from its log alone, without Spark; a catalog name needs the session. Raises InputMissing when there
    is no such table.
    """
    commits = _from_catalog(table, spark) if is_catalog_name(table) else _from_log(table)
    return [{**commit, "manifest": _manifest(commit.pop("userMetadata"))} for commit in commits]


def newest_manifest(table: str, spark: SparkSession) -> tuple[int, dict[str, Any]] | None:
    """Version and manifest of the newest rows of a table; None when there is no table or others have written it."""
    try:
        commits = history(table, spark)
    except InputMissing:
        return None
    for commit in commits:
        if commit["manifest"] is not None:
            return int(commit["version"]), commit["manifest"]
        if commit["operation"] not in UPKEEP:
            return None
    return None


def _from_log(table: str) -> list[dict[str, Any]]:
    from datetime import datetime, timezone

    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        commits = DeltaTable(table.replace("s3a://", "s3://", 1), without_files=True).history()
    except (DeltaError, OSError) as error:
        raise _missing(table, error) from error
    return [
        {
            "version": commit["version"],
            "timestamp": datetime.fromtimestamp(commit["timestamp"] / 1000, timezone.utc).isoformat(),
            "operation": commit.get("operation", ""),
            "userMetadata": commit.get("userMetadata"),
        }
        for commit in commits
    ]


def _from_catalog(table: str, spark: SparkSession | None) -> list[dict[str, Any]]:
    from pyspark.errors import PySparkException

    from traintable.columns import identifier
    from traintable.session import get_spark

    try:
        rows = (spark or get_spark()).sql(f"DESCRIBE HISTORY {identifier(table)}").collect()  # one row a commit
    except PySparkException as error:
        raise _missing(table, error) from error
    return [
        {
            "version": row["version"],
            "timestamp": row["timestamp"].isoformat(),
            "operation": row["operation"],
            "userMetadata": row["userMetadata"],
        }
        for row in sorted(rows, key=lambda row: -row["version"])
    ]


def _manifest(text: str | None) -> dict[str, Any] | None:
    """The manifest in a commit's userMetadata, unless somebody else wrote something else there."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) and "traintable" in found else None


def _missing(table: str, error: Exception) -> InputMissing:
    return InputMissing(
        where=f"table {table}",
        expected="a readable Delta table",
        found=str(error).strip().splitlines()[0],
        remedy="Check the path, or publish it first with `traintable run`.",
    )
