"""A test set that is drawn once: later versions of a table keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import SPLIT, TEST, TRAIN, quote, refuse_taken, require_columns
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FROZEN_GROUP, NEW_TEST = "frozen_group", "new_test"
_WHERE = "split.frozen_test"
_FROZEN, _TOUCHED = "__frozen", "__touched"


def keep_test(
    df: DataFrame,
    previous: DataFrame,
    *,
    key: Sequence[str],
    otherwise: str | None = TRAIN,
    group: Sequence[str] = (),
    reason: str | None = None,
) -> DataFrame:
    """Change `split` so that test is made of those rows that are test in `previous`, and of no others.

    `previous` has `key` and `split`: an earlier version of the training table. A row whose key is in its test is test,
    whatever the split says now; what the split puts into test besides goes to `otherwise`, which is train, validation,
    or None for no split. After a split by time only None is honest: with train, the model would learn from rows that
    are later than those it is tested on. With `group`, other rows of a group that has a row in test go to no split, so
    that no group is on two sides. `reason` names a column to add that says why a row has lost its split: "frozen_group"
    or "new_test". Rows are kept; those that have vanished are counted by `missing_test`.

    Costs a join with the keys of the earlier test set, and with `group` one more pass and a join with its groups.

    Examples
    --------
    >>> from traintable import split
    >>> earlier = spark.createDataFrame([(1, "test"), (2, "train")], "id int, split string")
    >>> rows = spark.createDataFrame([(1, "train"), (2, "train"), (3, "test")], "id int, split string")
    >>> sorted((row.id, row.split) for row in split.keep_test(rows, earlier, key=["id"]).collect())
    [(1, 'test'), (2, 'train'), (3, 'train')]
    """
    require_columns(df, {*key, *group, SPLIT}, where=_WHERE)
    _require_same_key(df, previous, key)
    if otherwise == TEST:
        raise ConfigError(
            where=f"{_WHERE}.otherwise",
            expected="'train', 'validation' or None",
            found=f"'{TEST}'",
            remedy="Say where rows go that would otherwise be new in test.",
        )
    marked = _with_mark(df, _test_keys(previous, key), key, _FROZEN)
    touched: Column = F.lit(False)
    if group:
        groups = marked.where(_FROZEN).select(*map(quote, group)).distinct()
        marked = _with_mark(marked, groups, group, _TOUCHED)
        touched = F.col(_TOUCHED)
    is_new = F.coalesce(F.col(SPLIT) == TEST, F.lit(False))
    split = (
        F.when(F.col(_FROZEN), F.lit(TEST))
        .when(touched, F.lit(None).cast("string"))
        .when(is_new, F.lit(otherwise).cast("string"))
        .otherwise(F.col(SPLIT))
    )
    if reason is not None:
        refuse_taken(df, {reason}, where=_WHERE)
        lost = F.when(touched, F.lit(FROZEN_GROUP)).when(is_new & F.lit(otherwise is None), F.lit(NEW_TEST))
        marked = marked.withColumn(reason, F.when(~F.col(_FROZEN) & F.col(SPLIT).isNotNull(), lost))
    return marked.withColumn(SPLIT, split).drop(_FROZEN, _TOUCHED)


def missing_test(df: DataFrame, previous: DataFrame, *, key: Sequence[str]) -> tuple[int, int]:
    """How many keys the test set of `previous` has, and how many of them no row of `df` has; one join.

    Examples
    --------
    >>> from traintable import split
    >>> earlier = spark.createDataFrame([(1, "test"), (2, "test"), (3, "train")], "id int, split string")
    >>> split.missing_test(spark.createDataFrame([(2,)], "id int"), earlier, key=["id"])
    (2, 1)
    """
    require_columns(df, set(key), where=_WHERE)
    _require_same_key(df, previous, key)
    marked = _with_mark(_test_keys(previous, key), df.select(*map(quote, key)).distinct(), key, _FROZEN)
    row = marked.agg(F.count("*").alias("n"), F.count(F.when(~F.col(_FROZEN), 1)).alias("missing")).collect()[0]
    return int(row["n"]), int(row["missing"])


def _test_keys(previous: DataFrame, key: Sequence[str]) -> DataFrame:
    return previous.where(F.col(SPLIT) == TEST).select(*map(quote, key)).distinct()


def _with_mark(df: DataFrame, keys: DataFrame, key: Sequence[str], mark: str) -> DataFrame:
    """Add whether a row's key is among the keys, which are all different; a null is a value."""
    names = {name: f"__key_{i}" for i, name in enumerate(key)}
    renamed = keys.select(*[F.col(quote(name)).alias(new) for name, new in names.items()], F.lit(True).alias(mark))
    same = [F.col(quote(name)).eqNullSafe(F.col(new)) for name, new in names.items()]
    joined = df.join(renamed, same, "left").drop(*names.values())
    return joined.withColumn(mark, F.coalesce(F.col(mark), F.lit(False)))


def _require_same_key(df: DataFrame, previous: DataFrame, key: Sequence[str]) -> None:
    """Raise ConfigError unless both have the key, of the same types."""
    require_columns(previous, {*key, SPLIT}, where=f"{_WHERE}, the earlier version")
    for name in key:
        now, then = df.schema[name].dataType.simpleString(), previous.schema[name].dataType.simpleString()
        if now != then:
            raise ConfigError(
                where=f"{_WHERE}, column '{name}'",
                expected=f"the type that it has in the earlier version, {then}",
                found=now,
                remedy="Declare its `type` in `columns`, or freeze the test set of another version.",
            )
