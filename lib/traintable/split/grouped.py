"""Split whole groups so that all splits have the same shares of classes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from traintable.columns import SPLIT, quote, require_columns
from traintable.errors import ConfigError
from traintable.sample.draw import keyed_hash
from traintable.sample.strata import Stratum
from traintable.split import ratios as ratio
from traintable.split.allotment import Ints, allot
from traintable.split.run_numbers import RUN, with_run_number
from traintable.split.stratified import rows_text

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

MAX_KINDS = 100_000
MAX_COUNTS = 10_000_000
_KIND, _CLASS, _ROWS = "__kind", "__class", "__rows"


def stratified_by_group(
    df: DataFrame,
    by: Sequence[str],
    label: str,
    ratios: Mapping[str, float],
    *,
    seed: int,
    min_rows: int = 1,
) -> DataFrame:
    """Add `split` so that no group of `by` has rows in two splits, and all have about the same shares of classes.

    Groups with the same number of rows of each class are interchangeable: how many of them each split gets is decided
    greedily, as sklearn.model_selection.StratifiedGroupKFold does it for folds, and which of them by a hash of
    (seed, values of `by`); so the seed decides nothing of a group that is like no other. Shares and sizes are as near
    to `ratios` as whole groups allow a greedy search. The result depends on the seed and the rows, not on partitions or
    order; as groups are added, others may change their split. A null is a value of its own among groups and classes:
    rows without a group are one group. Rows are kept.

    Raises ConfigError where a split would have fewer than `min_rows` rows of a class (0 permits it), and when groups
    have more than 100,000 different counts of classes, or ten million with all their classes.

    Costs four passes over `by` and `label`, which count the rows of each group, and a join of the rows with the groups.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(8).selectExpr("id DIV 2 AS person", "id % 4 < 2 AS answer")
    >>> rows = split.stratified_by_group(rows, ["person"], "answer", {"train": 0.5, "test": 0.5}, seed=7)
    >>> sorted(row.answer for row in rows.collect() if row.split == "train")
    [False, False, True, True]
    """
    where = "split.stratified_group"
    shares = ratio.exact_ratios(ratios, where=where)
    require_columns(df, {*by, label}, where=where)
    placed = with_group_run(
        df, by, [label], list(shares.values()), seed=seed, purpose="split", where=where, min_rows=min_rows
    )
    split = F.element_at(F.array(*map(F.lit, shares)), F.col(RUN) + 1)
    return placed.withColumn(SPLIT, split).drop(RUN)


def with_group_run(
    df: DataFrame,
    by: Sequence[str],
    label: Sequence[str],
    shares: Sequence[Fraction],
    *,
    seed: int,
    purpose: str,
    where: str,
    min_rows: int,
    together: Sequence[Sequence[int]] = (),
    among: Column | None = None,
) -> DataFrame:
    """Add `__run int`, the number of the split (or fold) that a row's group goes to; null for rows `among` excludes.

    Without `label` the sizes of splits are balanced, with it also the classes, which are its combinations of values.
    Each split needs `min_rows` rows of each class, or each of the sets of splits in `together`.
    """
    groups = _kinds(df if among is None else df.where(among), by, label)
    classes, kinds, vectors, n_groups = _count_kinds(groups, where)
    if not kinds:
        return df.withColumn(RUN, F.lit(None).cast("int"))
    dealt = allot(vectors, n_groups, shares)
    split_sizes = dealt.T @ vectors  # rows of each class in each split
    _require_rows(
        classes, [split_sizes[list(some)].sum(axis=0) for some in together] or list(split_sizes), label, where, min_rows
    )
    sizes: dict[Stratum, list[int]] = {(kind,): runs.tolist() for kind, runs in zip(kinds, dealt, strict=True)}
    draw = keyed_hash(by, seed=seed, purpose=purpose)
    numbered = with_run_number(groups, [_KIND], sizes, key=by, draw=draw, where=where)
    names = {name: f"__group_{i}" for i, name in enumerate(by)}
    numbered = numbered.select(*[F.col(quote(name)).alias(new) for name, new in names.items()], RUN)
    same = [F.col(quote(name)).eqNullSafe(F.col(new)) for name, new in names.items()]
    joined = df.join(numbered, same, "left").drop(*names.values())
    return joined if among is None else joined.withColumn(RUN, F.when(among, F.col(RUN)))


def _kinds(df: DataFrame, by: Sequence[str], label: Sequence[str]) -> DataFrame:
    """Each group with its kind: the rows of each class as JSON text."""
    classes = F.to_json(F.array(*[F.col(quote(name)).cast("string") for name in label])) if label else F.lit("[]")
    counts = df.groupBy(*map(quote, by), classes.alias(_CLASS)).agg(F.count("*").alias(_ROWS))
    kind = F.to_json(F.sort_array(F.collect_list(F.struct(_CLASS, _ROWS))))
    return counts.groupBy(*map(quote, by)).agg(kind.alias(_KIND))


def _count_kinds(groups: DataFrame, where: str) -> tuple[list[str], list[str], Ints, Ints]:
    """Classes, kinds of groups, rows of each class in a group of a kind, and groups of each kind."""
    table = groups.groupBy(_KIND).count().limit(MAX_KINDS + 1).toArrow().sort_by(_KIND)
    kinds = table.column(_KIND).to_pylist()
    if len(kinds) > MAX_KINDS:
        raise ConfigError(
            where=where,
            expected=f"groups with at most {MAX_KINDS:,} different counts of classes",
            found="more",
            remedy="Split by a hash of the group (`by_group`): so many different groups balance by themselves.",
        )
    counts_of = [{count[_CLASS]: count[_ROWS] for count in json.loads(kind)} for kind in kinds]
    classes = sorted({name for counts in counts_of for name in counts})
    if len(kinds) * len(classes) > MAX_COUNTS:
        raise ConfigError(
            where=where,
            expected=f"at most {MAX_COUNTS:,} counts of classes in different groups",
            found=f"{len(classes):,} classes in {len(kinds):,} different groups",
            remedy="Merge rare classes.",
        )
    index = {name: i for i, name in enumerate(classes)}
    vectors = np.zeros((len(kinds), len(classes)), np.int64)
    for i, counts in enumerate(counts_of):
        for name, n in counts.items():
            vectors[i, index[name]] = n
    return classes, kinds, vectors, np.asarray(table.column("count"), dtype=np.int64)


def _require_rows(
    classes: Sequence[str], split_sizes: Sequence[Ints], label: Sequence[str], where: str, min_rows: int
) -> None:
    """Raise ConfigError where a split, or a set of them, has fewer than `min_rows` rows of a class."""
    least = np.min(split_sizes, axis=0).tolist()
    few = [f"{n} of {', '.join(label)} {name}" for name, n in zip(classes, least, strict=True) if n < min_rows]
    if not few:
        return
    more = f" and {len(few) - 5:,} more" if len(few) > 5 else ""
    raise ConfigError(
        where=where,
        expected=f"groups that give each of {len(split_sizes)} splits or folds {rows_text(min_rows)}"
        + (f" of each class of {', '.join(label)}" if label else ""),
        found=f"one with {'; '.join(few[:5])}{more}" if label else "fewer groups",
        remedy="Take smaller groups, merge rare classes, ask for fewer folds, or permit it with `min_rows=0`.",
    )
