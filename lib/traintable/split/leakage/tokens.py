"""Rows as sets of tokens, 64-bit hashes: of a text its runs of words, of a row its (column, value) pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.split.leakage.examined_table import marked

if TYPE_CHECKING:
    from pyspark.sql import Column


def pairs(names: Sequence[str]) -> Column:
    """The hash of each of these columns' values, in their order; null is a value."""
    return F.array(*[F.xxhash64(F.lit(i), *marked([name])) for i, name in enumerate(names)])
