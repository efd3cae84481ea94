"""Folds of train, for what must be learned of a row from other rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TRAIN, refuse_taken, require_columns
from traintable.errors import ConfigError
from traintable.sample.draw import keyed_hash
from traintable.sample.strata import Stratum, population
from traintable.split.grouped import with_group_run
from traintable.split.run_numbers import RUN, with_run_number
from traintable.split.stratified import rows_text, too_few_rows

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

MAX_FOLDS = 100


def k_fold(df: DataFrame, n: int, *, key: Sequence[str], seed: int = 0, name: str = "fold") -> DataFrame:
    """Add a column of folds 0 to n - 1, null for rows whose `split` is not train; no rows change, no pass.

    A row's fold depends on (seed, key) alone, so it is the same on any cluster and stays as rows are added; the folds
    are of about equal size. Rows without a column `split` all count as train. `pyspark.ml.tuning.CrossValidator` takes
    the rows of train with the column's name as `foldCol` and `n` as `numFolds`.

    Examples
    --------
    >>> from traintable import split
    >>> rows = split.k_fold(spark.range(6), 3, key=["id"], seed=7)
    >>> [row.fold for row in rows.orderBy("id").collect()]
    [2, 2, 0, 1, 2, 2]
    """
    require_folds(df, n, {name}, set(key), where="split.k_fold")
    fold = F.pmod(keyed_hash(key, seed=seed, purpose="fold"), F.lit(n)).cast("int")
    among = is_train(df)
    return df.withColumn(name, fold if among is None else F.when(among, fold))


def stratified_k_fold(
    df: DataFrame,
    by: Sequence[str],
    n: int,
    *,
    key: Sequence[str],
    seed: int = 0,
    name: str = "fold",
    min_rows: int = 1,
) -> DataFrame:
    """Add a column of folds 0 to n - 1, in which each stratum of `by` is divided as evenly as whole rows can be.

    A stratum's folds differ by at most one row, and so do the folds of all rows: the rows that remain of each stratum
    go to the folds after those where the stratum before it left off. Sizes are those of
    sklearn.model_selection.StratifiedKFold; which rows is decided by a hash of (seed, key). A null is a stratum of its
    own. Null for rows whose `split` is not train; all rows are kept.

    Raises ConfigError for strata that leave a fold with fewer than `min_rows` rows (0 permits it). Costs three narrow
    passes; no row is moved.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(8).selectExpr("id", "IF(id % 2 = 0, 'yes', 'no') AS answer")
    >>> rows = split.stratified_k_fold(rows, ["answer"], 2, key=["id"], seed=7)
    >>> sorted((row.fold, row.answer) for row in rows.collect())
    [(0, 'no'), (0, 'no'), (0, 'yes'), (0, 'yes'), (1, 'no'), (1, 'no'), (1, 'yes'), (1, 'yes')]
    """
    where = "split.stratified_k_fold"
    require_folds(df, n, {name}, {*by, *key}, where=where)
    among = is_train(df)
    sizes = population(df if among is None else df.where(among), by, where=where)
    few = {stratum: rows for stratum, rows in sizes.items() if rows // n < min_rows}
    if few:
        raise too_few_rows(
            few, by, where=where, expected=f"strata of at least {rows_text(n * min_rows)}, for {n} folds"
        )
    draw = keyed_hash(key, seed=seed, purpose="fold")
    numbered = with_run_number(df, by, even_sizes(sizes, n), key=key, draw=draw, where=where, among=among)
    return numbered.withColumnRenamed(RUN, name)


def even_sizes(population: Mapping[Stratum, int], n: int) -> dict[Stratum, list[int]]:
    """The rows of each stratum in each of n folds: nearly equal in the stratum, and over all strata together."""
    sizes: dict[Stratum, list[int]] = {}
    first = 0  # the fold that gets the next row that remains
    for stratum, rows in population.items():
        every, remaining = divmod(rows, n)
        sizes[stratum] = [every + ((fold - first) % n < remaining) for fold in range(n)]
        first = (first + remaining) % n
    return sizes


def group_k_fold(df: DataFrame, by: Sequence[str], n: int, *, seed: int = 0, name: str = "fold") -> DataFrame:
    """Add a column of folds 0 to n - 1 of about equal size, no group of `by` being in two.

    Groups go from the largest to the smallest into the fold that has fewest rows, as sklearn.model_selection.GroupKFold
    deals them out; which of the groups of one size is decided by a hash of (seed, values of `by`). All rows without a
    group are one group. Null for rows whose `split` is not train; all rows are kept.

    Raises ConfigError when there are fewer groups than folds. Costs four passes over `by`, and a join of the rows with
    the groups.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(6).selectExpr("id DIV 2 AS person")
    >>> rows = split.group_k_fold(rows, ["person"], 3, seed=7)
    >>> sorted((row.person, row.fold) for row in rows.collect())
    [(0, 0), (0, 0), (1, 2), (1, 2), (2, 1), (2, 1)]
    """
    return _fold_groups(df, by, [], n, seed=seed, name=name, min_rows=1, where="split.group_k_fold")


def stratified_group_k_fold(
    df: DataFrame,
    by: Sequence[str],
    label: str,
    n: int,
    *,
    seed: int = 0,
    name: str = "fold",
    min_rows: int = 1,
) -> DataFrame:
    """Add a column of folds 0 to n - 1 with about the same shares of classes, no group of `by` being in two.

    Groups are dealt out as in `stratified_by_group`. Null for rows whose `split` is not train; all rows are kept.

    Raises ConfigError where a fold would have fewer than `min_rows` rows of a class (0 permits it). Costs four passes
    over `by` and `label`, and a join of the rows with the groups.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(8).selectExpr("id DIV 2 AS person", "id % 4 < 2 AS answer")
    >>> rows = split.stratified_group_k_fold(rows, ["person"], "answer", 2, seed=7)
    >>> sorted(row.answer for row in rows.collect() if row.fold == 0)
    [False, False, True, True]
    """
    where = "split.stratified_group_k_fold"
    return _fold_groups(df, by, [label], n, seed=seed, name=name, min_rows=min_rows, where=where)


def _fold_groups(
    df: DataFrame, by: Sequence[str], label: Sequence[str], n: int, *, seed: int, name: str, min_rows: int, where: str
) -> DataFrame:
    require_folds(df, n, {name}, {*by, *label}, where=where)
    shares = [Fraction(1, n)] * n
    among = is_train(df)
    numbered = with_group_run(
        df, by, label, shares, seed=seed, purpose="fold", where=where, min_rows=min_rows, among=among
    )
    return numbered.withColumnRenamed(RUN, name)


def is_train(df: DataFrame) -> Column | None:
    """The condition for a row of train; None when rows have no `split`, for then all are."""
    return F.coalesce(F.col(SPLIT) == TRAIN, F.lit(False)) if SPLIT in df.columns else None


def require_folds(df: DataFrame, n: int, names: set[str], used: set[str], *, where: str) -> None:
    """Raise ConfigError unless there are to be 2 to 100 folds, `df` has the columns `used`, and `names` are free."""
    if not 2 <= n <= MAX_FOLDS:
        raise ConfigError(
            where=where,
            expected=f"2 to {MAX_FOLDS} folds",
            found=f"{n}",
            remedy="Take 5 or 10, as is usual.",
        )
    require_columns(df, used, where=where)
    refuse_taken(df, names, where=where)
