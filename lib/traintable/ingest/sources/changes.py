"""The change data feed of a Delta table as a source: a snapshot first, then each version's changes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from traintable.addresses import resolve
from traintable.config.ingest import CHANGES, IngestConfig
from traintable.config.sources import TableSource
from traintable.delta.commits import Commit, commits
from traintable.delta.pinned_input import PinnedInput, read_pinned
from traintable.delta.table import Table
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.intervals import Interval
from traintable.ingest.ledger import LoadState
from traintable.ingest.listing import ListedFile, name_in_table
from traintable.ingest.sources.source import SourceRows
from traintable.ingest.sources.tables import table_rows
from traintable.spark.errors import first_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SNAPSHOT = "snapshot "  # begins the etag of a version that is taken whole


class ChangeFeed:
    """Each version of a Delta table as if it were a file; the first that is taken, whole.

    Rows have `_change_type` (insert, update_postimage, delete; what a row was before an update is left out),
    `_commit_version` and `_commit_timestamp` where these are declared.
    """

    def __init__(self, config: IngestConfig, source: TableSource) -> None:
        self.config = config
        self.table = resolve(source.table, config.root)
        self.name = name_in_table(self.table, os.path.realpath(config.root))
        self._commits: dict[int, Commit] = {}

    def list_new(self, interval: Interval | None, known: LoadState) -> list[ListedFile]:
        """The versions that were not landed yet; the newest one, whole, where none was."""
        newest_first = commits(self.table)
        newest, oldest = newest_first[0], newest_first[-1]
        self._commits = {commit.version: commit for commit in newest_first}
        taken = {self._version(name): etag for name, etag in known.taken.items()}
        if not taken:
            begun = [self._version(name) for name in known.open[1]] if known.open else []
            whole = self._commits.get(begun[0] if begun else newest.version, newest)
            return [self._file(whole, _SNAPSHOT)]
        last = max(taken)
        needed = range(last, newest.version + 1)
        for version in needed:
            if version not in self._commits:
                raise InputMissing(
                    where=f"table {self.table}",
                    expected=f"version {version}, the next to be landed",
                    found=f"versions {oldest.version} to {newest.version}",
                    remedy="Its history has been removed. Land to another table, which begins with a whole version.",
                )
        if taken[last].removeprefix(_SNAPSHOT) != self._commits[last].timestamp:
            raise ConfigError(
                where=f"table {self.table}",
                expected=f"the version {last} that was landed, committed at {taken[last].removeprefix(_SNAPSHOT)}",
                found=f"a version {last} committed at {self._commits[last].timestamp}",
                remedy="Somebody has made the table anew. Land to another table.",
            )
        return [self._file(self._commits[version]) for version in needed[1:]]

    def read(self, spark: SparkSession, files: Sequence[ListedFile]) -> SourceRows:
        """The changes of the versions, each row with the version that it is of."""
        rows = self._snapshot(spark, files[0]) if files[0].etag.startswith(_SNAPSHOT) else self._feed(spark, files)
        file = F.concat(F.lit(f"{self.name}@"), F.col("_commit_version").cast("string"))

        def count() -> Counter[str]:
            counted = rows.groupBy(file.alias("file")).count().collect()  # one row a version
            return Counter({file.name: 0 for file in files}) + Counter({row[0]: row[1] for row in counted})

        return table_rows(rows, file, self.config, count, ignored=CHANGES)

    def close(self) -> None:
        """Nothing is held."""

    def _snapshot(self, spark: SparkSession, file: ListedFile) -> DataFrame:
        commit = self._commits[self._version(file.name)]
        rows = read_pinned(spark, PinnedInput(self.table, commit.version, commit.timestamp))
        version, at = F.lit(commit.version).cast("bigint"), F.lit(commit.timestamp).cast("timestamp")
        more = dict(zip(CHANGES, (F.lit("insert"), version, at), strict=True))
        return rows.withColumns(more)

    def _feed(self, spark: SparkSession, files: Sequence[ListedFile]) -> DataFrame:
        versions = [self._version(file.name) for file in files]
        options = {"readChangeFeed": "true", "startingVersion": min(versions), "endingVersion": max(versions)}
        try:
            rows = Table(self.table).rows(spark, options=options)
        except PySparkException as error:
            raise InputMissing(
                where=f"table {self.table}, versions {min(versions)} to {max(versions)}",
                expected="a change data feed (delta.enableChangeDataFeed)",
                found=first_line(error),
                remedy="Enable it, and land to another table, which begins with a whole version.",
            ) from error
        return rows.where((F.col("_change_type") != "update_preimage") & F.col("_commit_version").isin(versions))

    def _file(self, commit: Commit, kind: str = "") -> ListedFile:
        return ListedFile(f"{self.name}@{commit.version}", self.table, 0, f"{kind}{commit.timestamp}")

    def _version(self, name: str) -> int:
        return int(name.removeprefix(f"{self.name}@"))
