"""Learn any number of statistics of a DataFrame in one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.spark.plans import DataFile, data_files, n_partitions, parallelism
from traintable.spark.task_results import SCHEMA, TaskResult, UnreadableFile, UnreadableFiles, to_batch, values_of
from traintable.spark.tasks import run_tasks
from traintable.statistics import files
from traintable.statistics.cache import Cache, table_folder
from traintable.statistics.chunk import ANY, TEXT, Chunk, Role
from traintable.statistics.states import Cost, Statistics
from traintable.statistics.wanted import Wanted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

Batches = Iterable[pa.RecordBatch]
_DRIVER_BYTES = 2**23  # what the driver reads itself: faster than to start a task
_COLLECTED_BYTES = 2**27  # of all states that come to the driver together
_COLLECTED_STATES = 64
_MERGED_STATES = 16  # that a task merges
_ASSUMED_TASKS = 1_000  # where the session can't tell


def scan(df: DataFrame, wanted: Wanted, *, cache: str | None = None) -> Statistics:
    """Learn the wanted statistics of `df` in one pass over the wanted columns.

    How the rows are read is chosen by cost and said in the result's `cost`: when `df` is nothing but local Parquet
    files (a Delta table, or a selection of its columns and partitions), tasks read the files themselves, and the driver
    does where they are small, without a job; otherwise Spark computes the rows and hands them to tasks as Arrow
    batches. Each task makes one state, whose size depends on the columns and their values, never on the rows; where all
    states would be much for the driver, tasks merge them first.
    Counts, means, variances and covariances are exact, so any partitioning and order of the same rows gives the same
    to the last bit; see each state for what is estimated.

    `cache` is a local folder that keeps what was learned of files: when files have been added since, only they are
    read.

    Raises ConfigError when a wanted column is missing, or holds what can't be a number or a category.

    Examples
    --------
    >>> from traintable.statistics import Wanted, scan
    >>> rows = spark.range(5).selectExpr("id", "id % 2 = 0 AS even")
    >>> learned = scan(rows, Wanted(moments=("id",), values=("id",), frequencies=("even",)))
    >>> learned.mean_and_variance("id"), learned.values["id"].weighted().quantile(0.5)
    ((2.0, 2.5), 2.0)
    >>> dict(learned.frequencies["even"].counts)
    {'true': 3, 'false': 2}
    """
    require_columns(df, set(wanted.columns), where="statistics")
    if not wanted.roles:  # an Arrow batch without columns does not know how many rows it has
        statistics = Statistics(wanted)
        statistics.n_rows = statistics.gram.n_rows = df.count()
        statistics.cost = Cost("count", 1, 0)
        return statistics
    selected = df.select(*[quote(name) for name in wanted.columns])
    types = dict(selected.dtypes)
    if files.can_read(wanted.roles, types):
        data = data_files(selected)
        if data is not None:
            with suppress(files.Unreadable):
                return _scan_new_files(df.sparkSession, data, wanted, types, cache)
    return _scan_rows(selected, wanted)


def _scan_new_files(
    spark: SparkSession, data: Sequence[DataFile], wanted: Wanted, types: Mapping[str, str], folder: str | None
) -> Statistics:
    """Learn from those files that the cache does not know, and add that to what it knows of the others."""
    if folder is None:
        return _scan_files(spark, data, wanted, types)
    cache = Cache(folder, wanted, types, table_folder(data))
    known, new = cache.look_up(data)
    statistics = _scan_files(spark, new, wanted, types)
    if known is not None:
        known.merge(statistics)
        known.cost = replace(statistics.cost, engine=f"{statistics.cost.engine} and cache" if new else "cache")
        statistics = known
    if new:
        cache.keep(data, statistics)
    return statistics


def _scan_files(spark: SparkSession, data: Sequence[DataFile], wanted: Wanted, types: Mapping[str, str]) -> Statistics:
    """Learn from Parquet files of local storage, whose columns have these types.

    Raises files.Unreadable when a file does not hold what it should.
    """
    try:
        if sum(file.bytes for file in data) <= _DRIVER_BYTES:
            statistics, n_bytes = _learn(files.chunks(_whole_files(data), wanted.roles, types, wanted.range_of), wanted)
            statistics.cost = Cost("files, driver", 0, n_bytes)
            return statistics
        shares = files.pieces(data, parallelism(spark))
    except (OSError, pa.ArrowException) as error:
        raise files.Unreadable(str(error)) from error

    def learn(share: Iterable[files.Piece]) -> tuple[Statistics, int]:
        return _learn(files.chunks(share, wanted.roles, types, wanted.range_of), wanted)

    def work(share: Iterable[files.Piece]) -> Iterator[pa.RecordBatch]:
        yield _state_batch(partial(learn, share), unreadable=(files.Unreadable, OSError, pa.ArrowException))

    states = run_tasks(spark, shares, work, SCHEMA)
    return _merge_on_driver(_limit_states(states, len(shares), wanted), wanted, "files")


def _whole_files(data: Sequence[DataFile]) -> list[files.Piece]:
    return [files.Piece(file, None, file.bytes) for file in data]


def _scan_rows(df: DataFrame, wanted: Wanted) -> Statistics:
    roles = wanted.roles

    def work(batches: Batches) -> Iterator[pa.RecordBatch]:
        yield _state_batch(lambda: _learn(_chunks(batches, roles, wanted), wanted))

    states = df.select(*[_column(df, role).alias(f"c{i}") for i, role in enumerate(roles)]).mapInArrow(work, SCHEMA)
    return _merge_on_driver(_limit_states(states, n_partitions(states), wanted), wanted, "arrow")


def _column(df: DataFrame, role: Role) -> Column:
    """What is handed over of a column that is wanted in a role."""
    from pyspark.sql import functions as F

    kind, name = role
    column, given = F.col(quote(name)), df.schema[name].dataType.simpleString()
    if kind == ANY:
        return F.when(F.abs(column) < float("inf") if given in ("float", "double") else column.isNotNull(), True)
    plain = ("tinyint", "smallint", "int", "bigint", "boolean")
    if kind == TEXT:
        return column if given in (*plain, "string") else column.cast("string")
    if given in (*plain, "float", "double"):
        return column
    if given == "date":
        return F.unix_date(column) * F.lit(86400.0)
    if given == "timestamp_ntz":  # a cast would take it for a time of the session's zone
        return column
    if given.startswith("decimal") or given == "timestamp":
        return column.cast("double")
    raise ConfigError(
        where=f"column '{name}'",
        expected="a number",
        found=f"a column of type {given}",
        remedy="Encode it, declare its type in `columns`, or derive a number from it.",
    )


def _chunks(batches: Batches, roles: Sequence[Role], wanted: Wanted) -> Iterator[tuple[Chunk, int]]:
    """Batches put together to chunks, and the bytes that were handed over."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= files.chunk_rows(len(roles)):
            yield _chunk(held, roles, wanted)
            held = []
    if held:
        yield _chunk(held, roles, wanted)


def _chunk(batches: list[pa.RecordBatch], roles: Sequence[Role], wanted: Wanted) -> tuple[Chunk, int]:
    whole = pa.Table.from_batches(batches).combine_chunks()
    columns = {
        role: column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for role, column in zip(roles, whole.columns, strict=True)
    }
    return Chunk(columns, whole.num_rows, wanted.range_of), whole.nbytes


def _learn(chunks: Iterable[tuple[Chunk, int]], wanted: Wanted) -> tuple[Statistics, int]:
    statistics, n_bytes = Statistics(wanted), 0
    for chunk, size in chunks:
        statistics.update(chunk)
        n_bytes += size
    return statistics, n_bytes


def _state_batch(
    learn: Callable[[], tuple[Statistics, int]], unreadable: tuple[type[Exception], ...] = ()
) -> pa.RecordBatch:
    """One state as the result of a task; or what went wrong, for a task's exception would lose its parts on the way.

    `unreadable` are the exceptions by which a file shows that Spark has to read it.
    """

    def work() -> dict[str, Any]:
        try:
            statistics, n_bytes = learn()
        except unreadable as error:
            raise UnreadableFiles(UnreadableFile("", str(error))) from error
        return {"bytes": n_bytes, "state": statistics.to_dict()}

    return to_batch([TaskResult.of(work)])


def _limit_states(states: DataFrame, n: int | None, wanted: Wanted) -> DataFrame:
    """As many states as the driver takes: those of `n` tasks, merged by fewer tasks in as many rounds as that needs."""
    most = max(1, min(_COLLECTED_STATES, _COLLECTED_BYTES // wanted.state_bytes))
    left = _ASSUMED_TASKS if n is None else n
    while left > most:
        left = -(-left // _MERGED_STATES)
        states = states.repartition(left).mapInArrow(_merge_in_tasks(wanted), SCHEMA)
    return states


def _merge_in_tasks(wanted: Wanted) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """The function that merges the states of many tasks in a few, so that the driver need not."""

    def merge(batches: Batches) -> Iterator[pa.RecordBatch]:
        yield _state_batch(
            lambda: _merge_states((text for batch in batches for text in batch.column(0).to_pylist()), wanted)
        )

    return merge


def _merge_on_driver(states: DataFrame, wanted: Wanted, engine: str) -> Statistics:
    try:
        statistics, n_bytes = _merge_states((row[0] for row in states.collect()), wanted)  # see _limit_states
    except UnreadableFiles as error:
        raise files.Unreadable(error.files[0].reason) from error
    statistics.cost = Cost(engine, 1, n_bytes)
    return statistics


def _merge_states(texts: Iterable[str], wanted: Wanted) -> tuple[Statistics, int]:
    statistics, n_bytes = Statistics(wanted), 0
    for state in values_of(texts):
        statistics.merge(Statistics.from_dict(wanted, state["state"]))
        n_bytes += state["bytes"]
    return statistics, n_bytes
