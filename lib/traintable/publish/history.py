"""The versions of a training table, as their manifests tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traintable.delta_log import commits
from traintable.errors import InputMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Commits that leave the rows as they are.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES")


def history(table: str, spark: SparkSession | None = None) -> list[dict[str, Any]]:
    """The commits of a table, newest first: `version`, `timestamp` (ISO, UTC), `operation`, `manifest` (or None).

    Raises InputMissing when there is no such table. Reads the log, no rows.
    """
    return [
        {"version": c.version, "timestamp": c.timestamp, "operation": c.operation, "manifest": c.manifest()}
        for c in commits(table, spark)
    ]


def newest_manifest(table: str, spark: SparkSession | None = None) -> tuple[int, dict[str, Any]] | None:
    """Version and manifest of the newest rows of a table; None when there is no table or others have written it."""
    try:
        found = commits(table, spark)
    except InputMissing:
        return None
    for commit in found:
        manifest = commit.manifest()
        if manifest is not None:
            return commit.version, manifest
        if commit.operation not in UPKEEP:
            return None
    return None
