"""Fit an isolation forest to a table, to score this one or another by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.analyse.anomalies.model import MIN_ROWS, N_TREES, AnomalyModel, fit_anomalies
from traintable.analyse.rows.context import Context
from traintable.analyse.scans.columns import columns_of, separate_texts, usable_features
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
    """An isolation forest of a keyed sample of 20,000 rows, for `score_anomalies` (Liu, Ting and Zhou 2008).

    Parameters
    ----------
    columns : numbers, booleans and texts of few values; all of them but `key` and `split` where none are named.
    key : what tells rows apart, by which the sample is drawn; without it equal rows are drawn together.

    Where the rows have `split`, those of train are learned from. The same rows in any layout give the same model. Costs
    one scan and one pass for the sample; needs scikit-learn (the extra `analyse`), scoring does not.

    Raises ConfigError when a column is missing, no column can be used, or there are fewer than 8 rows.
    """
    names = list(columns) if columns is not None else [n for n in df.columns if n not in {*key, SPLIT}]
    require_columns(df, {*names, *key}, where=_WHERE)
    types = {name: kind for name, kind in df.dtypes if name in names}
    learned = scan(df, Wanted.everything(types))
    used = separate_texts(columns_of(types, label=None, time=None, key=()), learned)
    numbers, words = usable_features(used, learned)
    model = None
    if numbers or words:
        model = fit_anomalies(Context(df, learned, numbers, words, key=tuple(key), seed=seed), n_trees=n_trees)
    if model is None:
        raise ConfigError(
            where=_WHERE,
            expected=f"at least {MIN_ROWS} rows, and a number or category that differs among them",
            found=f"{learned.n_rows} rows of {', '.join(names) or 'no columns'}",
            remedy="Name other columns, or give more rows.",
        )
    return model
