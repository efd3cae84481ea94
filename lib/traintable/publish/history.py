"""The versions of a training table, as their manifests tell them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLITS, split_folder
from traintable.delta.commits import LOG, UPKEEP, commits
from traintable.errors import ConfigError, InputMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# What a first run that was killed before its commit can leave behind.
_OF_A_RUN_CUT_SHORT = {LOG, *map(split_folder, SPLITS)}


def history(table: str, spark: SparkSession | None = None) -> list[dict[str, Any]]:
    """The commits of a table, newest first: `version`, `timestamp` (ISO, UTC), `operation`, `manifest` (or None).

    Raises InputMissing when there is no such table. Reads the log, no rows.
    """
    return [
        {"version": c.version, "timestamp": c.timestamp, "operation": c.operation, "manifest": c.manifest()}
        for c in commits(table, spark)
    ]


def manifest_of(table: str, version: int, spark: SparkSession | None = None) -> dict[str, Any]:
    """The manifest of a version; InputMissing where there is no such version, ConfigError where it has none."""
    found = commits(table, spark)
    chosen = [commit for commit in found if commit.version == version]
    if not chosen:
        raise InputMissing(
            where=f"table {table}",
            expected=f"version {version}",
            found=f"versions {found[-1].version} to {found[0].version}",
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


def newest_manifest(table: str, spark: SparkSession | None = None) -> tuple[int, dict[str, Any]] | None:
    """Version and manifest of the newest rows of a table; None when there is no table or others have written since.

    Raises ConfigError for a table that holds no version of ours, and for a folder of other files: neither may be
    overwritten.
    """
    try:
        found = commits(table, spark)
    except InputMissing:
        if os.path.isdir(table) and set(os.listdir(table)) - _OF_A_RUN_CUT_SHORT:
            raise _not_ours(table, "a folder of other files") from None
        return None
    if all(commit.manifest() is None for commit in found):
        raise _not_ours(table, "one that somebody else has written")
    for commit in found:
        manifest = commit.manifest()
        if manifest is not None:
            return commit.version, manifest
        if commit.operation not in UPKEEP:
            return None
    return None


def _not_ours(table: str, found: str) -> ConfigError:
    return ConfigError(
        where=f"output.table {table}",
        expected="a new table, or one that was published here before",
        found=found,
        remedy="Name another table, or move that one away.",
    )
