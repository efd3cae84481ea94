"""Draw an exact number of rows from each stratum: those with the lowest keyed hashes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from traintable.columns import quote
from traintable.errors import ConfigError
from traintable.sample.draw import HIGHEST, LOWEST, ROWS, keyed_hash
from traintable.sample.strata import STRATUM, Stratum, number_strata, stratum_number, with_values
from traintable.sample.thresholds import thresholds
from traintable.sample.unique import is_repeat, repeat_error

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PROBABILITY = "inclusion_probability"
MAX_RANKED = 1_000_000  # rows that are ranked by stratum; for more, the cuts are found first
_MAX_LISTED = 1_000  # strata whose bounds are above that of the others
_CHEAPER = 0.3  # share of the rows that are looked up in less time than all are held against a list
_DRAW, _N, _BOUND, _KEPT = "__draw", "__n", "__bound", "__kept"


def draw_lowest(
    df: DataFrame,
    by: Sequence[str],
    sizes: Mapping[Stratum, int],
    population: Mapping[Stratum, int],
    *,
    key: Sequence[str],
    seed: int,
    purpose: str = ROWS,
    where: str,
) -> DataFrame:
    """Of each stratum the rows with the `sizes` lowest draws, with `inclusion_probability double` added.

    They depend on the seed and the set of keys alone. Up to a million rows cost one pass: the rows that a bound on
    draws lets through, which are as many as needed but for a chance below 1e-15, are ranked in each stratum. For more,
    two narrow passes find the cuts first, and then no row is moved. Keys that repeat are an error, raised when the rows
    are computed.
    """
    from pyspark.sql import functions as F

    wanted = {stratum: n for stratum, n in sizes.items() if n}
    share = {stratum: n / population[stratum] for stratum, n in wanted.items()}
    draw = keyed_hash(key, seed=seed, purpose=purpose)
    rows = df.withColumn(_DRAW, draw)
    numbers = number_strata(df, by, list(wanted)) if by else None
    is_ranked = sum(wanted.values()) <= MAX_RANKED
    if not is_ranked:
        targets = {stratum: [n] for stratum, n in wanted.items()}
        cuts = thresholds(df, by, targets, key=key, draw=draw, numbers=numbers, where=where)
        values: dict[Stratum, tuple[object, ...]] = {s: (share[s], 0, cuts[s][0]) for s in wanted}
    else:
        bounds = {s: draw_bound(n, population[s]) for s, n in wanted.items()}
        values = {s: (share[s], n, bounds[s]) for s, n in wanted.items()}
        rows = rows.where(_may_be_within(by, bounds, population, numbers))
    drawn = with_values(rows, by, values, f"{PROBABILITY} double, {_N} long, {_BOUND} long", numbers=numbers)
    drawn = drawn.where(F.col(_DRAW) <= F.col(_BOUND))
    if is_ranked:
        drawn = drawn.withColumn(_KEPT, _is_among_lowest(key, where)).where(_KEPT)
    return drawn.drop(STRATUM, _DRAW, _N, _BOUND, _KEPT)


def refuse_sampled(df: DataFrame, *, where: str) -> None:
    """Raise ConfigError for rows that have an inclusion probability already."""
    if PROBABILITY in df.columns:
        raise ConfigError(
            where=where,
            expected=f"rows without a column '{PROBABILITY}'",
            found="rows that were sampled already",
            remedy="Rename the column. A sample of a sample has the product of both probabilities.",
        )


def draw_bound(n: int, size: int) -> int:
    """A draw below which at least `n` of `size` rows lie, but for a chance below 1e-15.

    By Chernoff's bound: of m rows expected below, fewer than n are with a chance of at most exp(-(m - n)^2 / 2m).
    """
    slack = 35.0  # exp(-35) is 6e-16
    expected = n + slack + math.sqrt(slack * slack + 2 * n * slack)
    return min(HIGHEST, LOWEST + math.ceil(expected / size * 2.0**64)) if expected < size else HIGHEST


def _may_be_within(
    by: Sequence[str],
    bounds: Mapping[Stratum, int],
    population: Mapping[Stratum, int],
    numbers: Mapping[Stratum, int] | None,
) -> Column:
    """A condition that spares most rows the search for their stratum: one bound, but for some small strata."""
    from pyspark.sql import functions as F

    if numbers is None or not bounds:
        return F.lit(True)
    ranked = sorted(bounds, key=lambda stratum: bounds[stratum])
    reached = np.array([(bounds[stratum] - LOWEST) / 2.0**64 for stratum in ranked])
    n = np.array([population[stratum] for stratum in ranked], np.float64)
    n_within = reached * n.sum() + n.sum() - np.cumsum(n)  # rows that the bound of each lets through
    first = max(0, len(ranked) - 1 - _MAX_LISTED)
    last = first + int(np.argmin(n_within[first:]))
    if n_within[-1] - n_within[last] <= _CHEAPER * n.sum():
        last = len(ranked) - 1
    within, listed = F.col(_DRAW) <= bounds[ranked[last]], ranked[last + 1 :]
    return within | stratum_number(by).isin([numbers[stratum] for stratum in listed]) if listed else within


def _is_among_lowest(key: Sequence[str], where: str) -> Column:
    """Whether a row is among the first `__n` of its stratum; an error where a key repeats or rows are missing."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    stratum = Window.partitionBy(STRATUM)
    order = stratum.orderBy(_DRAW, *[F.col(quote(name)) for name in key])
    few = (
        f"{where}: expected as many rows as were counted, found fewer. Pin a version of the table, or try another seed."
    )
    return (
        F.when(is_repeat(key, order), repeat_error(key, where=where))
        .when(F.count("*").over(stratum) < F.col(_N), F.raise_error(F.lit(few)))
        .otherwise(F.row_number().over(order) <= F.col(_N))
    )
