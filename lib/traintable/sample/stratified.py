"""An exact number of rows from each stratum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.sample import allocation as allocations
from traintable.sample.arguments import (
    require_count,
    require_enough,
    require_names,
    require_size,
    sample_size,
    share_of,
)
from traintable.sample.lowest import draw_lowest, refuse_sampled
from traintable.sample.strata import STRATUM, Stratum, as_strata, number_strata, population, sort_strata, stratum_number
from traintable.statistics import TargetGroups, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Allocation = Literal["proportional", "equal", "neyman"]
_ALLOCATIONS = ("proportional", "equal", "neyman")
_WHERE = "sample.stratified"


def stratified(
    df: DataFrame,
    by: Sequence[str],
    n: int | Mapping[Any, int] | None = None,
    *,
    ratio: float | None = None,
    allocation: Allocation = "proportional",
    column: str | None = None,
    key: Sequence[str],
    seed: int,
) -> DataFrame:
    """Exactly so many rows from each stratum, each row of a stratum with the same chance (Cochran 1977, chapter 5).

    Parameters
    ----------
    by : the columns whose values make the strata; a null is a value of its own. At most 100,000 strata.
    n : rows in all, or a mapping from stratum to rows. A stratum is a value, or a tuple of the values of `by`, as
        Python gives them or as text; None stands for null. Strata that the mapping leaves out give none.
    ratio : instead of `n`, the share of each stratum, rounded half up (of all rows, unless allocation is proportional).
    allocation : how `n` is shared out. "proportional" to the strata's sizes, by the largest remainder; "equal", small
        strata taken whole; "neyman" with the smallest variance of the mean of `column`, in proportion to size times
        standard deviation, at least one row a stratum.
    column : the number whose mean shall be known best; for "neyman" only. Missing values have no part in it.

    Returns the drawn rows with `inclusion_probability double` added; they depend on the seed and the set of keys alone.
    Raises ConfigError when more rows are asked for than a stratum has; keys that repeat are an error when the rows are
    computed.

    Costs one scan of `by` (and `column`) and one pass; beyond a million drawn rows two more over `by` and the key.

    Examples
    --------
    >>> from traintable import sample
    >>> rows = spark.range(100).selectExpr("id", "IF(id < 10, 'rare', 'common') AS kind")
    >>> drawn = sample.stratified(rows, ["kind"], 6, allocation="equal", key=["id"], seed=7)
    >>> sorted((row.kind, round(row.inclusion_probability, 2)) for row in drawn.collect())[2:4]
    [('common', 0.03), ('rare', 0.3)]
    """
    _require_arguments(df, by, n, ratio, allocation, column, key)
    if allocation == "neyman":
        there, deviations = _deviations(df, by, str(column))
    else:
        there, deviations = population(df, by, where=_WHERE), {}
    if isinstance(n, Mapping):
        sizes = as_strata(df, by, n, where=_WHERE)
        require_enough(sizes, there, where=_WHERE)
    elif ratio is not None and allocation == "proportional":
        sizes = {stratum: share_of(ratio, size) for stratum, size in there.items()}
    else:
        total = sample_size(n, ratio, sum(there.values()), "rows", where=_WHERE)
        sizes = dict(zip(there, _allocate(allocation, there, deviations, total), strict=True))
    return draw_lowest(df, by, sizes, there, key=key, seed=seed, where=_WHERE)


def _allocate(
    allocation: Allocation, there: Mapping[Stratum, int], deviations: Mapping[Stratum, float], n: int
) -> list[int]:
    sizes = list(there.values())
    if allocation == "neyman":
        return allocations.neyman(sizes, [deviations.get(stratum, 0.0) for stratum in there], n)
    return (allocations.equal if allocation == "equal" else allocations.proportional)(sizes, n)


def _deviations(df: DataFrame, by: Sequence[str], column: str) -> tuple[dict[Stratum, int], dict[Stratum, float]]:
    """The sizes of the strata and the standard deviations of `column` in them; one scan."""
    name = by[0] if len(by) == 1 else STRATUM
    rows = df if len(by) == 1 else df.withColumn(STRATUM, stratum_number(by).cast("string"))
    target = TargetGroups(name, column)
    statistics = scan(
        rows.select(*map(quote, {**dict.fromkeys(by), name: None, column: None})),
        Wanted(groups=(tuple(by),), targets=(target,)),
    )
    sizes = sort_strata(statistics.groups[tuple(by)].counts, by, where=_WHERE)
    words = (
        {s: s[0] for s in sizes} if len(by) == 1 else {s: str(k) for s, k in number_strata(df, by, list(sizes)).items()}
    )
    variances = {word: t.variance for word, _, t in statistics.targets[target].totals()}
    spread = {stratum: variances.get(word, 0.0) for stratum, word in words.items()}
    return sizes, {stratum: math.sqrt(v) if v > 0 else 0.0 for stratum, v in spread.items()}


def _require_arguments(
    df: DataFrame, by: Sequence[str], n: object, ratio: object, allocation: str, column: str | None, key: Sequence[str]
) -> None:
    """Raise ConfigError unless the sizes, the allocation and the columns fit together."""
    for stratum, count in n.items() if isinstance(n, Mapping) else ():
        require_count(count, f"n[{stratum!r}]", where=_WHERE)
    require_size(0 if isinstance(n, Mapping) else n, ratio, where=_WHERE)
    require_names(by, "by", where=_WHERE)
    if allocation not in _ALLOCATIONS or (isinstance(n, Mapping) and allocation != "proportional"):
        raise ConfigError(
            where=_WHERE,
            expected=f"allocation as one of {', '.join(_ALLOCATIONS)}, and none with a mapping of counts",
            found=repr(allocation),
            remedy="Correct `allocation`, or leave it out.",
        )
    if (allocation == "neyman") != (column is not None):
        raise ConfigError(
            where=_WHERE,
            expected="`column` with allocation 'neyman', and with no other allocation",
            found=f"allocation={allocation!r}, column={column!r}",
            remedy="With 'neyman', name the number whose mean is to be estimated best; otherwise leave `column` out.",
        )
    require_columns(df, {*by, *key, *([column] if column else [])}, where=_WHERE)
    refuse_sampled(df, where=_WHERE)
