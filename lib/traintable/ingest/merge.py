"""The merged table: a function of the log of landed rows, kept up to date for the keys that have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.config.ingest import CHANGES
from traintable.contract.record_columns import FILE
from traintable.ingest.target import INTERVAL

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable
from pyspark.sql.types import DateType, NumericType, StringType, TimestampNTZType, TimestampType

from traintable.config.ingest import IngestConfig, Merge
from traintable.delta.changed_keys import changed_keys
from traintable.delta.commits import READABLE_BY_ALL, UPKEEP, commits
from traintable.errors import ConfigError
from traintable.ingest.target import Tables, Target
from traintable.spark.errors import translate_spark_errors
from traintable.spark.session import pinned_settings, settings
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_WAS, _NOW, _CHANGE = "__was", "__now", "__change"


@dataclass(frozen=True)
class Merged:
    """How many rows of the merged table came, changed and went."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def apply(
    spark: SparkSession,
    log: Target,
    merged: Target,
    merge: Merge,
    key: Sequence[str],
    *,
    name: str,
    run: str,
    partition_by: Sequence[str] = (),
) -> Merged:
    """Bring the merged table to what the log comes to as it is now; may be called again at any time.

    Each commit says in its userMetadata of which version of the log it is (`log_version`), and only the keys of rows
    that the log has got or lost since then are derived anew. That costs a pass over the log and one over the merged
    table, which pick the rows of these keys, and a MERGE, which rewrites the files that have rows which differ. All
    keys are derived where it isn't known any more which have changed, and the table is written anew where it is of
    another log or other settings, or where somebody else has changed it. It is one commit in any case, and none when
    the log is as it was. Raises ConfigError when `deleted` is no condition on the columns.
    """
    if not log.exists:
        return Merged()
    source = DeltaTable(log.path)
    derivation = {"merge": merge.model_dump(), "key": list(key), "partition_by": list(partition_by)}
    of = {"log": str(source.metadata().id), "settings": derivation}
    told = {"traintable_ingest": name, "run": run, "log_version": source.version(), **of}
    known = _told(merged, spark)
    is_known = all(known.get(part) == value for part, value in of.items())
    if is_known and known["log_version"] == source.version():
        return Merged()
    with pinned_settings(spark), translate_spark_errors(f"merge into {merged.path}", remedy="The next run carries on."):
        rows = _at(source.version(), log, spark)
        derived = _derived(rows, merge, key)
        if not is_known or not _is_part(merged, derived):
            _write(derived, merged, told, "overwrite", partition_by, overwriteSchema="true")
            return Merged(inserted=merged.n_written(run))
        old = _at(merged.version, merged, spark)
        identity = [*key, VALID_FROM] if merge.scd == 2 else list(key)
        keys = changed_keys(spark, log.path, key, since=known["log_version"], until=source.version())
        if keys is None:
            return _change(merged, _changes(old, derived, identity), identity, told)
        with _held(keys):
            near = _near(keys)
            derived = _derived(_of(keys, rows.where(near)), merge, key)
            return _change(merged, _changes(_of(keys, old.where(near)), derived, identity), identity, told)


def merge_landed(config: IngestConfig, tables: Tables, spark: SparkSession, run: str) -> None:
    """Bring the merged table of an extraction, if it has one, to what its log comes to."""
    merge, key = config.load.merge, config.key
    if tables.merged is None or merge is None or key is None:
        return
    partitions = config.output.partition_by
    apply(spark, tables.target, tables.merged, merge, key, name=config.name, run=run, partition_by=partitions)


def _told(merged: Target, spark: SparkSession) -> dict[str, Any]:
    """What the newest commit of ours says; nothing when there is none, or somebody else has written rows since."""
    for commit in commits(merged.path, spark) if merged.exists else ():
        told = commit.told()
        if "log_version" in told:
            return told
        if commit.operation not in UPKEEP:
            break
    return {}


def _at(version: int, table: Target, spark: SparkSession) -> DataFrame:
    return spark.read.format("delta").option("versionAsOf", version).load(table.path)


def _derived(log: DataFrame, merge: Merge, key: Sequence[str]) -> DataFrame:
    """What the rows of a log come to."""
    deleted = None if merge.deleted is None else _condition(log, merge.deleted)
    return (current if merge.scd == 1 else history)(log, key, merge.order_by, deleted)


def _condition(log: DataFrame, sql: str) -> Column:
    where = "load.merge.deleted"
    column = evaluate(log, sql, where=where)
    kind = log.select(column).schema[0].dataType.simpleString()
    if kind == "boolean":
        return column
    raise ConfigError(where=where, expected="a condition", found=f"{sql!r} of type {kind}", remedy="Compare it.")


def _is_part(merged: Target, derived: DataFrame) -> bool:
    """Whether the merged table has no columns but those that are derived, which may be more."""
    types = {field.name: field.dataType for field in derived.schema}
    found = _at(merged.version, merged, derived.sparkSession).schema
    return all(types.get(field.name) == field.dataType for field in found)


@contextmanager
def _held(rows: DataFrame) -> Iterator[None]:
    """Keep what the first action computes of rows that are read several times; joins then know how few they are."""
    rows.persist()
    try:
        yield
    finally:
        rows.unpersist()


def _of(keys: DataFrame, rows: DataFrame) -> DataFrame:
    same = [rows[quote(name)].eqNullSafe(keys[quote(name)]) for name in keys.columns]
    return rows.join(keys, reduce(and_, same), "left_semi")


def _near(keys: DataFrame) -> Column:
    """What is true of all rows of these keys, and tells which files can have none."""
    kinds = (NumericType, StringType, DateType, TimestampType, TimestampNTZType)
    fields = [field for field in keys.schema if isinstance(field.dataType, kinds)]
    ends = [end(quote(field.name)).cast("string") for field in fields for end in (F.min, F.max)]
    (found,) = keys.agg(*ends, F.count("*")).collect()
    near = F.lit(True)
    for field, *ends in zip(fields, found[::2], found[1::2], strict=False):
        column, (low, high) = F.col(quote(field.name)), (F.lit(end).cast(field.dataType) for end in ends)
        near &= column.between(low, high) | column.isNull()
    return near


def _changes(old: DataFrame, new: DataFrame, identity: Sequence[str]) -> DataFrame:
    """The rows that differ, as they are now, or as they were if they are gone; `__change` says which it is."""
    more = {field.name: F.lit(None).cast(field.dataType) for field in new.schema if field.name not in old.columns}
    row = F.struct(*map(quote, new.columns))
    was, now = old.withColumns(more).select(row.alias(_WAS)), new.select(row.alias(_NOW))
    same = [F.col(f"{_WAS}.{quote(name)}").eqNullSafe(F.col(f"{_NOW}.{quote(name)}")) for name in identity]
    both = was.join(now, reduce(and_, same), "full").where(~F.col(_WAS).eqNullSafe(F.col(_NOW)))
    change = F.when(F.col(_WAS).isNull(), "inserted").when(F.col(_NOW).isNull(), "deleted").otherwise("updated")
    return both.select(F.coalesce(_NOW, _WAS).alias(_NOW), change.alias(_CHANGE)).select(f"{_NOW}.*", _CHANGE)


def _change(merged: Target, changes: DataFrame, identity: Sequence[str], told: Mapping[str, Any]) -> Merged:
    """Make the changes in one commit; if there are none, in one of no rows that says of what the table is."""
    with _held(changes):
        n_rows = {row[0]: int(row[1]) for row in changes.groupBy(_CHANGE).count().collect()}  # at most three rows
        if n_rows:
            _merge(merged, changes, n_rows, identity, told)
        else:  # Delta makes no commit of nothing but for a transaction
            options = {"txnAppId": told["log"], "txnVersion": str(told["log_version"]), "mergeSchema": "true"}
            _write(changes.drop(_CHANGE), merged, told, "append", **options)
    return Merged(**n_rows)


def _merge(
    merged: Target, changes: DataFrame, kinds: Collection[str], identity: Sequence[str], told: Mapping[str, Any]
) -> None:
    """One MERGE, with no more clauses than are needed: without inserts, or with nothing else, it costs less."""
    from delta.tables import DeltaTable as SparkTable

    spark = changes.sparkSession
    same = " AND ".join(f"mine.{quote(name)} <=> theirs.{quote(name)}" for name in identity)
    values: dict[str, Any] = {quote(name): f"theirs.{quote(name)}" for name in changes.columns if name != _CHANGE}
    merge = SparkTable.forPath(spark, merged.path).alias("mine").merge(changes.alias("theirs"), same)
    merge = merge.withSchemaEvolution()
    if "deleted" in kinds:
        merge = merge.whenMatchedDelete(f"theirs.{_CHANGE} = 'deleted'")
    if "updated" in kinds:
        merge = merge.whenMatchedUpdate(set=values)
    if "inserted" in kinds:
        merge = merge.whenNotMatchedInsert(values=values)
    with settings(spark, {_METADATA: json.dumps(told)}):
        merge.execute()


def _write(
    rows: DataFrame,
    merged: Target,
    told: Mapping[str, Any],
    mode: str,
    partition_by: Sequence[str] = (),
    **options: str,
) -> None:
    writer = rows.write.format("delta").mode(mode).partitionBy(*partition_by)
    for name, value in {**READABLE_BY_ALL, **options, "userMetadata": json.dumps(told)}.items():
        writer = writer.option(name, value)
    writer.save(merged.path)


DELETED = "_deleted"


VALID_FROM, VALID_TO, IS_CURRENT = "_valid_from", "_valid_to", "_is_current"


_PLACE, _GONE, _NEXT, _BEFORE = "__place", "__gone", "__next", "__before"  # while it is computed


def current(log: DataFrame, key: Sequence[str], order_by: str, deleted: Column | None = None) -> DataFrame:
    """Of each key the newest row, with all columns; where `deleted` is given also `_deleted`, what it says of that row.

    Newer is the greater `order_by` (null is the least), then the greater `_file`, then the greater of the other columns
    in the order of their names: the same row wherever it is computed. Costs one pass, a shuffle and a sort of the log.
    """
    newest = [F.col(quote(name)).desc() for name in _newness(log, order_by)]
    place = F.row_number().over(Window.partitionBy(*_columns(key)).orderBy(*newest))
    rows = log.withColumn(_PLACE, place).where(F.col(_PLACE) == 1).drop(_PLACE)
    return rows if deleted is None else rows.withColumn(DELETED, _says(deleted))


def history(log: DataFrame, key: Sequence[str], order_by: str, deleted: Column | None = None) -> DataFrame:
    """Of each key its states, with all columns of the row that began each, and until when it held.

    `_valid_from` is the `order_by` of that row and `_valid_to` that of the next state, or of the event that says that
    the key is gone (`deleted`), which makes no row; null with `_is_current`. Rows that say the same as the one before
    them begin no state: all columns count for that but the key, `order_by` and those that say where a row comes from.
    Of rows with one `order_by` only the newest counts, as in `current`. Costs as much as that.
    """
    of_key, time = Window.partitionBy(*_columns(key)), F.col(quote(order_by))
    at = F.struct(time)  # never null itself, so that the last row, which nothing follows, can be told
    following = F.lead(at).over(of_key.orderBy(*(F.col(quote(name)) for name in _newness(log, order_by))))
    gone = F.lit(False) if deleted is None else _says(deleted)
    events = log.withColumns({_GONE: gone, _NEXT: following}).where(~F.col(_NEXT).eqNullSafe(at))
    aside = {*key, order_by, FILE, INTERVAL, *CHANGES}
    state = F.struct(_GONE, *_columns([name for name in log.columns if name not in aside]))
    turns = events.withColumn(_BEFORE, F.lag(state).over(of_key.orderBy(time))).where(~F.col(_BEFORE).eqNullSafe(state))
    bounds = turns.withColumns({VALID_FROM: time, VALID_TO: F.lead(time).over(of_key.orderBy(time))})
    states = bounds.where(~F.col(_GONE)).withColumn(IS_CURRENT, F.col(VALID_TO).isNull())
    return states.drop(_GONE, _NEXT, _BEFORE)


def _newness(log: DataFrame, order_by: str) -> list[str]:
    """The columns that tell newer from older, whatever the order in which the log has got them."""
    first = [name for name in (order_by, FILE, *CHANGES) if name in log.columns]
    return [*dict.fromkeys(first), *sorted(set(log.columns) - set(first))]


def _says(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _columns(names: Sequence[str]) -> list[Column]:
    return [F.col(quote(name)) for name in names]
