"""Number the runs of given sizes into which the rows of each stratum are cut, in the order of their draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.sample.strata import STRATUM, Stratum, number_strata, with_values
from traintable.sample.thresholds import thresholds

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

RUN = "__run"


def with_run_number(
    df: DataFrame,
    by: Sequence[str],
    sizes: Mapping[Stratum, Sequence[int]],
    *,
    key: Sequence[str],
    draw: Column,
    where: str,
    among: Column | None = None,
) -> DataFrame:
    """Add `__run int`: the run, 0, 1, ..., that a row falls into; null for rows that `among` excludes.

    `sizes` has the same number of runs for each stratum; together they are all its rows. Costs two narrow passes, which
    find the cut points; then these are sent to where the rows are, and no row is moved.
    """
    rows = df if among is None else df.where(among)
    targets = {stratum: list(accumulate(runs))[:-1] for stratum, runs in sizes.items()}
    n_cuts = max((len(ends) for ends in targets.values()), default=0)
    if not targets or not n_cuts:
        return df.withColumn(RUN, _only(among, F.lit(0) if targets else F.lit(None).cast("int")))
    numbers = number_strata(df, by, list(targets)) if by else None
    cut_points = thresholds(rows, by, targets, key=key, draw=draw, numbers=numbers, where=where)
    names = [f"__cut_{i}" for i in range(n_cuts)]
    schema = ", ".join(f"{name} long" for name in names)
    rows = df.withColumn("__draw", draw)
    cut = with_values(rows, by, cut_points, schema, how="left", among=among, numbers=numbers)
    run = sum(((F.col("__draw") > F.col(name)).cast("int") for name in names), F.lit(0))
    return cut.withColumn(RUN, _only(among, run)).drop(STRATUM, "__draw", *names)


def _only(among: Column | None, value: Column) -> Column:
    return value if among is None else F.when(among, value)
