"""Keys that are unique: without them a draw could not be the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from traintable.columns import quote, require_columns
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, WindowSpec

_REMEDY = "Name all columns that make up the key, or remove the repeated rows."


def require_unique(df: DataFrame, key: Sequence[str], *, where: str = "key") -> None:
    """Raise ConfigError when two rows have the same key, with up to 3 of these keys and how often they occur.

    A null is a value of its own. Costs one shuffle of the key columns.

    Examples
    --------
    >>> from traintable.sample import require_unique
    >>> rows = spark.createDataFrame([(1, "a"), (1, "b"), (2, "a")], "id int, line string")
    >>> require_unique(rows, ["id", "line"])
    >>> require_unique(rows, ["id"])
    Traceback (most recent call last):
    ...
    traintable.errors.ConfigError: key: expected rows that differ in id, found (1,) 2 times. ...
    """
    require_columns(df, set(key), where=where)
    shown = _repeated_keys(df, key)
    if shown:
        raise _error(key, shown, _REMEDY, where)


def not_unique_error(df: DataFrame, key: Sequence[str], *, where: str) -> ConfigError:
    """The error where two rows have drawn the same number; costs one shuffle of the key columns."""
    shown = _repeated_keys(df, key)
    if shown:
        return _error(key, shown, _REMEDY, where)
    return _error(key, "two rows whose different keys have the same 64-bit hash", "Take another seed.", where)


def is_repeat(key: Sequence[str], order: WindowSpec) -> Column:
    """Whether a row has the key of the row before it; `order` sorts by something that rows of one key share."""
    from pyspark.sql import functions as F

    same = (F.lag(column).over(order).eqNullSafe(column) for column in _columns(key))
    return reduce(and_, same, F.row_number().over(order) > 1)


def repeat_error(key: Sequence[str], *, where: str) -> Column:
    """An expression that stops the computation and shows the key of the row, which occurs more than once."""
    from pyspark.sql import functions as F

    text = f"{where}: expected rows that differ in {', '.join(key)}, found "
    return F.raise_error(F.concat(F.lit(text), key_as_json(key), F.lit(f" more than once. {_REMEDY}")))


def key_as_json(key: Sequence[str]) -> Column:
    """The key of a row as JSON text, for messages."""
    from pyspark.sql import functions as F

    return F.to_json(F.struct(*_columns(key)), {"ignoreNullFields": "false"})


def _columns(key: Sequence[str]) -> list[Column]:
    from pyspark.sql import functions as F

    return [F.col(quote(name)) for name in key]


def _repeated_keys(df: DataFrame, key: Sequence[str]) -> str:
    several = df.groupBy(*_columns(key)).count().where("count > 1").limit(3).collect()
    return "; ".join(f"{tuple(row)[:-1]} {tuple(row)[-1]} times" for row in several)


def _error(key: Sequence[str], found: str, remedy: str, where: str) -> ConfigError:
    return ConfigError(where=where, expected=f"rows that differ in {', '.join(key)}", found=found, remedy=remedy)
