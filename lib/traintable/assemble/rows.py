"""From pinned tables to labelled rows, each with its split or the reasons why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import label, split
from traintable.addresses import resolve
from traintable.assemble.join import asof_join, lookup_join, require_unique
from traintable.columns import RESERVED, SPLIT, quote, refuse_taken, require_columns
from traintable.config.dataset import Config, Join, Source
from traintable.config.split import Folds
from traintable.contract.rows import REASONS, apply_contract, mark_duplicates, rename_sources
from traintable.delta.pin import Pinned, pin, read_pinned
from traintable.errors import ConfigError
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

SOURCE = "source"
KIND, QUARANTINED, FILTERED = "_kind", "quarantined", "filtered"

_LOST = "__lost"
FROZEN_TEST = "split.frozen_test"  # no join can have this name

# Reasons that are no fault of the row. `gap` covers rows between two splits and rows outside all of them.
NO_FAULT = ("duplicate", "no_label", "gap", split.FROZEN_GROUP, split.NEW_TEST)


def pin_inputs(config: Config, spark: SparkSession | None = None) -> dict[str, Pinned]:
    """The version of each input table that this run reads: `source`, each join by its name, and a frozen test set's."""
    wanted: dict[str, Source | Join] = {SOURCE: config.source, **{join.name: join for join in config.joins}}
    pinned = {
        name: pin(resolve(section.table, config.root), section.version, spark=spark) for name, section in wanted.items()
    }
    frozen = config.split.frozen_test
    if frozen is not None:
        table = resolve(frozen.table or config.output.table, config.root)
        pinned[FROZEN_TEST] = pin(table, frozen.version, spark=spark)
    return pinned


def assemble(
    spark: SparkSession,
    config: Config,
    pinned: Mapping[str, Pinned],
    *,
    held: Callable[[DataFrame], DataFrame] = lambda rows: rows,
) -> DataFrame:
    """Every row of the source once, joined, cleaned, labelled and split.

    Adds the joined and derived columns, the label, `split` (null for a row that is not published), the column of
    folds if there is one, `_kind` ("quarantined", "filtered" or null) and `_reasons array<string>` (empty for a row
    that is published).
    Costs the checks of unique keys; the rows themselves are computed when they are written. A split or folds that count
    rows first read them several times: `held` may write the rows and give those that were written.
    """
    source = read_pinned(spark, pinned[SOURCE], where=config.source.where)
    key, promises = config.source.key, config.columns
    source = rename_sources(source, promises)
    _refuse_reserved(source, pinned[SOURCE].table)
    own = {name: promise for name, promise in promises.items() if name in source.columns}
    derived = {name: promises[name] for name in config.derive if name in promises and name not in own}
    joined = {name: promise for name, promise in promises.items() if name not in own and name not in derived}
    rows = mark_duplicates(apply_contract(source, own, key=key), key)
    rows = apply_contract(_joined(spark, rows, config, pinned), joined, key=())
    rows = apply_contract(_derived(rows, config), derived, key=())
    rows = label.by_expression(rows, config.label.name, config.label.expr)
    rows = _with_reason(rows, F.col(quote(config.label.name)).isNull(), F.lit("no_label"))
    rows = held(rows) if config.split.counts_rows else rows
    rows = _with_parts(rows, config, frozen_test(spark, pinned))
    return rows if config.folds is None else _with_folds(rows, config, config.folds)


def frozen_test(spark: SparkSession, pinned: Mapping[str, Pinned]) -> DataFrame | None:
    """The version of a training table whose test set this run keeps."""
    return read_pinned(spark, pinned[FROZEN_TEST]) if FROZEN_TEST in pinned else None


def _refuse_reserved(source: DataFrame, table: str) -> None:
    reserved = sorted(name for name in source.columns if name.lower() in RESERVED)
    if reserved:
        raise ConfigError(
            where=f"table {table}",
            expected="columns of other names than those we add",
            found=f"'{reserved[0]}'",
            remedy="Rename it; a view does.",
        )


def _joined(spark: SparkSession, rows: DataFrame, config: Config, pinned: Mapping[str, Pinned]) -> DataFrame:
    tables = {join.name: read_pinned(spark, pinned[join.name], where=join.where) for join in config.joins}
    for join in config.joins:
        right = {*join.on.values(), *join.columns, *([join.asof.right] if join.asof else [])}
        require_columns(tables[join.name], right, where=f"join '{join.name}'")
    lookups = {j.name: (tables[j.name], tuple(j.on.values())) for j in config.joins if j.asof is None}
    require_unique(lookups)
    for join in config.joins:
        rows = _join(rows, tables[join.name], join)
    return rows


def _join(rows: DataFrame, table: DataFrame, join: Join) -> DataFrame:
    left = {*join.on, *([join.asof.left] if join.asof else [])}
    require_columns(rows, left, where=f"join '{join.name}'")
    refuse_taken(rows, {f"{join.name}_{column}" for column in join.columns}, where=f"join '{join.name}'")
    if join.asof is None:
        return lookup_join(rows, table, name=join.name, on=join.on, columns=join.columns)
    return asof_join(
        rows,
        table,
        name=join.name,
        on=join.on,
        left_time=join.asof.left,
        right_time=join.asof.right,
        tolerance_seconds=join.asof.tolerance.seconds,
        columns=join.columns,
    )


def _derived(rows: DataFrame, config: Config) -> DataFrame:
    for name, expression in config.derive.items():
        refuse_taken(rows, {name}, where=f"derive.{name}")
        rows = rows.withColumn(name, evaluate(rows, expression, where=f"derive.{name}"))
    return rows


def _with_parts(rows: DataFrame, config: Config, frozen: DataFrame | None) -> DataFrame:
    """Add `split` and `_kind`; rows that get no part have a reason."""
    rows = _split(rows, config)
    if frozen is not None and config.split.frozen_test is not None:
        rows = split.keep_test(
            rows,
            frozen,
            key=config.source.key,
            otherwise=config.split.frozen_test.otherwise,
            group=config.split.groups,
            reason=_LOST,
        )
        rows = _with_reason(rows, F.col(_LOST).isNotNull(), F.col(_LOST)).drop(_LOST)
    rows = _with_reason(rows, F.col(SPLIT).isNull(), F.lit("gap"))
    kept = F.size(REASONS) == 0
    kind = F.when(F.forall(REASONS, lambda reason: reason.isin(*NO_FAULT)), FILTERED).otherwise(QUARANTINED)
    return rows.withColumns({SPLIT: F.when(kept, F.col(SPLIT)), KIND: F.when(~kept, kind)})


def _split(rows: DataFrame, config: Config) -> DataFrame:
    """Add `split` by the method that is used; rows with a reason already have no say in it."""
    chosen, key, seed = config.split, config.source.key, config.seed
    if chosen.method == "time" and (t := chosen.time) is not None:
        require_columns(rows, {t.column}, where="split.time.column")
        rows = _with_reason(rows, F.col(quote(t.column)).isNull(), F.lit(f"null:{t.column}"))
        return split.by_time(rows, t.column, validation=t.validation, test=t.test, gap=t.gap)
    if chosen.method == "hash" and (h := chosen.hash) is not None:
        return split.by_hash(rows, h.ratios, key=key, seed=seed)
    if chosen.method == "group" and (g := chosen.group) is not None:
        return split.by_group(rows, g.by, g.ratios, seed=seed)
    kept, removed = rows.where(F.size(REASONS) == 0), rows.where(F.size(REASONS) > 0)
    if chosen.method == "stratified" and (s := chosen.stratified) is not None:
        kept = split.stratified(kept, s.by, s.ratios, key=key, seed=seed, min_rows=s.min_rows)
    elif (sg := chosen.stratified_group) is not None:
        kept = split.stratified_by_group(kept, sg.by, config.label.name, sg.ratios, seed=seed, min_rows=sg.min_rows)
    return kept.unionByName(removed, allowMissingColumns=True)


def _with_folds(rows: DataFrame, config: Config, folds: Folds) -> DataFrame:
    """Add the column of folds, null for rows that are not of train."""
    n, name, key, seed, label = folds.n, config.prepare.fold, config.source.key, config.seed, config.label.name
    if folds.kind == "stratified":
        by = folds.by or (label,)
        return split.stratified_k_fold(rows, by, n, key=key, seed=seed, name=name, min_rows=folds.min_rows)
    if folds.kind == "group":
        return split.group_k_fold(rows, folds.by, n, seed=seed, name=name)
    if folds.kind == "stratified_group":
        return split.stratified_group_k_fold(rows, folds.by, label, n, seed=seed, name=name, min_rows=folds.min_rows)
    if folds.kind == "time" and folds.time is not None:
        return split.time_k_fold(rows, folds.time, n, gap=folds.gap, embargo=folds.embargo, name=name)
    return split.k_fold(rows, n, key=key, seed=seed, name=name)


def _with_reason(rows: DataFrame, condition: Column, reason: Column) -> DataFrame:
    """Give `reason` to the rows that have no other."""
    applies = condition & (F.size(REASONS) == 0)
    return rows.withColumn(REASONS, F.when(applies, F.array(reason)).otherwise(F.col(REASONS)))
