"""One load: some files of a source, read and landed in one run that is repeated without harm until it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.config.ingest import IngestConfig
from traintable.config.sources import describe
from traintable.contract.record_columns import FILE, POSITION, RAW
from traintable.delta.data_files import DataFiles
from traintable.delta.table import Table, WriteOptions
from traintable.errors import AccountingError, InputMissing
from traintable.ingest.formats.text_files import TextFiles
from traintable.ingest.formats.text_rows import NAMES, WRONG
from traintable.ingest.intervals import Interval
from traintable.ingest.listing import ListedFile, path_of
from traintable.ingest.merge import merge_landed
from traintable.ingest.sources.source import Source, SourceRows
from traintable.ingest.tables import (
    INTERVAL,
    REPAIRED,
    REPLAYED,
    ROWS,
    IngestTables,
    count_by_file,
    n_written,
    of_files,
    of_interval,
    transaction_of,
)
from traintable.spark.errors import is_of_python_task, translate_spark_errors, unreadable_file
from traintable.spark.progress import Progress
from traintable.spark.session import pinned_settings
from traintable.spark.task_results import UnreadableFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_REMEDY = "The next run carries on."


@dataclass(frozen=True)
class Load:
    """What one run lands.

    Attributes
    ----------
    run : its name, by which its commits are known.
    unit : the interval that it lands, by name, or the mode.
    files : those that it lands.
    stale : names of files of which a run that can't be carried on may have left rows; they are replaced.
    is_begun : whether the ledger has it already, for it was interrupted.
    is_new : whether no run has begun to land any of its files, nor its unit where that is an interval.
    """

    run: str
    unit: str
    interval: Interval | None
    files: tuple[ListedFile, ...]
    stale: frozenset[str]
    is_begun: bool
    is_new: bool

    @property
    def interval_start(self) -> str:
        """The start of the interval, as the table has it; nothing where there is none."""
        return self.interval.name.partition("/")[0] if self.interval else ""

    @property
    def condition(self) -> str:
        """The condition that a row of the tables is one that the run lands or replaces."""
        if self.interval is not None:
            return of_interval(self.interval_start)
        return of_files(sorted({*self.stale, *(file.name for file in self.files)}))


@dataclass(frozen=True)
class LoadResult:
    """What a run came to: files and records that it read, and what became of these."""

    run: str
    files: int = 0
    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loader:
    """Carries out loads from one source into the tables of a configuration."""

    config: IngestConfig
    tables: IngestTables
    source: Source
    spark: SparkSession
    progress: Progress

    def carry_out(self, load: Load) -> LoadResult:
        """Read, write, count, quarantine, account, merge; each step is left out that the run has done before.

        Raises UnreadableFiles before anything is written, ConfigError for what `load.drift` refuses, and
        AccountingError where the tables do not get as many records as were read.
        """
        stage, landed = self.progress.stage, self.tables.landed
        if not load.is_begun:
            with stage("begin"):
                self.tables.ledger.begin(load.run, load.unit, load.files, load.stale)
        with pinned_settings(self.spark), self._translate_errors(landed):
            with stage("read headers"):
                rows = self.source.read(self.spark, load.files)
            with stage("write rows"), _find_unreadable(rows):
                self._write(load, rows)
            with _fail_if_changed():
                with stage("count"):
                    read = rows.counts()
                    n_bad = read.total() - n_written(landed, load.run)
                with stage("keep bad records"):
                    self._quarantine(load, rows, n_bad)
                    counts = self._account(load, read, n_bad)
        if self.tables.merged:
            with stage("merge"):
                merge_landed(self.config, self.tables, self.spark, load.run)
        with stage("finish"):
            self.tables.ledger.finish(load.run, load.unit, load.files, counts, landed.version)
        accepted = sum(n for n, _ in counts.values())
        return LoadResult(load.run, len(load.files), read.total(), accepted, read.total() - accepted)

    def undo(self, load: Load) -> None:
        """Remove what an earlier run has left of stale files that are gone."""
        for table in (self.tables.landed, self.tables.quarantine):
            self._delete(table, load.condition)
        merge_landed(self.config, self.tables, self.spark, load.run)
        self.tables.ledger.undo(load.run, load.unit, load.stale)

    @property
    def _is_full(self) -> bool:
        """Whether each run replaces all rows."""
        return self.config.load.mode == "full"

    def _replaced(self, load: Load) -> str | None:
        """The condition of rows that the run replaces; None where there can be none."""
        return load.condition if self._is_full or load.stale or not load.is_new else None

    def _write(self, load: Load, source: SourceRows) -> None:
        """Write the good rows in one commit, unless this run has written them before.

        Tasks write text as files of the table themselves where that is only a matter of appending; else Spark does.
        """
        landed, replaced = self.tables.landed, self._replaced(load)
        if landed.has(transaction_of(load.run)):
            return
        partitions = self._partitions(load)
        known = {"traintable_ingest": self.config.name, "run": load.run, **self.tables.relative_paths}
        options: WriteOptions = {"transaction": transaction_of(load.run), "metadata": known, "partition_by": partitions}
        if replaced is None and isinstance(source, TextFiles) and partitions in ((), (INTERVAL,)):
            partition = {INTERVAL: load.interval_start} if load.interval else {}
            if landed.takes_files(DataFiles.of_one_partition([], source.schema, partition)):
                files = DataFiles.of_one_partition(source.write_good(landed.address), source.schema, partition)
                metadata = {**known, ROWS: files.n_rows}
                landed.append_files(files, transaction=transaction_of(load.run), metadata=metadata)
                return
        good = _with_interval(source.rows().where(F.col(WRONG).isNull()), load)
        columns = [*(quote(f.name) for f in source.fields), FILE, *([INTERVAL] if load.interval else [])]
        options["add_columns"] = self.config.load.drift == "add_columns"
        self._put(landed, good.select(*columns), replaced, options)

    def _put(self, table: Table, rows: DataFrame, replaced: str | None, options: WriteOptions) -> None:
        """Add the rows to a table, or put them in place of those that the run replaces."""
        if replaced is None:
            table.append(rows, **options)
        else:
            table.replace(rows, where=None if self._is_full else replaced, **options)

    def _delete(self, table: Table, where: str) -> None:
        """Delete the rows where a condition holds, if there is a table."""
        if table.exists:
            table.delete(self.spark, where)

    def _partitions(self, load: Load) -> tuple[str, ...]:
        """The columns that the landed table is partitioned by."""
        named = () if self.tables.merged else self.config.output.partition_by
        return named or ((INTERVAL,) if load.interval else ())

    def _quarantine(self, load: Load, source: SourceRows, n_bad: int) -> None:
        """Keep the bad records, in place of those that an earlier run has quarantined of the same files."""
        quarantine, replaced = self.tables.quarantine, self._replaced(load)
        if quarantine.has(transaction_of(load.run)):
            return
        if not n_bad:
            if replaced is not None:
                self._delete(quarantine, "true" if self._is_full else replaced)
            return
        records = _with_interval(source.bad(), load).select(
            F.lit(load.run).alias("run"),
            (F.col(INTERVAL) if load.interval else F.lit(None).cast("string")).alias(INTERVAL),
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
        with self._translate_errors(quarantine):
            options: WriteOptions = {"transaction": transaction_of(load.run), "metadata": {"run": load.run}}
            self._put(quarantine, records, replaced, options)

    def _account(self, load: Load, read: Counter[str], n_bad: int) -> dict[str, tuple[int, int]]:
        """The rows accepted and quarantined of each file; AccountingError when they are not those that were read."""
        if not n_bad:  # as many rows were written as there are records
            return {name: (n, 0) for name, n in read.items()}
        landed, quarantine = self.tables.landed, self.tables.quarantine
        n_quarantined = n_written(quarantine, load.run) if n_bad > 0 else 0
        counts = {name: (n - n_quarantined, n_quarantined) for name, n in read.items()}
        if len(read) > 1:
            counts = count_by_file(self.spark, landed, quarantine, "true" if self._is_full else load.condition)
        wrong = [name for name, n in sorted(read.items()) if sum(counts.get(name, (0, 0))) != n]
        if n_quarantined != n_bad or wrong:
            raise AccountingError(
                where=f"ingest into {landed.address}",
                expected=f"{read.total()} rows, as many as there are records",
                found=f"{read.total() - n_bad} written and {n_quarantined} quarantined"
                + (f", {sum(counts.get(wrong[0], (0, 0)))} of the {read[wrong[0]]} of {wrong[0]}" if wrong else ""),
                remedy="The run is not done, and the next one repeats it. Let nothing else write to these tables.",
            )
        return counts

    def _translate_errors(self, table: Table) -> AbstractContextManager[None]:
        """What goes wrong while rows are written to a table, as an error that names it and the source."""
        where = f"ingest from {describe(self.config.source)} into {table.address}"
        return translate_spark_errors(where, expected="rows to be read and written", remedy=_REMEDY)


def _with_interval(rows: DataFrame, load: Load) -> DataFrame:
    return rows.withColumn(INTERVAL, F.lit(load.interval_start)) if load.interval else rows


@contextmanager
def _find_unreadable(source: SourceRows) -> Iterator[None]:
    """Where a job of the body fails in a way in which its tasks could not answer, find out what they would have said.

    Raises UnreadableFiles or ConfigError where that is what has failed the job. For that all records of text files are
    read once more; of Spark's own readers the error itself names the file.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        if isinstance(source, TextFiles) and is_of_python_task(error):
            source.check()
        file = unreadable_file(error)
        if file is not None:
            raise UnreadableFiles(file._replace(path=path_of(file.path))) from error
        raise


@contextmanager
def _fail_if_changed() -> Iterator[None]:
    """Raise InputMissing for files that can't be read any more after their good rows were written."""
    try:
        yield
    except UnreadableFiles as error:
        file = error.files[0]
        raise InputMissing(
            where=f"file {file.path}",
            expected="a file that stays as it is while it is landed",
            found=f"that it can't be read any more: {file.reason}",
            remedy=_REMEDY,
        ) from error
