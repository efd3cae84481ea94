"""One extraction: what is new of a source becomes rows of a Delta table, once; what can't is kept, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from traintable.config.ingest import IngestConfig
from traintable.config.sources import JdbcSource, TableSource
from traintable.ingest.sources.changes import Changes
from traintable.ingest.sources.files import Files
from traintable.ingest.sources.source import Origin
from traintable.ingest.sources.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.config.ingest import BY_FILE
from traintable.config.sources import describe
from traintable.contract.record_columns import FILE, POSITION, RAW
from traintable.contract.rules import fields_of
from traintable.errors import AccountingError, ConfigError
from traintable.ingest.formats.text_files import DRIFT, NAMES, WRONG, TextFiles
from traintable.ingest.intervals import Interval, intervals, last_complete
from traintable.ingest.ledger import REPLAY, Unit, digest_of, run_name
from traintable.ingest.listing import FoundFile, Unreadable, fingerprint
from traintable.ingest.merge import merge_landed
from traintable.ingest.records import path_of
from traintable.ingest.sources.source import Rows, undeclared_column
from traintable.ingest.target import INTERVAL, REPAIRED, REPLAYED, Tables, Target, counts_of, of_files, of_interval
from traintable.spark.errors import translated
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_FAILED = re.compile(r"FAILED_READ_FILE\S*\] Encountered error while reading file (\S+?)\.\s")


def ingest(
    config: IngestConfig,
    *,
    interval: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Land what is new of the source; gives what the JSON line of the command says.

    Parameters
    ----------
    interval : "START/END" in UTC, for mode "interval"; the last that is complete by default. Several are landed one by
        one, in order; each is a run of its own.

    A run that was interrupted is carried on by the next; a run that has nothing to do starts no Spark. Costs one pass
    over the new files and a cheap one that counts their records; where some are bad two more over the files, and a
    narrow one over what was written.
    Raises a TraintableError for whatever stops it; of that run nothing is then in the table, or the next carries it on.
    """
    progress = progress or Progress(quiet=True)
    landing = _Landing(config, progress, spark)
    results = [landing.land(one) for one in _wanted(config, interval)]
    return landing.answer([result for unit in results for result in unit])


def _wanted(config: IngestConfig, text: str | None) -> list[Interval | None]:
    schedule = config.load.schedule
    if schedule is None:
        if text is not None:
            raise ConfigError(
                where="--interval",
                expected="a configuration whose `load.mode` is 'interval'",
                found=f"mode '{config.load.mode}'",
                remedy="Leave it out.",
            )
        return [None]
    found = list(intervals(text, schedule)) if text else [last_complete(schedule, datetime.now(timezone.utc))]
    return list(found)


@dataclass
class _Result:
    """What a run came to."""

    run: str
    files: int = 0
    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    unreadable: list[str] = field(default_factory=list)


class _Landing:
    """The extraction that a configuration describes."""

    def __init__(self, config: IngestConfig, progress: Progress, spark: SparkSession | None) -> None:
        self.config, self.progress, self._spark = config, progress, spark
        self.tables = Tables.of(config)
        self.target, self.quarantine, self.ledger = self.tables.target, self.tables.quarantine, self.tables.ledger
        fields_of(config.columns, config.key or ())  # raises ConfigError for what can't be
        self.origin = origin_of(config, lambda: self.spark)
        self.digest = _digest(config)

    @property
    def spark(self) -> SparkSession:
        """The session, which is started when it is first needed."""
        if self._spark is None:
            with self.progress.stage("start Spark"):
                self._spark = self.progress.spark = get_spark()
        return self._spark

    def land(self, interval: Interval | None) -> list[_Result]:
        """Land one interval, or all files that are new or have changed; the runs that were needed."""
        try:
            return self._land(interval)
        finally:
            self.origin.close()

    def _land(self, interval: Interval | None) -> list[_Result]:
        unit = interval.name if interval else self.config.load.mode
        known = self._known(unit)
        with self.progress.stage(f"list {unit}"):
            files = self.origin.found(interval, known)
        results: list[_Result] = []
        unreadable: dict[str, str] = {}  # of this invocation; the next tries them again
        while True:
            run, chosen, stale = self._next([file for file in files if file.name not in unreadable], known, unit)
            if not chosen:
                if stale:
                    self._undo(run, unit, stale, interval)
                    known = self._known(unit)
                    continue
                return results
            try:
                results.append(self._run(run, unit, chosen, stale, known, interval))
            except Unreadable as error:
                file = next(file for file in chosen if file.path == error.path)
                unreadable[file.name] = error.error
                self.ledger.refuse(run, unit, file, error.error)
                results.append(_Result(run, unreadable=[file.name]))
            known = self._known(unit)

    def _known(self, unit: str) -> Unit:
        """What the ledger knows of a unit; ConfigError when the table has been landed in another mode."""
        units, mode = self.ledger.units(), self.config.load.mode
        others = [name for name in units if name != REPLAY and ("interval" if "/" in name else name) != mode]
        if others:
            raise ConfigError(
                where="load.mode",
                expected=f"the mode in which {self.target.path} has been landed so far",
                found=f"'{mode}', after '{'interval' if '/' in others[0] else others[0]}'",
                remedy="Land to another table, or move this one, its quarantine and its ledger away.",
            )
        return units.get(unit, Unit())

    def _next(self, files: Sequence[FoundFile], known: Unit, unit: str) -> tuple[str, list[FoundFile], frozenset[str]]:
        """The run to carry out next, its files, and those of which a run that can't be carried on has left rows."""
        stale = known.stale
        if known.open is not None:
            run, begun = known.open
            same = [file for file in files if begun.get(file.name) == file.etag]
            if len(same) == len(begun) and digest_of(run) == self.digest:
                return run, same, frozenset(stale)
            if self.target.has(run):
                stale = stale | set(begun)
        if self.config.load.mode in BY_FILE:
            new = [file for file in files if known.taken.get(file.name) != file.etag or file.name in stale]
            chosen = [file for file in new if file.name in known.seen] or new
        else:
            chosen = list(files) if stale or fingerprint(files) != known.last else []
        return run_name(unit, chosen, self.digest), chosen, frozenset(stale)

    def _undo(self, run: str, unit: str, stale: frozenset[str], interval: Interval | None) -> None:
        """Remove what a run has left of files that are gone."""
        with self.progress.stage("undo"):
            where = of_interval(_start(interval)) if interval else of_files(stale)
            for table in (self.target, self.quarantine):
                table.delete(self.spark, where)
            merge_landed(self.config, self.tables, self.spark, run)
            self.ledger.undo(run, unit, stale)

    def _run(
        self,
        run: str,
        unit: str,
        files: Sequence[FoundFile],
        stale: frozenset[str],
        known: Unit,
        interval: Interval | None,
    ) -> _Result:
        stage, names = self.progress.stage, sorted({*stale, *(file.name for file in files)})
        where = of_interval(_start(interval)) if interval else of_files(names)
        if not (known.open and known.open[0] == run):
            with stage("begin"):
                self.ledger.begin(run, unit, files, stale)
        whole = self.config.load.mode == "full"
        replaces = bool((interval and known.seen) or whole or stale) or any(file.name in known.seen for file in files)
        with pinned_settings(self.spark), self._translated(self.target):
            with stage("read headers"):
                source = self.origin.open(self.spark, files)
            with stage("write rows"):
                self._write(source, run, where if replaces else None, interval, whole=whole)
            with stage("count"):
                read = source.counts()
                bad = read.total() - self.target.n_written(run)
            with stage("keep bad records"):
                self._keep(source, run, bad, where if replaces else None, interval, whole=whole)
                counts = self._counted(run, where, read, bad)
        if self.tables.merged:
            with stage("merge"):
                merge_landed(self.config, self.tables, self.spark, run)
        with stage("finish"):
            self.ledger.finish(run, unit, files, counts, self.target.version)
        accepted = sum(a for a, _ in counts.values())
        return _Result(run, len(files), read.total(), accepted, read.total() - accepted)

    def _write(self, source: Rows, run: str, replace: str | None, interval: Interval | None, *, whole: bool) -> None:
        """Write the good rows in one commit, unless this run has written them before."""
        if self.target.has(run):
            return
        partitions = self._partitions(interval)
        metadata = {"traintable_ingest": self.config.name, "run": run, **self.tables.beside}
        try:
            if replace is None and not whole and isinstance(source, TextFiles) and partitions in ((), (INTERVAL,)):
                constant = {INTERVAL: _start(interval)} if interval else {}
                if self.target.takes_files(source.schema, constant):
                    files = source.write_good(self.target.path)
                    self.target.append_files(files, source.schema, constant, run, metadata=metadata)
                    return
            good = self._of_interval(source.rows().where(F.col(WRONG).isNull()), interval)
            columns = [*(quote(f.name) for f in source.fields), FILE, *([INTERVAL] if interval else [])]
            self.target.write(
                good.select(*columns),
                run,
                replace=None if whole else replace,
                whole=whole,
                partition_by=partitions,
                metadata=metadata,
                add_columns=self.config.load.drift == "add_columns",
            )
        except (PySparkException, Py4JError) as error:
            raise self._explained(error) from error

    def _partitions(self, interval: Interval | None) -> tuple[str, ...]:
        """The columns that the landed table is cut by."""
        named = () if self.tables.merged else self.config.output.partition_by
        return named or ((INTERVAL,) if interval else ())

    def _of_interval(self, rows: DataFrame, interval: Interval | None) -> DataFrame:
        return rows.withColumn(INTERVAL, F.lit(_start(interval))) if interval else rows

    def _explained(self, error: Exception) -> Exception:
        text = str(error)
        if DRIFT in text:
            column, _, path = text.partition(DRIFT)[2].splitlines()[0].partition(" in ")
            return undeclared_column(column.strip("'\""), path.strip(), self.config)
        failed = _FAILED.search(text)
        if failed:
            causes = [line for line in text.splitlines() if line.startswith("Caused by: ")]
            reason = causes[-1].removeprefix("Caused by: ") if causes else "it can't be read"
            return Unreadable(path_of(failed.group(1)), reason)
        return error

    def _keep(
        self, source: Rows, run: str, bad: int, replace: str | None, interval: Interval | None, *, whole: bool
    ) -> None:
        """Keep the bad records, in place of those that an earlier run has found in the same files."""
        where = "true" if whole else replace
        if not bad:
            if where is not None and not self.quarantine.has(run):
                self.quarantine.delete(self.spark, where)
            return
        if self.quarantine.has(run):
            return
        rows = self._of_interval(source.bad(), interval)
        kept = rows.select(
            F.lit(run).alias("run"),
            (F.col(INTERVAL) if interval else F.lit(None).cast("string")).alias(INTERVAL),
            F.col(FILE),
            F.col(POSITION),
            F.col(RAW).alias("raw"),
            F.col("_bytes").alias("bytes"),
            F.col(NAMES).alias("names"),
            F.col("_reasons").alias("reasons"),
            F.col("_rules").alias("rules"),
            F.lit(None).cast("string").alias(REPAIRED),
            F.lit(None).cast("string").alias(REPLAYED),
        )
        with self._translated(self.quarantine):
            self.quarantine.write(kept, run, replace=None if whole else replace, whole=whole)

    def _counted(self, run: str, where: str, read: Counter[str], bad: int) -> dict[str, tuple[int, int]]:
        """The rows accepted and quarantined of each file; AccountingError when they are not those that were read."""
        if not bad:  # as many rows were written as there are records
            return {name: (n, 0) for name, n in read.items()}
        kept = self.quarantine.n_written(run) if bad > 0 else 0
        counts = {name: (n - kept, kept) for name, n in read.items()}
        if len(read) > 1:
            whole = self.config.load.mode == "full"
            counts = counts_of(self.spark, self.target, self.quarantine, "true" if whole else where)
        wrong = [name for name, n in sorted(read.items()) if sum(counts.get(name, (0, 0))) != n]
        if kept != bad or wrong:
            raise AccountingError(
                where=f"ingest into {self.target.path}",
                expected=f"{read.total()} rows, as many as there are records",
                found=f"{read.total() - bad} written and {kept} quarantined"
                + (f", {sum(counts.get(wrong[0], (0, 0)))} of the {read[wrong[0]]} of {wrong[0]}" if wrong else ""),
                remedy="The run is not done, and the next repeats it. Nobody else may write to these tables.",
            )
        return counts

    def _translated(self, table: Target) -> AbstractContextManager[None]:
        """What goes wrong while rows are written to a table, as an error that names it and the source."""
        where = f"ingest from {describe(self.config.source)} into {table.path}"
        return translated(where, expected="rows to be read and written", remedy="The next run carries on.")

    def answer(self, results: Sequence[_Result]) -> dict[str, Any]:
        """The JSON line."""
        rows = {part: sum(getattr(r, part) for r in results) for part in ("read", "accepted", "quarantined")}
        return {
            "status": "published" if any(result.files for result in results) else "unchanged",
            "run_id": results[-1].run if results else None,
            "table": self.tables.table.path,
            "version": self.tables.table.version if self.tables.table.exists else None,
            "model": None,
            "rows": rows,
            "files": sum(r.files for r in results),
            "unreadable": [name for r in results for name in r.unreadable],
            "quarantine": self.quarantine.path,
            "ledger": self.ledger.path,
        }


def _start(interval: Interval | None) -> str:
    return interval.name.partition("/")[0] if interval else ""


def _digest(config: IngestConfig) -> str:
    """A text that is the same where files would be read in the same way."""
    read = config.model_dump(mode="json", include={"source", "columns", "key", "load"})
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:8]


def origin_of(config: IngestConfig, session: Callable[[], SparkSession]) -> Origin:
    """The source; `session` gives the Spark session, which is started when it is first asked for."""
    source = config.source
    if isinstance(source, JdbcSource):
        from traintable.ingest.sources.jdbc import Jdbc

        return Jdbc(config, source)
    if isinstance(source, TableSource):
        return Changes(config, source) if config.load.mode == "changes" else Table(config, source, session)
    return Files(config, source)
