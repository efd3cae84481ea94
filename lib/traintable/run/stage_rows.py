"""The first step of a run: write the assembled rows to private files, which all later steps read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import prepare
from traintable.assemble import assemble
from traintable.assemble.labelled_rows import FILTERED, KIND
from traintable.columns import SPLIT, TRAIN, require_columns
from traintable.contract.rows import REASONS
from traintable.run.context import RunContext
from traintable.run.staging import ROW, stageable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def stage_rows(context: RunContext) -> DataFrame:
    """Every row of the source, with its split or the reasons why it has none, read from private files.

    Costs one pass over the keys of the source, and one that writes the joined rows; where the plan drops outliers, one
    more over train, and one that writes the rows again.
    """
    config, plan, files = context.config, context.plan, context.files
    rows = assemble(context.spark, config, context.pinned, checkpoint=lambda rows: files.write(rows, "assembled"))
    inputs = prepare.inputs(plan)
    require_columns(rows, inputs, where="prepare.features")
    require_columns(rows, set(config.leakage.columns), where="leakage")
    keep = [*config.source.key, config.label.name, *sorted(inputs), *context.fold_columns, *context.guard_columns]
    rows = stageable(rows, keep, whole_train=plan.drops_rows)
    staged = files.write(rows, "rows", partition_by=[SPLIT])
    return _drop_outliers(context, staged) if plan.drops_rows else staged


def _drop_outliers(context: RunContext, staged: DataFrame) -> DataFrame:
    """The staged rows, with the outliers of train among the filtered rows."""
    is_train = F.col(SPLIT) == TRAIN
    kept, dropped = prepare.drop_outliers(staged.where(is_train), context.plan, columns=context.config.columns)
    dropped = dropped.withColumns(
        {
            KIND: F.lit(FILTERED),
            REASONS: F.transform("_outlier", lambda name: F.concat(F.lit("outlier:"), name)),
            SPLIT: F.lit(None).cast("string"),
        }
    )
    others = staged.where(is_train.isNull() | ~is_train)
    kept = kept.withColumn(ROW, F.lit(None).cast("string"))
    rows = others.unionByName(kept).unionByName(dropped.drop("_outlier"))
    return context.files.write(rows, "rows_without_outliers", partition_by=[SPLIT])
