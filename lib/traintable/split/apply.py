"""Carry out the split and the folds that a configuration declares.

A new method is a function of this room, its settings in `config.split`, and an entry in one of the two tables here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import quote, require_columns
from traintable.config.split import (
    Folds,
    GroupSplit,
    HashSplit,
    Split,
    StratifiedGroupSplit,
    StratifiedSplit,
    TimeSplit,
)
from traintable.contract.rows import REASONS
from traintable.split.folds import group_k_fold, k_fold, stratified_group_k_fold, stratified_k_fold
from traintable.split.grouped import stratified_by_group
from traintable.split.hashed import by_group, by_hash
from traintable.split.stratified import stratified
from traintable.split.time import by_time
from traintable.split.time_folds import time_k_fold

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class SplitContext:
    """What methods need in addition to their settings: the columns of the key, that of the label, and the seed."""

    key: Sequence[str]
    label: str
    seed: int


def split_rows(df: DataFrame, settings: Split, context: SplitContext) -> DataFrame:
    """Add `split` by the method that the settings choose.

    The rows have `_reasons`. Rows with a reason do not affect how the others are divided, and may get any split or
    null; a method may give a reason to rows that it can't place. Rows are kept. Costs what the method costs.

    >>> days = "VALUES (1, date'2024-01-01'), (2, date'2024-01-03'), (3, null)"
    >>> rows = spark.sql(f"SELECT *, cast(array() AS array<string>) AS _reasons FROM {days} AS t(id, day)")
    >>> by_day = {"column": "day", "validation": "2024-01-02", "test": "2024-01-03"}
    >>> settings = Split.model_validate({"method": "time", "time": by_day})
    >>> split_rows(rows, settings, SplitContext(["id"], "late", 0)).orderBy("id").show()
    +---+----------+----------+-----+
    | id|       day|  _reasons|split|
    +---+----------+----------+-----+
    |  1|2024-01-01|        []|train|
    |  2|2024-01-03|        []| test|
    |  3|      NULL|[null:day]| NULL|
    +---+----------+----------+-----+
    """
    method = getattr(settings, settings.method)
    return METHODS[type(method)](df, method, context)


def add_folds(df: DataFrame, settings: Folds, context: SplitContext, *, name: str) -> DataFrame:
    """Add the column `name` with the fold of each row of train; null for other rows. Costs what the method costs.

    >>> rows = spark.sql("SELECT * FROM VALUES (1, 'train'), (2, 'test') AS t(id, split)")
    >>> settings = Folds(kind="hash", n=2)
    >>> add_folds(rows, settings, SplitContext(["id"], "late", 0), name="fold").where("fold IS NULL").show()
    +---+-----+----+
    | id|split|fold|
    +---+-----+----+
    |  2| test|NULL|
    +---+-----+----+
    """
    return FOLD_METHODS[settings.kind](df, settings, context, name)


def add_reason(df: DataFrame, condition: Column, reason: Column) -> DataFrame:
    """Give `reason` to the rows for which a condition holds and that have no reason yet; costs no pass.

    >>> rows = spark.sql("SELECT * FROM VALUES (1, array()), (2, array('null:x')) AS t(id, _reasons)")
    >>> add_reason(rows, F.col("id") > 0, F.lit("gap")).show()
    +---+--------+
    | id|_reasons|
    +---+--------+
    |  1|   [gap]|
    |  2|[null:x]|
    +---+--------+
    """
    applies = condition & (F.size(REASONS) == 0)
    return df.withColumn(REASONS, F.when(applies, F.array(reason)).otherwise(F.col(REASONS)))


def _by_time(df: DataFrame, settings: TimeSplit, _: SplitContext) -> DataFrame:
    time = settings.column
    require_columns(df, {time}, where="split.time.column")
    df = add_reason(df, F.col(quote(time)).isNull(), F.lit(f"null:{time}"))
    return by_time(df, time, validation=settings.validation, test=settings.test, gap=settings.gap)


def _by_hash(df: DataFrame, settings: HashSplit, context: SplitContext) -> DataFrame:
    return by_hash(df, settings.ratios, key=context.key, seed=context.seed)


def _by_group(df: DataFrame, settings: GroupSplit, context: SplitContext) -> DataFrame:
    return by_group(df, settings.by, settings.ratios, seed=context.seed)


def _stratified(df: DataFrame, settings: StratifiedSplit, context: SplitContext) -> DataFrame:
    key, seed, by = context.key, context.seed, settings.by
    return _without_reasons(
        df, lambda rows: stratified(rows, by, settings.ratios, key=key, seed=seed, min_rows=settings.min_rows)
    )


def _stratified_by_group(df: DataFrame, settings: StratifiedGroupSplit, context: SplitContext) -> DataFrame:
    label, seed, by = context.label, context.seed, settings.by
    return _without_reasons(
        df, lambda rows: stratified_by_group(rows, by, label, settings.ratios, seed=seed, min_rows=settings.min_rows)
    )


def _without_reasons(df: DataFrame, method: Callable[[DataFrame], DataFrame]) -> DataFrame:
    """Split the rows without a reason by a method that counts them; the others get null."""
    kept, removed = df.where(F.size(REASONS) == 0), df.where(F.size(REASONS) > 0)
    return method(kept).unionByName(removed, allowMissingColumns=True)


METHODS: Mapping[type, Callable[[DataFrame, Any, SplitContext], DataFrame]] = {
    TimeSplit: _by_time,
    HashSplit: _by_hash,
    GroupSplit: _by_group,
    StratifiedSplit: _stratified,
    StratifiedGroupSplit: _stratified_by_group,
}


def _hash_folds(df: DataFrame, settings: Folds, context: SplitContext, name: str) -> DataFrame:
    return k_fold(df, settings.n, key=context.key, seed=context.seed, name=name)


def _stratified_folds(df: DataFrame, settings: Folds, context: SplitContext, name: str) -> DataFrame:
    by, key, seed, min_rows = settings.by or (context.label,), context.key, context.seed, settings.min_rows
    return stratified_k_fold(df, by, settings.n, key=key, seed=seed, name=name, min_rows=min_rows)


def _group_folds(df: DataFrame, settings: Folds, context: SplitContext, name: str) -> DataFrame:
    return group_k_fold(df, settings.by, settings.n, seed=context.seed, name=name)


def _stratified_group_folds(df: DataFrame, settings: Folds, context: SplitContext, name: str) -> DataFrame:
    by, label, seed, min_rows = settings.by, context.label, context.seed, settings.min_rows
    return stratified_group_k_fold(df, by, label, settings.n, seed=seed, name=name, min_rows=min_rows)


def _time_folds(df: DataFrame, settings: Folds, _: SplitContext, name: str) -> DataFrame:
    assert settings.time is not None  # as the settings require
    return time_k_fold(df, settings.time, settings.n, gap=settings.gap, embargo=settings.embargo, name=name)


FOLD_METHODS: Mapping[str, Callable[[DataFrame, Folds, SplitContext, str], DataFrame]] = {
    "hash": _hash_folds,
    "stratified": _stratified_folds,
    "group": _group_folds,
    "stratified_group": _stratified_group_folds,
    "time": _time_folds,
}
