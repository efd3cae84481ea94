"""The merged table, kept up to date with the log of landed rows for the keys that have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql.types import DateType, NumericType, StringType, TimestampNTZType, TimestampType

from traintable.columns import quote
from traintable.config.ingest import IngestConfig, Merge
from traintable.delta.changed_keys import changed_keys
from traintable.delta.commits import commit_of_rows
from traintable.delta.table import MergeClauses, Table, Transaction
from traintable.errors import ConfigError
from traintable.ingest.scd import VALID_FROM, current_rows, row_history
from traintable.ingest.tables import IngestTables, n_written
from traintable.spark.errors import translate_spark_errors
from traintable.spark.session import pinned_settings
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_WAS, _NOW, _CHANGE = "__was", "__now", "__change"


@dataclass(frozen=True)
class MergedCounts:
    """How many rows of the merged table came, changed and went."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def update_merged(
    spark: SparkSession,
    log: Table,
    merged: Table,
    merge: Merge,
    key: Sequence[str],
    *,
    name: str,
    run: str,
    partition_by: Sequence[str] = (),
) -> MergedCounts:
    """Bring the merged table to what the log comes to as it is now; may be called again at any time.

    Each commit says in its userMetadata of which version of the log it is (`log_version`), and only the keys of rows
    that the log has got or lost since then are derived anew. That costs a pass over the log and one over the merged
    table, which pick the rows of these keys, and a MERGE, which rewrites the files that have rows which differ. All
    keys are derived where it isn't known any more which have changed, and the table is written anew where it is of
    another log or other settings, or where somebody else has changed it. It is one commit in any case, and none when
    the log is as it was. Raises ConfigError when `deleted` is no condition on the columns.
    """
    if not log.exists:
        return MergedCounts()
    log_version = log.version
    derivation = {"merge": merge.model_dump(), "key": list(key), "partition_by": list(partition_by)}
    of = {"log": log.id, "settings": derivation}
    metadata = {"traintable_ingest": name, "run": run, "log_version": log_version, **of}
    known = _newest_metadata(merged)
    is_known = all(known.get(name) == value for name, value in of.items())
    if is_known and known["log_version"] == log_version:
        return MergedCounts()
    with (
        pinned_settings(spark),
        translate_spark_errors(f"merged table {merged.address}", remedy="The next run carries on."),
    ):
        rows = log.rows(spark, log_version)
        derived = _derive(rows, merge, key)
        if not is_known or not _is_part(merged, derived):
            merged.replace(derived, new_schema=True, partition_by=partition_by, metadata=metadata)
            return MergedCounts(inserted=n_written(merged, run))
        old = merged.rows(spark, merged.version)
        identity = [*key, VALID_FROM] if merge.scd == 2 else list(key)
        keys = changed_keys(spark, log.address, key, since=known["log_version"], until=log_version)
        if keys is None:
            return _change(merged, _changes(old, derived, identity), identity, metadata)
        with _persisted(keys):
            near = _near(keys)
            derived = _derive(_with_keys(keys, rows.where(near)), merge, key)
            changes = _changes(_with_keys(keys, old.where(near)), derived, identity)
            return _change(merged, changes, identity, metadata)


def merge_landed(config: IngestConfig, tables: IngestTables, spark: SparkSession, run: str) -> None:
    """Bring the merged table of an extraction, if it has one, to what its log comes to."""
    merge, key = config.load.merge, config.key
    if tables.merged is None or merge is None or key is None:
        return
    partitions = config.output.partition_by
    update_merged(spark, tables.landed, tables.merged, merge, key, name=config.name, run=run, partition_by=partitions)


def _newest_metadata(merged: Table) -> Mapping[str, Any]:
    """What our newest commit says; nothing when there is none, or somebody else has written rows since."""
    if not merged.exists:
        return {}
    commit = commit_of_rows(merged.newest_commits(), lambda commit: "log_version" in commit.metadata_object())
    return {} if commit is None else commit.metadata_object()


def _derive(log: DataFrame, merge: Merge, key: Sequence[str]) -> DataFrame:
    """What the rows of a log come to."""
    deleted = None if merge.deleted is None else _condition(log, merge.deleted)
    return (current_rows if merge.scd == 1 else row_history)(log, key, merge.order_by, deleted)


def _condition(log: DataFrame, sql: str) -> Column:
    where = "load.merge.deleted"
    column = evaluate(log, sql, where=where)
    kind = log.select(column).schema[0].dataType.simpleString()
    if kind == "boolean":
        return column
    raise ConfigError(where=where, expected="a condition", found=f"{sql!r} of type {kind}", remedy="Compare it.")


def _is_part(merged: Table, derived: DataFrame) -> bool:
    """Whether the merged table has no columns but those that are derived, which may be more."""
    types = {field.name: field.dataType for field in derived.schema}
    there = merged.rows(derived.sparkSession, merged.version).schema
    return all(types.get(field.name) == field.dataType for field in there)


@contextmanager
def _persisted(rows: DataFrame) -> Iterator[None]:
    """Keep what the first action computes of rows that are read several times; joins then know how few they are."""
    rows.persist()
    try:
        yield
    finally:
        rows.unpersist()


def _with_keys(keys: DataFrame, rows: DataFrame) -> DataFrame:
    same = [rows[quote(name)].eqNullSafe(keys[quote(name)]) for name in keys.columns]
    return rows.join(keys, reduce(and_, same), "left_semi")


def _near(keys: DataFrame) -> Column:
    """What is true of all rows of these keys, by which files that have none can be passed over."""
    kinds = (NumericType, StringType, DateType, TimestampType, TimestampNTZType)
    fields = [field for field in keys.schema if isinstance(field.dataType, kinds)]
    ends = [end(quote(field.name)).cast("string") for field in fields for end in (F.min, F.max)]
    (bounds,) = keys.agg(*ends, F.count("*")).collect()
    near = F.lit(True)
    for field, *ends in zip(fields, bounds[::2], bounds[1::2], strict=False):
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


def _change(merged: Table, changes: DataFrame, identity: Sequence[str], metadata: Mapping[str, Any]) -> MergedCounts:
    """Make the changes in one commit; if there are none, in one of no rows that says of what the table is."""
    with _persisted(changes):
        n_rows = {row[0]: int(row[1]) for row in changes.groupBy(_CHANGE).count().collect()}  # at most three rows
        if n_rows:
            merged.merge(changes, _clauses(changes, n_rows, identity), metadata=metadata, add_columns=True)
        else:  # Delta makes no commit of nothing but for a transaction
            transaction = Transaction(metadata["log"], metadata["log_version"])
            merged.append(changes.drop(_CHANGE), transaction=transaction, metadata=metadata, add_columns=True)
    return MergedCounts(**n_rows)


def _clauses(changes: DataFrame, kinds: Collection[str], identity: Sequence[str]) -> MergeClauses:
    """The clauses that are needed for these kinds of changes, no more."""
    values = {quote(name): f"source.{quote(name)}" for name in changes.columns if name != _CHANGE}
    return MergeClauses(
        on=" AND ".join(f"target.{quote(name)} <=> source.{quote(name)}" for name in identity),
        delete=f"source.{_CHANGE} = 'deleted'" if "deleted" in kinds else None,
        update=values if "updated" in kinds else None,
        insert=values if "inserted" in kinds else None,
    )
