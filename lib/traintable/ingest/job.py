"""The command `ingest`: what is new of a source becomes rows of a Delta table, once; what can't is quarantined."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypedDict, final

from traintable.config.ingest import BY_FILE, IngestConfig
from traintable.config.sources import JdbcSource, TableSource
from traintable.contract.rules import fields_of
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.intervals import Interval, intervals, last_complete
from traintable.ingest.ledger import REPLAY, LoadState, digest_of, run_name
from traintable.ingest.listing import ListedFile, fingerprint
from traintable.ingest.load import Load, Loader, LoadResult
from traintable.ingest.sources.changes import ChangeFeed
from traintable.ingest.sources.files import FileSource
from traintable.ingest.sources.source import Session, Source
from traintable.ingest.sources.tables import DeltaSource
from traintable.ingest.tables import IngestTables, transaction_of
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark
from traintable.spark.task_results import UnreadableFiles

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@final
class IngestResult(TypedDict):
    """What the JSON line of the command says.

    `rows` has how many records were `read`, `accepted` and `quarantined`; `unreadable` the names of files that could
    not be read, which the next run tries again.
    """

    status: str
    run_id: str | None
    table: str
    version: int | None
    model: None
    rows: dict[str, int]
    files: int
    unreadable: list[str]
    quarantine: str
    ledger: str


def ingest(
    config: IngestConfig,
    *,
    interval: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    r"""Land what is new of a source in a Delta table, each record once.

    A run that was interrupted is carried on by the next; a run that has nothing to do starts no Spark.

    Parameters
    ----------
    config : the source, the columns that are promised of it, and the tables to write.
    interval : "START/END" in UTC, for mode "interval"; the last that is complete by default. Several are landed one by
        one, in order; each is a run of its own.
    spark : the session; one is started when it is first needed where none is given.
    progress : where the stages are shown; nowhere by default.

    Returns
    -------
    What was landed; the status is "published", or "unchanged" when nothing was new.

    Raises
    ------
    TraintableError
        For whatever stops it. Of that run nothing is then in the table, or the next carries it on.

    Notes
    -----
    Costs one pass over the new files and a cheap one that counts their records; where some are bad two more over the
    files, and a narrow one over what was written.

    Examples
    --------
    A record that breaks a promise is quarantined, with the reason:

    >>> import pathlib
    >>> _ = pathlib.Path(folder, "people.csv").write_text("id,age\n1,34\n2,old\n")
    >>> config = IngestConfig(
    ...     name="people",
    ...     root=folder,
    ...     source={"format": "csv", "path": "people.csv"},
    ...     columns={"id": {"type": "bigint"}, "age": {"type": "int", "min": 0}},
    ...     output={"table": "people"},
    ... )
    >>> result = ingest(config, spark=spark)
    >>> result["status"], result["rows"]
    ('published', {'read': 2, 'accepted': 1, 'quarantined': 1})
    >>> ingest(config, spark=spark)["status"]
    'unchanged'
    """
    progress = progress or Progress(quiet=True)
    job = _Job(config, progress, spark)
    results = [result for chosen in _intervals(config, interval) for result in job.land(chosen)]
    return job.summary(results)


def _intervals(config: IngestConfig, text: str | None) -> Sequence[Interval | None]:
    """The intervals to land, or None alone for a mode without any."""
    schedule = config.load.schedule
    if schedule is not None:
        return intervals(text, schedule) if text else [last_complete(schedule, datetime.now(timezone.utc))]
    if text is not None:
        raise ConfigError(
            where="--interval",
            expected="a configuration whose `load.mode` is 'interval'",
            found=f"mode '{config.load.mode}'",
            remedy="Leave it out.",
        )
    return [None]


class _Job:
    """Finds the loads that are needed, and has them carried out one after the other."""

    def __init__(self, config: IngestConfig, progress: Progress, spark: SparkSession | None) -> None:
        self.config, self.progress, self._spark = config, progress, spark
        self.tables = IngestTables.of(config)
        fields_of(config.columns, config.key or ())  # raises ConfigError for what can't be
        self.source = source_of(config, lambda: self.spark)
        self.digest = _digest(config)

    @property
    def spark(self) -> SparkSession:
        """The session, which is started when it is first needed."""
        if self._spark is None:
            with self.progress.stage("start Spark"):
                self._spark = self.progress.spark = get_spark()
        return self._spark

    def land(self, interval: Interval | None) -> list[LoadResult]:
        """Land one interval, or all files that are new or have changed; the runs that were needed."""
        try:
            return self._land(interval)
        finally:
            self.source.close()

    def _land(self, interval: Interval | None) -> list[LoadResult]:
        unit = interval.name if interval else self.config.load.mode
        with self.progress.stage(f"list {unit}"):
            files = self.source.list_new(interval, self._state(unit))
        results: list[LoadResult] = []
        while load := self._next_load(unit, interval, files):
            loader = Loader(self.config, self.tables, self.source, self.spark, self.progress)
            if not load.files:
                with self.progress.stage("undo"):
                    loader.undo(load)
                continue
            try:
                results.append(loader.carry_out(load))
            except UnreadableFiles as error:
                unreadable = self._note_unreadable(load, error)
                results.append(LoadResult(load.run, unreadable=unreadable))
                files = [file for file in files if file.name not in unreadable]  # the next job tries them again
        return results

    def _note_unreadable(self, load: Load, error: UnreadableFiles) -> tuple[str, ...]:
        """Write into the ledger which files of a load can't be read; their names."""
        reasons = {file.path: file.reason for file in error.files}
        unreadable = [file for file in load.files if file.path in reasons]
        for file in unreadable:
            self.tables.ledger.refuse(load.run, load.unit, file, reasons[file.path])
        if not unreadable:  # such as one that lies elsewhere than where it was listed
            raise InputMissing(
                where=f"file {error.files[0].path}",
                expected="a file that was listed, or one that can be read",
                found=error.files[0].reason,
                remedy="The next run carries on.",
            ) from error
        return tuple(file.name for file in unreadable)

    def _state(self, unit: str) -> LoadState:
        """What the ledger knows of a unit; ConfigError when the table has been landed in another mode."""
        states, mode = self.tables.ledger.states(), self.config.load.mode
        others = [name for name in states if name != REPLAY and ("interval" if "/" in name else name) != mode]
        if others:
            raise ConfigError(
                where="load.mode",
                expected=f"the mode in which {self.tables.landed.address} has been landed so far",
                found=f"'{mode}', after '{'interval' if '/' in others[0] else others[0]}'",
                remedy="Land to another table, or move this one, its quarantine and its ledger away.",
            )
        return states.get(unit, LoadState())

    def _next_load(self, unit: str, interval: Interval | None, files: Sequence[ListedFile]) -> Load | None:
        """The load to carry out next, of no files where only stale rows are to be removed; None when all is done.

        A run that was interrupted is carried on if its files and the settings are as they were. Else what it may have
        left is stale. Files that a run has begun with before come first, in a run of their own, for only they replace
        rows.
        """
        state = self._state(unit)
        stale = state.stale
        if state.open is not None:
            run, begun = state.open
            same = [file for file in files if begun.get(file.name) == file.etag]
            if len(same) == len(begun) and digest_of(run) == self.digest:
                return self._load(unit, interval, state, same, stale, run)
            if self.tables.landed.has(transaction_of(run)):
                stale = stale | set(begun)
        if self.config.load.mode in BY_FILE:
            new = [file for file in files if state.taken.get(file.name) != file.etag or file.name in stale]
            chosen = [file for file in new if file.name in state.seen] or new
        else:
            chosen = list(files) if stale or fingerprint(files) != state.last else []
        return self._load(unit, interval, state, chosen, stale) if chosen or stale else None

    def _load(
        self,
        unit: str,
        interval: Interval | None,
        state: LoadState,
        files: Sequence[ListedFile],
        stale: set[str],
        begun: str | None = None,
    ) -> Load:
        """The load of some files, by a new run or by one that has begun."""
        return Load(
            run=begun or run_name(unit, files, self.digest),
            unit=unit,
            interval=interval,
            files=tuple(files),
            stale=frozenset(stale),
            is_begun=begun is not None,
            is_new=not (state.seen if interval else any(file.name in state.seen for file in files)),
        )

    def summary(self, results: Sequence[LoadResult]) -> IngestResult:
        """What the runs came to, as the command says it."""
        table = self.tables.table
        return {
            "status": "published" if any(result.files for result in results) else "unchanged",
            "run_id": results[-1].run if results else None,
            "table": table.address,
            "version": table.version if table.exists else None,
            "model": None,
            "rows": {
                "read": sum(result.read for result in results),
                "accepted": sum(result.accepted for result in results),
                "quarantined": sum(result.quarantined for result in results),
            },
            "files": sum(result.files for result in results),
            "unreadable": [name for result in results for name in result.unreadable],
            "quarantine": self.tables.quarantine.address,
            "ledger": self.tables.ledger.address,
        }


def _digest(config: IngestConfig) -> str:
    """A text that is the same where files would be read in the same way."""
    settings = config.model_dump(mode="json", include={"source", "columns", "key", "load"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def source_of(config: IngestConfig, session: Session) -> Source:
    """The source that a configuration describes."""
    source = config.source
    if isinstance(source, JdbcSource):
        from traintable.ingest.sources.jdbc import PostgresSource  # brings the driver of the database in

        return PostgresSource(config, source)
    if isinstance(source, TableSource):
        is_feed = config.load.mode == "changes"
        return ChangeFeed(config, source) if is_feed else DeltaSource(config, source, session)
    return FileSource(config, source)
