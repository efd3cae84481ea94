"""Chance as a keyed hash: the same row draws the same number on any cluster, in any file, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import Column


def keyed_hash(key: Sequence[str], *, seed: int, purpose: str) -> Column:
    """A 64-bit number for each row, uniform over all bigints, that depends on (seed, purpose, key) alone.

    Different purposes give independent numbers. A null in the key is a value of its own.
    """
    parts = [part for name in key for part in (F.col(quote(name)).isNull(), F.col(quote(name)))]
    return F.xxhash64(F.lit(seed), F.lit(purpose), *parts)
