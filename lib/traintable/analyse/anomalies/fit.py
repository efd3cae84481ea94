"""Fit an isolation forest to a table, to score this one or another by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.analyse.anomalies.model import MIN_ROWS, N_TREES, AnomalyModel, fit_anomaly_model
from traintable.analyse.rows.context import AnalysisContext
from traintable.analyse.scans.columns import columns_of, separate_texts
from traintable.columns import SPLIT, require_columns
from traintable.errors import ConfigError
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "analyse.isolation_forest"


def isolation_forest(
    df: DataFrame,
    columns: Sequence[str] | None = None,
    *,
    key: Sequence[str] = (),
    seed: int = 0,
    n_trees: int = N_TREES,
) -> AnomalyModel:
    """Fit an isolation forest to a keyed sample of 20,000 rows, for `score_anomalies`.

    Parameters
    ----------
    df : the rows that say what is usual. Where they have `split`, those of train are learned from.
    columns : numbers, booleans and texts of few values; all of them but `key` and `split` where none are named.
    key : what tells rows apart, by which the sample is drawn; without it equal rows are drawn together.
    seed : of the sample and of the trees.
    n_trees : number of trees, each of at most 256 rows.

    Returns
    -------
    AnomalyModel
        The same for the same rows in any layout. Costs one scan and one pass for the sample; needs scikit-learn (the
        extra `analyse`), scoring does not.

    Raises
    ------
    ConfigError
        When a column is missing, no column can be used, or there are fewer than 8 rows.

    Source: Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008).

    Examples
    --------
    >>> from traintable import analyse
    >>> rows = [(i, float(i % 10), "ab"[i % 2]) for i in range(50)]
    >>> df = spark.createDataFrame(rows, "id int, x double, word string")
    >>> model = analyse.isolation_forest(df, key=["id"], n_trees=20)
    >>> model.encoder.columns, 0.5 <= model.threshold < 1
    (('x', 'word'), True)
    """
    names = list(columns) if columns is not None else [n for n in df.columns if n not in {*key, SPLIT}]
    require_columns(df, {*names, *key}, where=_WHERE)
    types = {name: kind for name, kind in df.dtypes if name in names}
    statistics = scan(df, Wanted.everything(types))
    used = separate_texts(columns_of(types, label=None, time=None, key=()), statistics)
    context = AnalysisContext.of(df, used, statistics, key=key, seed=seed)
    model = fit_anomaly_model(context, n_trees=n_trees) if context.features else None
    if model is None:
        raise ConfigError(
            where=_WHERE,
            expected=f"at least {MIN_ROWS} rows, and a number or category that differs among them",
            found=f"{statistics.n_rows} rows of {', '.join(names) or 'no columns'}",
            remedy="Name other columns, or give more rows.",
        )
    return model
