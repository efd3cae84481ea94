"""Chance as a keyed hash: the same row draws the same number on any cluster, in any file, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column

LOWEST, HIGHEST = -(2**63), 2**63 - 1
ROWS = "sample"  # the purpose of all draws of rows without replacement: of one seed, a larger sample holds a smaller


def keyed_hash(key: Sequence[str], *, seed: int, purpose: str) -> Column:
    """A 64-bit number for each row, uniform over all bigints, that depends on (seed, purpose, key) alone.

    Different purposes give independent numbers. A null in the key is a value of its own.
    """
    columns = [column for name in key for column in (F.col(quote(name)).isNull(), F.col(quote(name)))]
    return F.xxhash64(F.lit(seed), F.lit(purpose), *columns)


def share_below(draw: Column) -> Column:
    """The share of all draws that are below `draw`, above 0 and below 1; small shares have all their digits."""
    high = (F.shiftright(draw, 32) + F.lit(2**31)).cast("double")
    low = draw.bitwiseAND(F.lit(2**32 - 1)).cast("double")
    return F.least((high * 2.0**32 + low + 0.5) / 2.0**64, F.lit(1 - 2.0**-53))
