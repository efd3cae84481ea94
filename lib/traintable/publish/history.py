"""The versions of a training table, as their manifests describe them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypedDict

from traintable.columns import SPLITS, split_folder
from traintable.delta.commits import commit_of_rows, commits
from traintable.delta.log import LOG
from traintable.delta.manifest import Manifest
from traintable.errors import ConfigError, InputMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# What a first run that was killed before its commit can leave behind.
_OF_A_RUN_CUT_SHORT = {LOG, *map(split_folder, SPLITS)}


class HistoryEntry(TypedDict):
    """One commit: `timestamp` is ISO in UTC; `manifest` None where somebody else has written it."""

    version: int
    timestamp: str
    operation: str
    manifest: Manifest | None


def history(table: str, spark: SparkSession | None = None) -> list[HistoryEntry]:
    """The commits of a table, newest first: `version`, `timestamp` (ISO, UTC), `operation`, `manifest` (or None).

    Raises InputMissing when there is no such table. Reads the log, no rows.

    >>> from traintable.delta.table import Table
    >>> Table(f"{folder}/t").append(spark.range(3), metadata={"traintable": "0.1", "run_id": "r1"})
    0
    >>> [(entry["version"], entry["manifest"]["run_id"]) for entry in history(f"{folder}/t")]
    [(0, 'r1')]
    """
    return [
        {"version": c.version, "timestamp": c.timestamp, "operation": c.operation, "manifest": c.manifest()}
        for c in commits(table, spark)
    ]


def read_manifest(table: str, version: int, spark: SparkSession | None = None) -> Manifest:
    """The manifest of a version; InputMissing where there is no such version, ConfigError where it has none."""
    entries = commits(table, spark)
    chosen = [commit for commit in entries if commit.version == version]
    if not chosen:
        raise InputMissing(
            where=f"table {table}",
            expected=f"version {version}",
            found=f"versions {entries[-1].version} to {entries[0].version}",
            remedy="Name one of these; `traintable history` lists them.",
        )
    manifest = chosen[0].manifest()
    if manifest is None:
        raise ConfigError(
            where=f"table {table} version {version}",
            expected="a version that was published here",
            found=f"one that somebody else has written ({chosen[0].operation})",
            remedy="`traintable history` lists the versions with their manifests.",
        )
    return manifest


def newest_manifest(table: str, spark: SparkSession | None = None) -> tuple[int, Manifest] | None:
    """Version and manifest of the newest rows of a table; None when there is no table or others have written since.

    Raises ConfigError for a table that holds no version of ours, and for a folder of other files: neither may be
    overwritten.

    >>> newest_manifest(f"{folder}/none") is None
    True
    """
    try:
        entries = commits(table, spark)
    except InputMissing:
        if os.path.isdir(table) and set(os.listdir(table)) - _OF_A_RUN_CUT_SHORT:
            raise _not_ours(table, "a folder of other files") from None
        return None
    if all(commit.manifest() is None for commit in entries):
        raise _not_ours(table, "one that somebody else has written")
    newest = commit_of_rows(entries, lambda commit: commit.manifest() is not None)
    manifest = None if newest is None else newest.manifest()
    return None if newest is None or manifest is None else (newest.version, manifest)


def _not_ours(table: str, found: str) -> ConfigError:
    return ConfigError(
        where=f"output.table {table}",
        expected="a new table, or one that was published here before",
        found=found,
        remedy="Name another table, or move that one away.",
    )
