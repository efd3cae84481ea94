"""A keyed sample of the rows of a wide table, for what all rows would be too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.sample.draw import HIGHEST, LOWEST, keyed_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SAMPLE_ROWS = 50_000
_PURPOSE = "analyse pairs"


def about(df: DataFrame, n: int, n_rows: int, *, key: Sequence[str], seed: int) -> DataFrame:
    """The rows whose draw is below n / n_rows: `n` on average, all of them where there are no more.

    Without a key the row itself is it, so that equal rows are drawn together.
    """
    if n >= n_rows:
        return df
    names = list(key) or [name for name, kind in df.dtypes if "map<" not in kind and "variant" not in kind]
    bound = min(HIGHEST, LOWEST + round(n / n_rows * 2.0**64))
    return df.where(keyed_hash(names, seed=seed, purpose=_PURPOSE) < bound)
