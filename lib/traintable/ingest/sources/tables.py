"""Delta tables and tables of the catalog as a source, read at one version where they have versions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from traintable.addresses import resolve
from traintable.columns import quote, require_columns
from traintable.config.ingest import IngestConfig
from traintable.config.sources import TableSource
from traintable.contract import typed_rows
from traintable.contract.record_columns import BLOCK, FILE, PLACE, POSITION
from traintable.contract.rules import Field
from traintable.delta.commits import commits
from traintable.delta.pinned_input import PinnedInput, pin_input, read_pinned
from traintable.errors import InputMissing
from traintable.ingest.drift import apply_drift_policy, declared_fields
from traintable.ingest.intervals import Interval
from traintable.ingest.ledger import LoadState
from traintable.ingest.listing import ListedFile, name_in_table, unknown_state
from traintable.ingest.sources.source import Session, SourceRows
from traintable.ingest.sources.watermark import Range, range_of, require_values, seconds_or_number
from traintable.spark.errors import first_line
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession


@dataclass(frozen=True)
class TableRows:
    """Rows of a table, whose `names` are followed by `_file`; `n` counts those of each file."""

    table: DataFrame
    names: Sequence[str]
    fields: Sequence[Field]
    count: Callable[[], Counter[str]]
    drift: str | None = None
    is_utf8: bool = False

    def rows(self) -> DataFrame:
        """The rows, checked against the contract; costs one pass when computed."""
        columns = [*(self.table[f"_{i}"] for i in range(len(self.names))), F.col(FILE)]
        place = [F.lit(0).cast("bigint").alias(BLOCK), (F.monotonically_increasing_id() + 1).alias(PLACE)]
        return typed_rows.check_rows(
            self.table.select(*columns, *place), self.names, self.fields, drift=self.drift, is_utf8=self.is_utf8
        )

    def counts(self) -> Counter[str]:
        """How many rows there are."""
        return self.count()

    def bad(self) -> DataFrame:
        """The bad rows; `position` tells them apart, no more, for rows of a table have no order."""
        return typed_rows.bad_records(self.rows(), self.names).withColumnRenamed(PLACE, POSITION).drop(BLOCK)


def table_rows(
    rows: DataFrame,
    file: Column,
    config: IngestConfig,
    count: Callable[[], Counter[str]],
    *,
    ignored: Sequence[str] = (),
    is_utf8: bool = False,
) -> TableRows:
    """Rows to be landed, with undeclared columns dealt with as `load.drift` says; `ignored` are left out.

    `is_utf8` : all texts are known to be valid.
    """
    names = [name for name in rows.columns if name not in ignored or name in config.source_names]
    drift, added = apply_drift_policy(names, config.name, config)
    columns = [rows[quote(name)].alias(f"_{i}") for i, name in enumerate(names)]
    return TableRows(
        rows.select(*columns, file.alias(FILE)), names, declared_fields(config, added), count, drift, is_utf8
    )


class DeltaSource:
    """A Delta table, or a table of the catalog."""

    def __init__(self, config: IngestConfig, source: TableSource, session: Session) -> None:
        self.config, self.source, self.session = config, source, session
        self.table = resolve(source.table, config.root)
        self.name = name_in_table(self.table, os.path.realpath(config.root))
        self._pinned: PinnedInput | None = None
        self._ranges: dict[str, Range] = {}
        self._interval: Interval | None = None

    def list_new(self, interval: Interval | None, known: LoadState) -> list[ListedFile]:
        """The table at its version, or the part of it that is beyond the last watermark."""
        self._pinned, self._interval = self._pin(), interval
        etag = f"{self._pinned.version}-{self._pinned.committed}" if self._pinned else None
        if self.config.load.mode == "watermark":
            return self._beyond_watermark(known, etag)
        return [ListedFile(self.name, self.table, 0, etag or unknown_state())]

    def read(self, spark: SparkSession, files: Sequence[ListedFile]) -> SourceRows:
        """The rows of the part that was listed."""
        file = files[0]
        rows = self._rows(spark)
        if self.config.load.column is not None:
            column = self.config.source_name(self.config.load.column)
            require_columns(rows, {column}, where=f"load.column of {self.name}")
            require_values(column, rows.where(_column(column).isNull()).count(), self.name)
            rows = rows.where(self._condition(rows, column, file))
        return table_rows(rows, F.lit(file.name), self.config, lambda: Counter({file.name: rows.count()}))

    def close(self) -> None:
        """Nothing is held."""

    def _pin(self) -> PinnedInput | None:
        """The version to read; None of a table that has none."""
        version, at = self.source.version, self.source.timestamp
        if self.source.format == "table":
            try:
                return pin_input(self.table, spark=self.session())
            except InputMissing:
                return None  # not a Delta table, or no table at all, as reading it will show
        if at is not None:
            version = _as_of(self.table, at)
        return pin_input(self.table, version)

    def _rows(self, spark: SparkSession) -> DataFrame:
        where = self.source.where
        if self._pinned is not None:
            return read_pinned(spark, self._pinned, where=where)
        try:
            rows = spark.read.table(self.table)
        except PySparkException as error:
            raise InputMissing(
                where=f"table {self.table}",
                expected="a table of the catalog",
                found=first_line(error),
                remedy="Check the name and your access to it.",
            ) from error
        return rows if where is None else rows.where(evaluate(rows, where, where="source.where"))

    def _condition(self, rows: DataFrame, column: str, file: ListedFile) -> Column:
        kind = rows.schema[column].dataType
        value = _column(column)
        if self._interval is not None:
            start, end = (time.strftime("%Y-%m-%d %H:%M:%S") for time in (self._interval.start, self._interval.end))
            return (value >= F.lit(start).cast(kind)) & (value < F.lit(end).cast(kind))
        part = self._ranges[file.name]
        below = value <= F.lit(part.high).cast(kind)
        return below if part.low is None else below & (value > F.lit(part.low).cast(kind))

    def _beyond_watermark(self, known: LoadState, etag: str | None) -> list[ListedFile]:
        """The rows above the last watermark, less what late rows may be behind it; none where nothing is above."""
        if etag is not None and known.open is None and etag == known.etag:
            return []  # nobody has written to the table since
        assert self.config.load.column is not None
        column, rows = self.config.source_name(self.config.load.column), self._rows(self.session())
        require_columns(rows, {column}, where=f"load.column of {self.name}")
        low = F.lit(known.watermark).cast(rows.schema[column].dataType)
        back = seconds_or_number(self.config.load.lookback)
        if back is not None:
            low = low - (
                F.lit(back) if isinstance(self.config.load.lookback, int) else F.expr(f"INTERVAL '{back}' SECOND")
            )
        bounds = rows.agg(
            F.max(_column(column)).cast("string"), F.first(low.cast("string")), F.max(_column(column)) > F.first(low)
        )
        high, low_text, is_beyond = bounds.collect()[0]  # one row
        if high is None or is_beyond is False:
            return []
        part = Range(low_text, high)
        file = range_of(self.name, self.config.load.column, part, self.table, etag or unknown_state())
        self._ranges[file.name] = part
        return [file]


def _column(name: str) -> Column:
    return F.col(quote(name))


def _as_of(table: str, timestamp: str) -> int:
    """The newest version that was there at a time (ISO 8601, UTC where it has no offset)."""
    time = datetime.fromisoformat(timestamp)
    time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    newest_first = commits(table)
    older = [c.version for c in newest_first if datetime.fromisoformat(c.timestamp) <= time]
    if not older:
        raise InputMissing(
            where=f"table {table}",
            expected=f"a version committed at {timestamp} or before",
            found=f"the first version, committed at {newest_first[-1].timestamp}",
            remedy="Name a later time, or a version.",
        )
    return older[0]
