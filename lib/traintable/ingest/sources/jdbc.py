"""A table of a database as a source: read by several connections, all of which see one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.config.ingest import IngestConfig
from traintable.config.sources import JdbcSource
from traintable.ingest.intervals import Interval
from traintable.ingest.ledger import LoadState
from traintable.ingest.listing import ListedFile, unknown_state
from traintable.ingest.records import union
from traintable.ingest.sources.postgres import PostgresColumn, Selection, Snapshot, literal, quoted
from traintable.ingest.sources.source import SourceRows
from traintable.ingest.sources.tables import table_rows
from traintable.ingest.sources.watermark import Range, range_of, require_values, seconds_or_number
from traintable.sql.push_down import push_down

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BEGIN = "set transaction isolation level repeatable read, read only; set transaction snapshot {}; set time zone 'UTC'"


class PostgresSource:
    """A table, or a view, of PostgreSQL."""

    def __init__(self, config: IngestConfig, source: JdbcSource) -> None:
        self.config, self.source = config, source
        self._filter = push_down(source.where, where="source.where") if source.where else "true"
        self._snapshot: Snapshot | None = None
        self._selections: dict[str, Selection] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The table as it was when it was listed."""
        assert self._snapshot is not None
        return self._snapshot

    def list_new(self, interval: Interval | None, known: LoadState) -> list[ListedFile]:
        """The part of the table that is to be taken, in the state that it has in a new snapshot."""
        self.close()
        self._snapshot = Snapshot(self.source)
        name = f"{self.snapshot.database}.{self.snapshot.table}"
        if self.config.load.mode == "watermark":
            return self._beyond_watermark(name, known)
        condition = self._filter
        if interval is not None:
            column = self._deciding_column()
            start, end = (time.strftime("%Y-%m-%d %H:%M:%S+00") for time in (interval.start, interval.end))
            condition = f"({condition}) and {column} >= {literal(start)} and {column} < {literal(end)}"
        return [self._with_state(ListedFile(name, self.source.url, 0, ""), condition)]

    def read(self, spark: SparkSession, files: Sequence[ListedFile]) -> SourceRows:
        """The rows of the part that was listed, by a few queries; each is a task with a connection of its own."""
        name = files[0].name
        selection = self._selections[name]
        parts = [f"({selection.where}) and ({part})" for part in self._parts(selection.where)]
        queries = [self.snapshot.rows(part, selection.far) for part in parts]
        rows = union(self._read(spark, query) for query in queries)
        return table_rows(rows, F.lit(name), self.config, lambda: Counter({name: selection.n}), is_utf8=True)

    def close(self) -> None:
        """End the snapshot."""
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def _with_state(self, file: ListedFile, condition: str) -> ListedFile:
        """The file with the state of the rows that it stands for, those where a condition holds."""
        selection = self._selections[file.name] = self.snapshot.selection(condition)
        return ListedFile(file.name, file.path, 0, selection.etag or unknown_state(), file.watermark)

    @property
    def _load_column(self) -> PostgresColumn:
        """The column that `load.column` is in the database; ConfigError where there is none."""
        assert self.config.load.column is not None
        return self.snapshot.column(self.config.source_name(self.config.load.column), "load.column")

    def _deciding_column(self) -> str:
        """The column that decides which run takes a row; InputMissing when there are rows that have none."""
        column = self._load_column
        if column.nullable:
            n, *_ = self.snapshot.values("count(*)", f"({self._filter}) and {quoted(column.name)} is null")
            require_values(column.name, int(n), self.snapshot.table)
        return quoted(column.name)

    def _beyond_watermark(self, name: str, known: LoadState) -> list[ListedFile]:
        """The rows above the last watermark, less what late rows may be behind it; none where nothing is above."""
        column, condition = self._deciding_column(), self._filter
        high, low = self.snapshot.values(f"max({column})::text, {self._low(known.watermark)}", condition)
        if high is None:
            return []
        part = Range(low, high)
        if low is not None:
            condition = f"({condition}) and {column} > {literal(low)}"
        assert self.config.load.column is not None
        file = range_of(name, self.config.load.column, part, self.source.url, "")
        file = self._with_state(file, f"({condition}) and {column} <= {literal(high)}")
        return [file] if self._selections[file.name].n else []

    def _low(self, watermark: str | None) -> str:
        """In SQL, the watermark less what late rows may be behind it."""
        if watermark is None:
            return "null"
        back, lookback = seconds_or_number(self.config.load.lookback), self.config.load.lookback
        less = "" if back is None else f" - {back}" if isinstance(lookback, int) else f" - interval '{back} seconds'"
        return f"({literal(watermark)}::{self._load_column.type}{less})::text"

    def _parts(self, condition: str) -> list[str]:
        """Conditions that cut the rows into as many parts as there are to be connections."""
        n, snapshot = self.source.partitions, self.snapshot
        if self.source.partition_column is not None:
            column = snapshot.column(self.source.partition_column, "source.partition_column")
            name, bounds = quoted(column.name), snapshot.bounds(column, condition, n)
            if not bounds:
                return ["true"]
            middle = [f"{name} >= {literal(a)} and {name} < {literal(b)}" for a, b in pairwise(bounds)]
            return [f"{name} < {literal(bounds[0])} or {name} is null", *middle, f"{name} >= {literal(bounds[-1])}"]
        if snapshot.pages < n:
            return ["true"]
        pages = [f"'({snapshot.pages * i // n},0)'::tid" for i in range(n)]
        middle = [f"ctid >= {a} and ctid < {b}" for a, b in pairwise(pages)]
        return [*middle, f"ctid >= {pages[-1]}"]

    def _read(self, spark: SparkSession, query: str) -> DataFrame:
        snapshot = self.snapshot
        options = {
            "url": self.source.url,
            "driver": "org.postgresql.Driver",
            "user": snapshot.user,
            "password": snapshot.password or "",
            "query": query,
            "sessionInitStatement": _BEGIN.format(literal(snapshot.id)),
            "fetchsize": str(self.source.fetch_size),
            "preferTimestampNTZ": "true",
            "prepareThreshold": "-1",  # values come as they are, not as text
        }
        return spark.read.format("jdbc").options(**options).load()
