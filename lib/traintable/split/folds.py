"""Folds of train, for what must be learned of a row from other rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TRAIN, refuse_taken, require_columns
from traintable.sample.draw import keyed_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def with_folds(df: DataFrame, n: int, *, key: Sequence[str], seed: int = 0, name: str = "fold") -> DataFrame:
    """Add a column of folds 0 to n - 1, null for rows whose `split` is not train; no rows change, no pass.

    A row's fold depends on (seed, key) alone, so it is the same on any cluster and stays as rows are added; the folds
    are of about equal size. Rows without a column `split` all count as train.
    """
    require_columns(df, set(key), where="split.with_folds")
    refuse_taken(df, {name}, where="split.with_folds")
    fold = F.pmod(keyed_hash(key, seed=seed, purpose="fold"), F.lit(n)).cast("int")
    return df.withColumn(name, F.when(F.col(SPLIT) == TRAIN, fold) if SPLIT in df.columns else fold)
