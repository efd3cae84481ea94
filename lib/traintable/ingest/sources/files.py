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
from traintable.ingest.formats.headers import Header, headers
from traintable.ingest.formats.text_files import TextFiles
from traintable.ingest.intervals import Interval, following
from traintable.ingest.ledger import Unit
from traintable.ingest.listing import FoundFile, at, list_files
from traintable.ingest.sources.source import Rows, after_drift, declared_fields
from traintable.ingest.sources.typed import open_typed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Files:
    """The files that a configuration names."""

    def __init__(self, config: IngestConfig, source: TextSource | TypedSource) -> None:
        self.config, self.source = config, source
        self.root, self.real_root = config.root, os.path.realpath(config.root)
        self.path = resolve_file(source.path, self.root)

    def found(self, interval: Interval | None, known: Unit) -> list[FoundFile]:
        """The files there are; InputMissing where an interval has none, ConfigError where it has those of the next."""
        if interval is not None:
            self._refuse_coarse_path(interval)
        path = at(self.path, interval) if interval else self.path
        files = list_files(path, root=self.root)
        if not files and interval is not None:
            raise InputMissing(
                where=f"source.path {path}",
                expected=f"files of the interval {interval.name}",
                found="none",
                remedy="Check that they have arrived; the interval can be landed later, in any order.",
            )
        return files

    def open(self, spark: SparkSession, files: Sequence[FoundFile]) -> Rows:
        """The files as rows, with columns that nobody has declared dealt with as `load.drift` says."""
        if isinstance(self.source, TypedSource):
            return open_typed(spark, files, self.config, self.real_root)
        if self.source.format != "csv" or not self.source.header:
            groups: dict[Header | None, list[FoundFile]] = {None: list(files)}
            refuse = self.config.load.drift == "fail"
            return TextFiles(spark, groups, self.source, declared_fields(self.config, {}), self.real_root, refuse)
        added, grouped = dict[str, Promise](), dict[Header | None, list[FoundFile]]()
        for header, own in headers(files, self.source).items():
            if header.fault is None:
                drift, more = after_drift(header.names, own[0].name, self.config)
                added.update(more)
                header = header if drift is None else replace(header, drift=drift)
            grouped.setdefault(header, []).extend(own)
        return TextFiles(spark, grouped, self.source, declared_fields(self.config, added), self.real_root)

    def close(self) -> None:
        """Nothing is held."""

    def _refuse_coarse_path(self, interval: Interval) -> None:
        """Raise ConfigError where an interval has the path of the one after it."""
        path, schedule = self.source.path, self.config.load.schedule
        assert schedule is not None
        after = Interval(interval.end, following(interval.end, schedule))
        if at(path, interval) == at(path, after):
            raise ConfigError(
                where="source.path",
                expected=f"a path that is another for each interval of the {schedule} schedule",
                found=f"'{at(path, after)}' for {interval.name} and for {after.name}",
                remedy="Name the time as finely as the schedule has it, for example by %Y/%m/%d.",
            )
