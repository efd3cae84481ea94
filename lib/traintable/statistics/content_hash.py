"""A hash of a set of rows that does not depend on their order, files or partitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLIT, quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LANES = ("hash_lane_1", "hash_lane_2")
_DIGIT_BITS, _N_DIGITS = 21, 3


def row_hashes(names: Sequence[str]) -> dict[str, Column]:
    """Two 64-bit hashes of each row over the columns `names` in the order of their names, nulls marked."""
    from pyspark.sql import functions as F

    parts = [part for name in sorted(names) for part in (F.col(quote(name)).isNull(), F.col(quote(name)))]
    return {lane: F.xxhash64(F.lit(lane), *parts) for lane in LANES}


def content_hash(df: DataFrame, *, hashed: DataFrame | None = None) -> tuple[str, dict[str, int]]:
    """The hash of the rows of a training table, and the number of rows in each split; one pass.

    The hashes of the rows are added as whole numbers without rounding, which no order of rows changes; the sums, the
    row count and the schema make the hash. A row that occurs twice counts twice. It guards against mistakes, not
    against a forger (the sum of hashes is that of Bellare and Micciancio, "A new paradigm for collision-free hashing",
    1997, here with a hash that has no key). `hashed` has `split` and the hashes of the rows of `df`, where they have
    been computed already.
    """
    from pyspark.sql import functions as F

    rows = hashed if hashed is not None else df.withColumns(row_hashes(df.columns))
    sums = [F.sum(F.col(lane).cast("decimal(38,0)")).alias(lane) for lane in LANES]
    found = rows.groupBy(SPLIT).agg(F.count("*").alias("n"), *sums).collect()  # one row a split
    counts = {str(row[SPLIT]): int(row["n"]) for row in found}
    return _hashed(df, counts, [sum(int(row[lane]) for row in found) for lane in LANES]), counts


def hash_sums(parts: Sequence[str], among: Column) -> dict[str, Column]:
    """The aggregates of hashed rows of which `hash_of` makes what `content_hash` gives, for who has a pass to share.

    Of the rows those count where `among` holds.
    """
    from pyspark.sql import functions as F

    found = {}
    for part in parts:
        is_in = among & (F.col(SPLIT) == part)
        found[f"n {part}"] = F.count_if(is_in)
        for lane in LANES:
            for shift, digit in _digits(F.col(lane)).items():
                found[f"{lane} {shift} {part}"] = F.sum(F.when(is_in, digit))
    return found


def hash_of(df: DataFrame, parts: Sequence[str], sums: Mapping[str, Any]) -> tuple[str, dict[str, int]]:
    """The hash of the rows of `df`, and their number in each split that has some, from these sums."""
    counts = {part: int(sums[f"n {part}"]) for part in parts if sums[f"n {part}"]}
    shifts = [_DIGIT_BITS * i for i in range(_N_DIGITS)]
    totals = [
        sum(int(sums[f"{lane} {shift} {part}"] or 0) << shift for part in parts for shift in shifts) for lane in LANES
    ]
    return _hashed(df, counts, totals), counts


def _digits(lane: Column) -> dict[int, Column]:
    """A hash as a sum of digits times 2**shift, which add up to a bigint for 2**41 rows: quicker than decimals."""
    from pyspark.sql import functions as F

    low = 2**_DIGIT_BITS - 1
    shifts = [_DIGIT_BITS * i for i in range(_N_DIGITS)]
    found = {shift: F.shiftright(lane, shift).bitwiseAND(low) for shift in shifts[:-1]}
    return {**found, shifts[-1]: F.shiftright(lane, shifts[-1])}


def _hashed(df: DataFrame, counts: Mapping[str, int], totals: Sequence[int]) -> str:
    schema = ",".join(f"{name}:{df.schema[name].dataType.simpleString()}" for name in sorted(df.columns))
    text = f"{schema}|{sum(counts.values())}|{totals[0]}|{totals[1]}"
    return hashlib.sha256(text.encode()).hexdigest()
