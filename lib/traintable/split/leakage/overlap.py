"""Groups and times that stand on two sides of the split."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, TRAIN, quote
from traintable.sample.draw import null_safe_columns
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.finding import LeakFinding, Measure
from traintable.statistics.values import Values


def shared_groups(table: ExaminedTable) -> list[LeakFinding]:
    """Groups whose rows stand in more than one split; null is a group of its own.

    Costs one pass over the columns of all groups, with one shuffle of 64-bit hashes of their values.
    """
    if not table.groups:
        return []
    hashes = [
        F.struct(
            F.lit(i).alias("i"),
            F.xxhash64(F.lit(i), *null_safe_columns(F.col(quote(name)) for name in names)).alias("value"),
        )
        for i, names in enumerate(table.groups)
    ]
    rows = table.with_split.select(F.explode(F.array(*hashes)).alias("group"), SPLIT)
    counts = [F.count_if(F.col(SPLIT) == split).alias(split) for split in SPLITS]
    by_value = rows.groupBy("group.i", "group.value").agg(*counts)
    held = sum((F.col(split) for split in SPLITS if split != TRAIN), F.lit(0))
    sides = sum((F.when(F.col(split) > 0, 1).otherwise(0) for split in SPLITS), F.lit(0))
    return [
        _of_group(table.groups[row["i"]], row["shared"], row["n"], row["held"], row["rows"])
        for row in by_value.groupBy("i")
        .agg(
            F.count("*").alias("n"),
            F.count_if(sides > 1).alias("shared"),
            F.sum(F.when(sides > 1, held).otherwise(0)).alias("rows"),
            F.sum(held).alias("held"),
        )
        .orderBy("i")
        .collect()
        if row["shared"]
    ]


def _of_group(names: tuple[str, ...], shared: int, n: int, held: int, rows: int) -> LeakFinding:
    numbers = {"shared_groups": shared, "groups": n, "held_out_rows_in_them": rows, "held_out_rows": held}
    return LeakFinding(
        "groups",
        "severe",
        names,
        "rows of one group stand in more than one split",
        "Split by group, so that all rows of a group are on one side.",
        numbers,
    )


def overlapping_times(evidence: Evidence) -> list[LeakFinding]:
    """Splits that do not lie one after the other in time, if a time is given; costs no pass beyond the evidence."""
    name = evidence.table.time
    if name is None:
        return []
    findings = []
    present = [split for split in SPLITS if len(evidence.times_of(name, split).buckets)]
    for earlier, later in pairwise(present):
        first, second = evidence.times_of(name, earlier), evidence.times_of(name, later)
        if first.max >= second.min:
            findings.append(_of_times(name, evidence, (earlier, first), (later, second)))
    return findings


def _of_times(name: str, evidence: Evidence, earlier: tuple[str, Values], later: tuple[str, Values]) -> LeakFinding:
    """The finding about two splits that follow each other, of which the earlier one ends too late."""
    (first, first_values), (second, second_values) = earlier, later
    weighted = first_values.weighted()
    late = int(weighted.counts[weighted.values >= second_values.min].sum())
    numbers: dict[str, Measure] = {
        f"last_of_{first}": _format_time(first_values.max, evidence.table.types[name]),
        f"first_of_{second}": _format_time(second_values.min, evidence.table.types[name]),
        f"rows_of_{first}_from_then_on": late,
    }
    return LeakFinding(
        "times",
        "severe",
        (name,),
        f"{first} does not end before {second} begins",
        "Split by time (`split.method: time`), or leave `leakage.time` out if the order of rows does not matter.",
        numbers,
    )


def _format_time(value: float, kind: str) -> str:
    if kind not in ("date", "timestamp", "timestamp_ntz"):
        return f"{value:g}"
    return str(datetime(1970, 1, 1) + timedelta(seconds=value))
