"""Groups and times that stand on two sides of the split."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, TRAIN
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.finding import Finding, Number
from traintable.split.leakage.table import Table, marked
from traintable.statistics.values import Values


def groups(table: Table) -> list[Finding]:
    """Groups whose rows stand in more than one split; null is a group of its own.

    Costs one pass over the columns of all groups, with one shuffle of 64-bit hashes of their values.
    """
    if not table.groups:
        return []
    hashes = [
        F.struct(F.lit(i).alias("i"), F.xxhash64(F.lit(i), *marked(names)).alias("value"))
        for i, names in enumerate(table.groups)
    ]
    rows = table.published.select(F.explode(F.array(*hashes)).alias("group"), SPLIT)
    counts = [F.count_if(F.col(SPLIT) == part).alias(part) for part in SPLITS]
    by_value = rows.groupBy("group.i", "group.value").agg(*counts)
    held = sum((F.col(part) for part in SPLITS if part != TRAIN), F.lit(0))
    sides = sum((F.when(F.col(part) > 0, 1).otherwise(0) for part in SPLITS), F.lit(0))
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


def _of_group(names: tuple[str, ...], shared: int, n: int, held: int, rows: int) -> Finding:
    numbers = {"shared_groups": shared, "groups": n, "held_out_rows_in_them": rows, "held_out_rows": held}
    return Finding(
        "groups",
        "severe",
        names,
        "rows of one group stand in more than one split",
        "Split by group, so that all its rows are on one side.",
        numbers,
    )


def times(evidence: Evidence) -> list[Finding]:
    """Splits that do not lie one after the other in time, if a time is given; costs no pass beyond the evidence."""
    name = evidence.table.time
    if name is None:
        return []
    findings = []
    present = [part for part in SPLITS if len(evidence.moments(name, part).buckets)]
    for earlier, later in pairwise(present):
        before, after = evidence.moments(name, earlier), evidence.moments(name, later)
        if before.max >= after.min:
            findings.append(_of_times(name, evidence, (earlier, before), (later, after)))
    return findings


def _of_times(name: str, evidence: Evidence, earlier: tuple[str, Values], later: tuple[str, Values]) -> Finding:
    (first, before), (second, after) = earlier, later
    weighted = before.weighted()
    late = int(weighted.counts[weighted.values >= after.min].sum())
    numbers: dict[str, Number] = {
        f"last_of_{first}": _moment(before.max, evidence.table.types[name]),
        f"first_of_{second}": _moment(after.min, evidence.table.types[name]),
        f"rows_of_{first}_from_then_on": late,
    }
    return Finding(
        "times",
        "severe",
        (name,),
        f"{first} does not end before {second} begins",
        "Split by time (`split.method: time`), or name no `leakage.time` if the order of rows does not matter.",
        numbers,
    )


def _moment(value: float, kind: str) -> str:
    if kind not in ("date", "timestamp", "timestamp_ntz"):
        return f"{value:g}"
    return str(datetime(1970, 1, 1) + timedelta(seconds=value))
