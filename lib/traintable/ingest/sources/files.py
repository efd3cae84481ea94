"""Files as a source: those of a path, or of an interval's path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from traintable.addresses import resolve_file
from traintable.config.ingest import IngestConfig
from traintable.config.promise import Promise
from traintable.config.sources import TextSource, TypedSource
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.drift import apply_drift_policy, declared_fields
from traintable.ingest.formats.headers import Header, headers
from traintable.ingest.formats.text_files import TextFiles
from traintable.ingest.intervals import Interval, next_start
from traintable.ingest.ledger import LoadState
from traintable.ingest.listing import ListedFile, list_files, path_at
from traintable.ingest.sources.source import SourceRows
from traintable.ingest.sources.typed import read_typed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class FileSource:
    """The files that a configuration names."""

    def __init__(self, config: IngestConfig, source: TextSource | TypedSource) -> None:
        self.config, self.source = config, source
        self.root, self.real_root = config.root, os.path.realpath(config.root)
        self.path = resolve_file(source.path, self.root)

    def list_new(self, interval: Interval | None, known: LoadState) -> list[ListedFile]:
        """The files there are; InputMissing where an interval has none, ConfigError where it has those of the next."""
        if interval is not None:
            self._refuse_coarse_path(interval)
        path = path_at(self.path, interval) if interval else self.path
        files = list_files(path, root=self.root)
        if not files and interval is not None:
            raise InputMissing(
                where=f"source.path {path}",
                expected=f"files of the interval {interval.name}",
                found="none",
                remedy="Check that they have arrived; the interval can be landed later, in any order.",
            )
        return files

    def read(self, spark: SparkSession, files: Sequence[ListedFile]) -> SourceRows:
        """The files as rows, with columns that nobody has declared dealt with as `load.drift` says."""
        if isinstance(self.source, TypedSource):
            return read_typed(spark, files, self.config, self.real_root)
        groups: dict[Header | None, list[ListedFile]]
        if self.source.format != "csv" or not self.source.header:
            groups = {None: list(files)}
            refuse = self.config.load.drift == "fail"
            return TextFiles(spark, groups, self.source, declared_fields(self.config, {}), self.real_root, refuse)
        added, groups = dict[str, Promise](), {}
        for header, own in headers(files, self.source).items():
            if header.fault is None:
                drift, more = apply_drift_policy(header.names, own[0].name, self.config)
                added.update(more)
                header = header if drift is None else replace(header, drift=drift)
            groups.setdefault(header, []).extend(own)
        return TextFiles(spark, groups, self.source, declared_fields(self.config, added), self.real_root)

    def close(self) -> None:
        """Nothing is held."""

    def _refuse_coarse_path(self, interval: Interval) -> None:
        """Raise ConfigError where an interval has the path of the one after it."""
        path, schedule = self.source.path, self.config.load.schedule
        assert schedule is not None
        after = Interval(interval.end, next_start(interval.end, schedule))
        if path_at(path, interval) == path_at(path, after):
            raise ConfigError(
                where="source.path",
                expected=f"a path that differs from one interval of the {schedule} schedule to the next",
                found=f"'{path_at(path, after)}' for {interval.name} and for {after.name}",
                remedy="Put the time into the path as finely as the schedule has it, for example as %Y/%m/%d.",
            )
