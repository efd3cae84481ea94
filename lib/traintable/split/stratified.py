"""Split at random, with the same ratios in every stratum, exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, require_columns
from traintable.errors import ConfigError
from traintable.sample.draw import keyed_hash
from traintable.sample.strata import Stratum, population
from traintable.split import ratios as ratio
from traintable.split.run_numbers import RUN, with_run_number

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "split.stratified"


def stratified(
    df: DataFrame,
    by: Sequence[str],
    ratios: Mapping[str, float],
    *,
    key: Sequence[str],
    seed: int,
    min_rows: int = 1,
) -> DataFrame:
    """Add `split` so that each stratum of `by` is divided in `ratios`, to the nearest row.

    In a stratum of n rows the cumulated ratios are rounded (half up) to whole rows; the rows with the smallest keyed
    hashes are train, the next validation, the rest test. The result depends on the seed and the set of keys, not on
    partitions or order. A null is a stratum of its own. Rows are kept.

    Raises ConfigError for strata that would leave a split with fewer than `min_rows` rows (0 permits it), for more than
    100,000 strata, and for keys that are not unique where they make an exact cut impossible.

    Costs three narrow passes, which read `by` and `key` only; no row is moved.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(8).selectExpr("id", "IF(id % 2 = 0, 'yes', 'no') AS answer")
    >>> ratios = {"train": 0.5, "test": 0.5}
    >>> rows = split.stratified(rows, ["answer"], ratios, key=["id"], seed=7)
    >>> sorted(row.answer for row in rows.collect() if row.split == "train")
    ['no', 'no', 'yes', 'yes']
    """
    shares = ratio.exact_ratios(ratios, where=_WHERE)
    require_columns(df, set(by) | set(key), where=_WHERE)
    strata = population(df, by, where=_WHERE)
    runs = {stratum: ratio.sizes(n, list(shares.values())) for stratum, n in strata.items()}
    _require_rows(strata, runs, by, shares, min_rows)
    draw = keyed_hash(key, seed=seed, purpose="split")
    numbered = with_run_number(df, by, runs, key=key, draw=draw, where=_WHERE)
    split = F.element_at(F.array(*map(F.lit, shares)), F.col(RUN) + 1)
    return numbered.withColumn(SPLIT, split).drop(RUN)


def _require_rows(
    population: Mapping[Stratum, int],
    runs: Mapping[Stratum, Sequence[int]],
    by: Sequence[str],
    shares: Mapping[str, Fraction],
    min_rows: int,
) -> None:
    """Raise ConfigError for strata that leave a split with fewer than `min_rows` rows."""
    few = {stratum: population[stratum] for stratum, sizes in runs.items() if min(sizes) < min_rows}
    if few:
        enough = math.ceil(min_rows / min(shares.values()))
        raise too_few_rows(
            few,
            by,
            where=_WHERE,
            expected=f"strata that give each of {', '.join(shares)} {rows_text(min_rows)}, which takes {enough:,} rows",
        )


def too_few_rows(few: Mapping[Stratum, int], by: Sequence[str], *, where: str, expected: str) -> ConfigError:
    """The error that names the smallest strata that have too few rows."""
    smallest = sorted(few.items(), key=lambda pair: pair[1])[:5]
    named = [f"{stratum_text(by, stratum)} with {rows_text(n)}" for stratum, n in smallest]
    more = f" and {len(few) - len(named):,} more" if len(few) > len(named) else ""
    return ConfigError(
        where=where,
        expected=expected,
        found=f"{'; '.join(named)}{more}",
        remedy="Merge rare strata, ask for fewer folds or for other ratios, or permit it with `min_rows=0`.",
    )


def stratum_text(by: Sequence[str], stratum: Stratum) -> str:
    """A stratum as it is named in a message."""
    return (
        ", ".join(f"{name}={'null' if word is None else word}" for name, word in zip(by, stratum, strict=True)) or "all"
    )


def rows_text(n: int) -> str:
    """A number of rows in words."""
    return "1 row" if n == 1 else f"{n:,} rows"
