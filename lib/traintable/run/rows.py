"""From pinned tables to labelled rows, each with its split or the reasons why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import ingest, label, split
from traintable.columns import RESERVED, SPLIT, quote, refuse_taken, require_columns, resolve
from traintable.config import Config, Join, Source, seconds
from traintable.errors import ConfigError
from traintable.expressions import evaluated
from traintable.ingest.batch import pin
from traintable.ingest.contract import REASONS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

SOURCE = "source"
KIND, QUARANTINED, FILTERED = "_kind", "quarantined", "filtered"

# Reasons that are no fault of the row. `gap` covers rows between two splits and rows outside all of them.
NO_FAULT = ("duplicate", "no_label", "gap")


def pin_inputs(config: Config, spark: SparkSession | None = None) -> dict[str, ingest.Pinned]:
    """The version of each input table that this run reads: `source`, and each join by its name."""
    wanted: dict[str, Source | Join] = {SOURCE: config.source, **{join.name: join for join in config.joins}}
    return {
        name: pin(resolve(section.table, config.root), section.version, spark=spark) for name, section in wanted.items()
    }


def assemble(spark: SparkSession, config: Config, pinned: Mapping[str, ingest.Pinned]) -> DataFrame:
    """Every row of the source once, joined, cleaned, labelled and split.

    Adds the joined and derived columns, the label, `split` (null for a row that is not published), `_kind`
    ("quarantined", "filtered" or null) and `_reasons array<string>` (empty for a row that is published).
    Costs the checks of unique keys; the rows themselves are computed when they are written (twice by the stratified
    split, which ranks the rows that are kept apart from the others).
    """
    source = ingest.read(spark, pinned[SOURCE], where=config.source.where)
    _refuse_reserved(source, pinned[SOURCE].table)
    key, promises = config.source.key, config.columns
    own = {name: promise for name, promise in promises.items() if name in source.columns}
    derived = {name: promises[name] for name in config.derive if name in promises and name not in own}
    joined = {name: promise for name, promise in promises.items() if name not in own and name not in derived}
    rows = ingest.mark_duplicates(ingest.apply_contract(source, own, key=key), key)
    rows = ingest.apply_contract(_joined(spark, rows, config, pinned), joined, key=())
    rows = ingest.apply_contract(_derived(rows, config), derived, key=())
    rows = label.by_expression(rows, config.label.name, config.label.expr)
    rows = _with_reason(rows, F.col(quote(config.label.name)).isNull(), "no_label")
    return _split(rows, config)


def _refuse_reserved(source: DataFrame, table: str) -> None:
    reserved = sorted(name for name in source.columns if name.lower() in RESERVED)
    if reserved:
        raise ConfigError(
            where=f"table {table}",
            expected="columns of other names than those we add",
            found=f"'{reserved[0]}'",
            remedy="Rename it; a view does.",
        )


def _joined(spark: SparkSession, rows: DataFrame, config: Config, pinned: Mapping[str, ingest.Pinned]) -> DataFrame:
    tables = {join.name: ingest.read(spark, pinned[join.name], where=join.where) for join in config.joins}
    for join in config.joins:
        right = {*join.on.values(), *join.columns, *([join.asof.right] if join.asof else [])}
        require_columns(tables[join.name], right, where=f"join '{join.name}'")
    lookups = {j.name: (tables[j.name], tuple(j.on.values())) for j in config.joins if j.asof is None}
    ingest.require_unique(lookups)
    for join in config.joins:
        rows = _join(rows, tables[join.name], join)
    return rows


def _join(rows: DataFrame, table: DataFrame, join: Join) -> DataFrame:
    left = {*join.on, *([join.asof.left] if join.asof else [])}
    require_columns(rows, left, where=f"join '{join.name}'")
    refuse_taken(rows, {f"{join.name}_{column}" for column in join.columns}, where=f"join '{join.name}'")
    if join.asof is None:
        return ingest.lookup_join(rows, table, name=join.name, on=join.on, columns=join.columns)
    return ingest.asof_join(
        rows,
        table,
        name=join.name,
        on=join.on,
        left_time=join.asof.left,
        right_time=join.asof.right,
        tolerance_seconds=seconds(join.asof.tolerance),
        columns=join.columns,
    )


def _derived(rows: DataFrame, config: Config) -> DataFrame:
    for name, expression in config.derive.items():
        refuse_taken(rows, {name}, where=f"derive.{name}")
        rows = rows.withColumn(name, evaluated(rows, expression, where=f"derive.{name}"))
    return rows


def _split(rows: DataFrame, config: Config) -> DataFrame:
    keep = F.size(REASONS) == 0
    if config.split.method == "time" and config.split.time is not None:
        t = config.split.time
        require_columns(rows, {t.column}, where="split.time.column")
        rows = _with_reason(rows, F.col(quote(t.column)).isNull(), f"null:{t.column}")
        rows = split.by_time(rows, t.column, validation=t.validation, test=t.test, gap=t.gap)
        rows = _with_reason(rows, F.col(SPLIT).isNull(), "gap")
    elif config.split.stratified is not None:
        s = config.split.stratified
        parts = split.stratified(rows.where(keep), s.by, s.ratios, key=config.source.key, seed=config.seed)
        rows = parts.unionByName(rows.where(~keep), allowMissingColumns=True)
    kind = F.when(F.forall(REASONS, lambda reason: reason.isin(*NO_FAULT)), FILTERED).otherwise(QUARANTINED)
    return rows.withColumns({SPLIT: F.when(keep, F.col(SPLIT)), KIND: F.when(~keep, kind)})


def _with_reason(rows: DataFrame, condition: Column, reason: str) -> DataFrame:
    """Give `reason` to the rows that have no other."""
    applies = condition & (F.size(REASONS) == 0)
    return rows.withColumn(REASONS, F.when(applies, F.array(F.lit(reason))).otherwise(F.col(REASONS)))
