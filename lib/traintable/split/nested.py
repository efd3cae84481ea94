"""Folds within folds: the inner ones choose, the outer ones judge what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.sample.draw import keyed_hash
from traintable.sample.strata import Stratum, population
from traintable.split.folds import even_sizes, is_train, require_folds
from traintable.split.grouped import with_group_run
from traintable.split.run_numbers import RUN, with_run_number
from traintable.split.stratified import rows_text, too_few_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "split.nested"


def nested(
    df: DataFrame,
    outer: int,
    inner: int,
    *,
    key: Sequence[str],
    by: Sequence[str] = (),
    group: Sequence[str] = (),
    seed: int = 0,
    names: tuple[str, str] = ("outer_fold", "inner_fold"),
    min_rows: int = 1,
) -> DataFrame:
    """Add outer folds 0 to `outer` - 1 and inner folds 0 to `inner` - 1, which are even in each outer training set.

    For each outer fold o, the rows of the others are trained on, and within them the inner folds choose: one column of
    inner folds serves all outer folds (Cawley and Talbot, "On over-fitting in model selection", JMLR 11, 2010). A
    stratum of `by` is divided over the outer folds, and over the inner folds, to within a row, and over the inner folds
    of each outer training set to within two. With `group` no group is in two outer or two inner folds, and sizes and
    shares are as near as whole groups allow. Null for rows whose `split` is not train; all rows are kept.

    Raises ConfigError where an outer fold, or an inner fold of an outer training set, would have fewer than `min_rows`
    rows of a stratum (0 permits it). Costs what `stratified_k_fold` does, or with `group` what
    `stratified_group_k_fold` does.

    Examples
    --------
    >>> from traintable import split
    >>> rows = split.nested(spark.range(8), 2, 2, key=["id"], seed=7)
    >>> sorted((row.outer_fold, row.inner_fold) for row in rows.collect())
    [(0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 0), (1, 1), (1, 1)]
    """
    for n in (outer, inner):
        require_folds(df, n, set(names), {*key, *by, *group}, where=_WHERE)
    require_folds(df, outer * inner, set(names), set(), where=f"{_WHERE}, outer * inner")
    among = is_train(df)
    if group:
        shares = [Fraction(1, outer * inner)] * (outer * inner)
        numbered = with_group_run(
            df,
            group,
            by,
            shares,
            seed=seed,
            purpose="nested fold",
            where=_WHERE,
            min_rows=min_rows,
            together=_fold_sets(outer, inner),
            among=among,
        )
    else:
        sizes = population(df if among is None else df.where(among), by, where=_WHERE)
        cells = _cells(sizes, outer, inner)
        _require_rows(sizes, cells, by, outer, inner, min_rows)
        draw = keyed_hash(key, seed=seed, purpose="nested fold")
        numbered = with_run_number(df, by, cells, key=key, draw=draw, where=_WHERE, among=among)
    fold = {names[0]: F.floor(F.col(RUN) / inner).cast("int"), names[1]: F.col(RUN) % inner}
    return numbered.withColumns(fold).drop(RUN)


def _cells(population: Mapping[Stratum, int], outer: int, inner: int) -> dict[Stratum, list[int]]:
    """The rows of each stratum in each pair of folds, the outer fold's first.

    Rows that remain go to those inner folds that have fewest of the stratum, and of these to where the outer fold has
    fewest of all strata.
    """
    totals = [[0] * inner for _ in range(outer)]
    cells: dict[Stratum, list[int]] = {}
    for stratum, sizes in even_sizes(population, outer).items():
        own = [0] * inner
        cells[stratum] = []
        for o, rows in enumerate(sizes):
            every, remaining = divmod(rows, inner)
            first = sorted(range(inner), key=lambda i: (own[i], totals[o][i], i))[:remaining]
            fold_sizes = [every + (i in first) for i in range(inner)]
            own = [a + b for a, b in zip(own, fold_sizes, strict=True)]
            totals[o] = [a + b for a, b in zip(totals[o], fold_sizes, strict=True)]
            cells[stratum] += fold_sizes
    return cells


def _fold_sets(outer: int, inner: int) -> list[list[int]]:
    """The sets of pairs of folds that need rows: each outer fold, and each inner fold of each outer training set."""
    folds = [[o * inner + i for i in range(inner)] for o in range(outer)]
    return folds + [
        [other * inner + i for other in range(outer) if other != o] for o in range(outer) for i in range(inner)
    ]


def _require_rows(
    population: Mapping[Stratum, int],
    cells: Mapping[Stratum, Sequence[int]],
    by: Sequence[str],
    outer: int,
    inner: int,
    min_rows: int,
) -> None:
    """Raise ConfigError for strata of which an outer fold, or an inner one of an outer training set, has too few."""
    needed = _fold_sets(outer, inner)
    few = {
        s: population[s] for s, rows in cells.items() if min(sum(rows[i] for i in some) for some in needed) < min_rows
    }
    if few:
        each = f"each of {outer} outer folds, and {inner} inner ones in the rest of them, {rows_text(min_rows)}"
        raise too_few_rows(few, by, where=_WHERE, expected=f"strata that give {each}")
