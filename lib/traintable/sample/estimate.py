"""What a sample says of the rows that it was drawn from, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError
from traintable.sample.lowest import PROBABILITY
from traintable.sample.strata import MAX_STRATA

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Statistic = Literal["mean", "total", "share"]
_STATISTICS = ("mean", "total", "share")
_WHERE = "sample.estimate"


@dataclass(frozen=True)
class Estimate:
    """An estimate, its standard error, its confidence interval from `low` to `high`, and the rows it is made of."""

    value: float
    standard_error: float
    low: float
    high: float
    n: int


def estimate(
    sample: DataFrame,
    column: str,
    *,
    statistic: Statistic = "mean",
    value: Any = None,
    strata: Sequence[str] = (),
    clusters: Sequence[str] = (),
    given_ranks: bool = False,
    confidence: float = 0.95,
) -> Estimate:
    """Estimate a mean, a total or a share of the population from a sample with `inclusion_probability`.

    Parameters
    ----------
    column : the number to estimate the mean or total of; rows in which it is null or NaN are ignored. For
        "share", the column of which `value` is looked for.
    value : for "share": the share of all rows that have this value (None: null).
    strata : the columns by which the sample was stratified.
    clusters : the columns whose groups were drawn, for samples of `cluster` and `two_stage`; also the file, for
        samples of `from_files`.
    given_ranks : whether the probabilities are those of `reservoir`, `weighted` or `by_bytes`, which are conditional
        on the ranks of the other rows and so independent of each other.
    confidence : the share of samples whose interval holds the true value.

    A total is that of Horvitz and Thompson (1952), a mean or share the ratio of two such totals (Hajek). The variance
    is that of the linearised statistic between the clusters (or rows) of each stratum, with the correction of Hajek
    (1964) for finite populations, (1 - p), which is Cochran's (1 - n/N) where all probabilities are equal; see Cochran,
    "Sampling techniques" (1977), and Särndal, Swensson and Wretman, "Model assisted survey sampling" (1992). Clusters
    that were sampled in turn count as wholes, which makes the interval a little too wide. Quantiles are those of
    Student's t with (clusters - strata) degrees of freedom. NaN where nothing is known.

    Costs one aggregate of the sample. Raises ConfigError when a stratum has one row (or cluster) of several, for one
    does not show how much they differ.

    Examples
    --------
    >>> from traintable import sample
    >>> drawn = sample.simple(spark.range(1000), 50, key=["id"], seed=7)
    >>> mean = sample.estimate(drawn, "id")
    >>> mean.low < 499.5 < mean.high, mean.n
    (True, 50)
    """
    _require_arguments(sample, column, statistic, value, strata, clusters, confidence)
    sums = sums_by_stratum(sample, column, statistic=statistic, value=value, strata=strata, clusters=clusters)
    return estimate_from_sums([s for _, s in sums], statistic, given_ranks=given_ranks, confidence=confidence)


@dataclass(frozen=True)
class StratumSums:
    """Sums over the clusters of a stratum: of a = sum(y/p), b = sum(1/p), and q = 1 - p with their products."""

    rows: int
    units: int
    a: float
    b: float
    q: float
    qa: float
    qb: float
    qaa: float
    qab: float
    qbb: float

    def variance(self, theta: float, *, given_ranks: bool) -> float:
        """The variance of a - theta b."""
        square = max(0.0, self.qaa - 2 * theta * self.qab + theta * theta * self.qbb)
        if self.q <= 0 or (given_ranks and not theta):
            return square
        if self.units < 2:
            return math.nan
        centre = 0.0 if given_ranks else (self.qa - theta * self.qb) ** 2 / self.q
        return max(0.0, square - centre) * self.units / (self.units - 1)


def sums_by_stratum(
    sample: DataFrame,
    column: str,
    *,
    statistic: Statistic,
    value: Any = None,
    strata: Sequence[str] = (),
    clusters: Sequence[str] = (),
) -> list[tuple[tuple[Any, ...], StratumSums]]:
    """The values of each stratum and its sums; one aggregate."""
    from pyspark.sql import functions as F

    p, names = F.col(PROBABILITY), [f"s{i}" for i in range(len(strata))]
    y, counted = _measure(column, statistic, value)
    units = sample.select(
        *[F.col(quote(name)).alias(alias) for name, alias in zip(strata, names, strict=True)],
        *[F.col(quote(name)).alias(f"c{i}") for i, name in enumerate(clusters)],
        F.when(counted, y / p).otherwise(0.0).alias("a"),
        F.when(counted, 1 / p).otherwise(0.0).alias("b"),
        (1 - p).alias("q"),
        F.lit(1).alias("rows"),
    )
    if clusters:
        sums = [F.sum(name).alias(name) for name in ("a", "b", "rows")]
        units = units.groupBy(*names, *[f"c{i}" for i in range(len(clusters))]).agg(*sums, F.min("q").alias("q"))
    terms = {"rows": "rows", "units": "1", **{name: name for name in ("a", "b", "q")}}
    terms |= {"qa": "q * a", "qb": "q * b", "qaa": "q * a * a", "qab": "q * a * b", "qbb": "q * b * b"}
    sums_of = units.groupBy(*names).agg(*[F.sum(F.expr(term)).alias(name) for name, term in terms.items()])
    rows = sums_of.limit(MAX_STRATA + 1).collect()
    if len(rows) > MAX_STRATA:
        raise ConfigError(
            where=_WHERE,
            expected=f"at most {MAX_STRATA:,} strata",
            found="more",
            remedy="Name the columns by which the sample was stratified, not a key.",
        )
    return [
        (
            tuple(row[name] for name in names),
            StratumSums(**{field.name: row[field.name] for field in fields(StratumSums)}),
        )
        for row in rows
        if row["units"]
    ]


def estimate_from_sums(
    strata: Iterable[StratumSums], statistic: Statistic, *, given_ranks: bool = False, confidence: float = 0.95
) -> Estimate:
    """The estimate that the sums of all strata make."""
    from scipy.stats import t  # type: ignore[import-untyped]

    strata = list(strata)
    rows, units = sum(s.rows for s in strata), sum(s.units for s in strata)
    a, b = math.fsum(s.a for s in strata), math.fsum(s.b for s in strata)
    if not units or (statistic != "total" and not b):
        return Estimate(math.nan, math.nan, math.nan, math.nan, rows)
    theta, scale = (0.0, 1.0) if statistic == "total" else (a / b, b)
    variances = [s.variance(theta, given_ranks=given_ranks) for s in strata]
    if any(map(math.isnan, variances)):
        raise ConfigError(
            where=_WHERE,
            expected="at least two rows, or clusters, of each stratum that was not taken whole",
            found=f"{sum(map(math.isnan, variances)):,} strata with only one",
            remedy="Draw at least 2 from each stratum, or name coarser strata, which widens the interval.",
        )
    error = math.sqrt(math.fsum(variances)) / scale
    value = a if statistic == "total" else theta
    freedom = max(1, units - (1 if given_ranks else len(strata)))
    reach = float(t.ppf((1 + confidence) / 2, freedom)) * error
    low, high = value - reach, value + reach
    if statistic == "share":
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(value, error, low, high, rows)


def _measure(column: str, statistic: Statistic, value: Any) -> tuple[Column, Column]:
    """The number of a row, and whether the row counts."""
    from pyspark.sql import functions as F

    given = F.col(quote(column))
    if statistic == "share":
        return given.eqNullSafe(F.lit(value)).cast("double"), F.lit(True)
    y = given.cast("double")
    return y, y.isNotNull() & ~F.isnan(y)


def _require_arguments(
    sample: DataFrame,
    column: str,
    statistic: str,
    value: Any,
    strata: Sequence[str],
    clusters: Sequence[str],
    confidence: float,
) -> None:
    """Raise ConfigError unless the columns, the probability, the statistic and the confidence can be used."""
    require_columns(sample, {column, *strata, *clusters}, where=_WHERE)
    if PROBABILITY not in sample.columns:
        raise ConfigError(
            where=_WHERE,
            expected=f"a sample with a column '{PROBABILITY}'",
            found="rows without one",
            remedy="Pass the rows as a function of `traintable.sample` returned them.",
        )
    if statistic not in _STATISTICS or (statistic != "share" and value is not None):
        raise ConfigError(
            where=_WHERE,
            expected=f"statistic as one of {', '.join(_STATISTICS)}, and `value` only with 'share'",
            found=f"statistic={statistic!r}, value={value!r}",
            remedy="Correct `statistic`, or leave `value` out.",
        )
    if not 0 < confidence < 1:
        raise ConfigError(
            where=_WHERE, expected="confidence between 0 and 1", found=repr(confidence), remedy="0.95 is usual."
        )
