"""From pinned tables to labelled rows, each with its split or the reasons why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import label, split
from traintable.assemble.inputs import SOURCE, read_frozen_test
from traintable.assemble.join import asof_join, lookup_join, require_unique
from traintable.columns import RESERVED, SPLIT, quote, refuse_taken, require_columns
from traintable.config.dataset import Config, Join
from traintable.contract.rows import REASONS, apply_contract, mark_duplicates, rename_sources
from traintable.delta.pinned_input import PinnedInput, read_pinned
from traintable.errors import ConfigError
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KIND, QUARANTINED, FILTERED = "_kind", "quarantined", "filtered"

_LOST = "__lost"

# Reasons that are no fault of the row. `gap` covers rows between two splits and rows outside all of them.
NO_FAULT = ("duplicate", "no_label", "gap", split.FROZEN_GROUP, split.NEW_TEST)


def assemble(
    spark: SparkSession,
    config: Config,
    pinned: Mapping[str, PinnedInput],
    *,
    checkpoint: Callable[[DataFrame], DataFrame] = lambda rows: rows,
) -> DataFrame:
    """Every row of the source once, joined, cleaned, labelled and split.

    Adds the joined and derived columns, the label, `split` (null for a row that is not published), the column of
    folds if there is one, `_kind` ("quarantined", "filtered" or null) and `_reasons array<string>` (empty for a row
    that is published). Raises ConfigError where the configuration does not fit the tables.

    Costs the checks of unique keys; the rows themselves are computed when they are written. A split or folds that count
    rows read them several times before: `checkpoint` may write the rows and return them as they were written.

    >>> from traintable.config.dataset import Config
    >>> from traintable.assemble import pin_inputs
    >>> spark.range(8).write.format("delta").save(f"{folder}/numbers")
    >>> config = Config.model_validate({
    ...     "name": "numbers",
    ...     "source": {"table": f"{folder}/numbers", "key": ["id"]},
    ...     "columns": {"id": {"max": 6}},
    ...     "label": {"name": "odd", "expr": "id % 2"},
    ...     "split": {"method": "hash", "hash": {"ratios": {"train": 0.5, "validation": 0.25, "test": 0.25}}},
    ...     "prepare": {"features": {"id": {}}},
    ...     "output": {"table": f"{folder}/table"},
    ... })
    >>> rows = assemble(spark, config, pin_inputs(config))
    >>> rows.where("id >= 6").select("id", "odd", "_kind", "_reasons").orderBy("id").show()
    +---+---+-----------+----------+
    | id|odd|      _kind|  _reasons|
    +---+---+-----------+----------+
    |  6|  0|       NULL|        []|
    |  7|  1|quarantined|[range:id]|
    +---+---+-----------+----------+
    """
    source = read_pinned(spark, pinned[SOURCE], where=config.source.where)
    key, promises = config.source.key, config.columns
    source = rename_sources(source, promises)
    _refuse_reserved(source, pinned[SOURCE].table)
    own = {name: promise for name, promise in promises.items() if name in source.columns}
    derived = {name: promises[name] for name in config.derive if name in promises and name not in own}
    joined = {name: promise for name, promise in promises.items() if name not in own and name not in derived}
    rows = mark_duplicates(apply_contract(source, own, key=key), key)
    rows = apply_contract(_join_all(spark, rows, config, pinned), joined, key=())
    rows = apply_contract(_derive(rows, config), derived, key=())
    rows = label.by_expression(rows, config.label.name, config.label.expr)
    rows = split.add_reason(rows, F.col(quote(config.label.name)).isNull(), F.lit("no_label"))
    rows = checkpoint(rows) if config.split.counts_rows else rows
    context = split.SplitContext(key, config.label.name, config.seed)
    rows = _add_split(rows, config, read_frozen_test(spark, pinned), context)
    return rows if config.folds is None else split.add_folds(rows, config.folds, context, name=config.prepare.fold)


def _refuse_reserved(source: DataFrame, table: str) -> None:
    reserved = sorted(name for name in source.columns if name.lower() in RESERVED)
    if reserved:
        raise ConfigError(
            where=f"table {table}",
            expected=f"no column with one of the names that a run adds: {', '.join(sorted(RESERVED))}",
            found=f"'{reserved[0]}'",
            remedy="Rename it, for example in a view.",
        )


def _join_all(spark: SparkSession, rows: DataFrame, config: Config, pinned: Mapping[str, PinnedInput]) -> DataFrame:
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


def _derive(rows: DataFrame, config: Config) -> DataFrame:
    for name, expression in config.derive.items():
        refuse_taken(rows, {name}, where=f"derive.{name}")
        rows = rows.withColumn(name, evaluate(rows, expression, where=f"derive.{name}"))
    return rows


def _add_split(rows: DataFrame, config: Config, frozen: DataFrame | None, context: split.SplitContext) -> DataFrame:
    """Add `split` and `_kind`; rows that get no split have a reason."""
    rows = split.split_rows(rows, config.split, context)
    if frozen is not None and config.split.frozen_test is not None:
        rows = split.keep_test(
            rows,
            frozen,
            key=config.source.key,
            otherwise=config.split.frozen_test.otherwise,
            group=config.split.groups,
            reason=_LOST,
        )
        rows = split.add_reason(rows, F.col(_LOST).isNotNull(), F.col(_LOST)).drop(_LOST)
    rows = split.add_reason(rows, F.col(SPLIT).isNull(), F.lit("gap"))
    kept = F.size(REASONS) == 0
    kind = F.when(F.forall(REASONS, lambda reason: reason.isin(*NO_FAULT)), FILTERED).otherwise(QUARANTINED)
    return rows.withColumns({SPLIT: F.when(kept, F.col(SPLIT)), KIND: F.when(~kept, kind)})
