"""What a log of rows comes to by key: the newest row of each, or its history (slowly changing dimensions 1 and 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.config.ingest import CHANGES
from traintable.contract.record_columns import FILE
from traintable.ingest.tables import INTERVAL

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

DELETED = "_deleted"
VALID_FROM, VALID_TO, IS_CURRENT = "_valid_from", "_valid_to", "_is_current"
_PLACE, _GONE, _NEXT, _LAST = "__place", "__gone", "__next", "__last"  # while it is computed


def current_rows(log: DataFrame, key: Sequence[str], order_by: str, deleted: Column | None = None) -> DataFrame:
    """Of each key the newest row, with all columns; where `deleted` is given also `_deleted`, what it says of that row.

    Newer is the greater `order_by` (null is the least), then the greater `_file`, then the greater of the other columns
    in the order of their names: the same row wherever it is computed. Costs one pass, a shuffle and a sort of the log.
    """
    newest = [F.col(quote(name)).desc() for name in _newness(log, order_by)]
    place = F.row_number().over(Window.partitionBy(*_columns(key)).orderBy(*newest))
    rows = log.withColumn(_PLACE, place).where(F.col(_PLACE) == 1).drop(_PLACE)
    return rows if deleted is None else rows.withColumn(DELETED, _is_true(deleted))


def row_history(log: DataFrame, key: Sequence[str], order_by: str, deleted: Column | None = None) -> DataFrame:
    """Of each key its states, with all columns of the row that began each, and until when it held.

    `_valid_from` is the `order_by` of that row and `_valid_to` that of the next state, or of the event that says that
    the key is gone (`deleted`), which makes no row; null with `_is_current`. Rows that say the same as the one before
    them begin no state: all columns count for that but the key, `order_by` and those that say where a row comes from.
    Of rows with one `order_by` only the newest counts, as in `current_rows`. Costs as much as that.
    """
    of_key, time = Window.partitionBy(*_columns(key)), F.col(quote(order_by))
    at = F.struct(time)  # never null itself, so that the last row is the one that nothing follows
    following = F.lead(at).over(of_key.orderBy(*(F.col(quote(name)) for name in _newness(log, order_by))))
    gone = F.lit(False) if deleted is None else _is_true(deleted)
    events = log.withColumns({_GONE: gone, _NEXT: following}).where(~F.col(_NEXT).eqNullSafe(at))
    others = {*key, order_by, FILE, INTERVAL, *CHANGES}
    state = F.struct(_GONE, *_columns([name for name in log.columns if name not in others]))
    turns = events.withColumn(_LAST, F.lag(state).over(of_key.orderBy(time))).where(~F.col(_LAST).eqNullSafe(state))
    bounds = turns.withColumns({VALID_FROM: time, VALID_TO: F.lead(time).over(of_key.orderBy(time))})
    states = bounds.where(~F.col(_GONE)).withColumn(IS_CURRENT, F.col(VALID_TO).isNull())
    return states.drop(_GONE, _NEXT, _LAST)


def _newness(log: DataFrame, order_by: str) -> list[str]:
    """The columns by which rows are newer or older, whatever the order in which the log has got them."""
    first = [name for name in (order_by, FILE, *CHANGES) if name in log.columns]
    return [*dict.fromkeys(first), *sorted(set(log.columns) - set(first))]


def _is_true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _columns(names: Sequence[str]) -> list[Column]:
    return [F.col(quote(name)) for name in names]
