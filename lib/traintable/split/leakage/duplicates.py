"""Rows of validation and test that stand in train as well."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from pyspark.sql import functions as F
from scipy import stats  # type: ignore[import-untyped]

from traintable.columns import SPLIT, TRAIN, quote
from traintable.sample.draw import null_safe_columns
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.finding import LeakFinding

MIN_COPIES = 3
_CHANCE = 0.001
_AGREEMENT = 0.95


@dataclass(frozen=True)
class CopyCounts:
    """Counts of rows with copies; `full` copies have the same label too, and `n_distinct` is of rows without it."""

    n_train: int
    n_held: int
    n_distinct: int
    train: int
    full_train: int
    held: int
    full_held: int

    @property
    def share(self) -> float:
        """Of held-out rows those that have a full copy in train."""
        return self.full_held / self.n_held if self.n_held else 0.0

    @property
    def agreement(self) -> float:
        """Of held-out rows whose features train has, those whose label train has with them."""
        return self.full_held / self.held if self.held else 0.0

    @property
    def exceeds_train(self) -> bool:
        """Whether held-out rows have copies in train more often than rows of train have among themselves."""
        usual = min(1.0, (self.full_train + 1) / (self.n_train + 1))
        return bool(stats.binom.sf(self.full_held - 1, self.n_held, usual) < _CHANCE and self.share > 2 * usual)


def duplicates(evidence: Evidence) -> list[LeakFinding]:
    """Held-out rows that equal a row of train in all features and the label, unless rows are equal by coincidence.

    Rows of few values are equal by coincidence, and then as often within train as across the split. So a share of
    copies above the limit is a finding only in two cases. First, when held-out rows have copies in train at least twice
    as often as rows of train have among themselves, which independent rows don't (binomial test at 0.001). Second, when
    rows are distinctive (some column has at least half as many values as there are different rows, so that to share it
    is to be the same thing) and copies agree on the label in 95% and by more than chance: then the rows were multiplied
    before the split. Fewer than three copies are none.

    Costs one pass over the features, with one shuffle of 64-bit hashes of rows: two different rows of a million are
    taken for equal with a probability of 3e-8.
    """
    table, limit = evidence.table, evidence.table.limits.max_duplicates
    if not table.hashable:
        return []
    copies = count_copies(table)
    if copies.full_held < MIN_COPIES or copies.share <= limit:
        return []
    if not copies.exceeds_train and not (
        is_distinctive(evidence, copies.n_distinct)
        and labels_agree(copies.full_held, copies.held, evidence.same_by_chance)
    ):
        return []
    numbers = {
        "share_of_held_out_rows": copies.share,
        "rows": copies.full_held,
        "share_of_train_rows": copies.full_train / max(1, copies.n_train),
        "label_agreement": copies.agreement,
        "limit": limit,
    }
    return [
        LeakFinding(
            "duplicates",
            "severe",
            (),
            "rows of validation or test are copies of rows of train",
            "Remove duplicates before the split, or split by a group that holds them together.",
            numbers,
        )
    ]


def count_copies(table: ExaminedTable) -> CopyCounts:
    """Count rows whose features another row has."""
    rows = table.with_split.select(
        F.xxhash64(*null_safe_columns(F.col(quote(name)) for name in table.hashable)).alias("row"),
        F.xxhash64(*null_safe_columns([F.col(quote(table.label))])).alias("answer"),
        (F.col(SPLIT) == TRAIN).alias("train"),
    )
    full = (
        rows.repartition("row")
        .groupBy("row", "answer")
        .agg(F.count_if("train").alias("t"), F.count_if(~F.col("train")).alias("h"))
    )
    by_row = full.groupBy("row").agg(
        F.sum("t").alias("t"),
        F.sum("h").alias("h"),
        F.sum(F.when(F.col("t") > 1, F.col("t")).otherwise(0)).alias("full_t"),
        F.sum(F.when(F.col("t") > 0, F.col("h")).otherwise(0)).alias("full_h"),
    )
    [row] = by_row.agg(
        F.sum("t"),
        F.sum("h"),
        F.count("*"),
        F.sum(F.when(F.col("t") > 1, F.col("t")).otherwise(0)),
        F.sum("full_t"),
        F.sum(F.when(F.col("t") > 0, F.col("h")).otherwise(0)),
        F.sum("full_h"),
    ).collect()
    return CopyCounts(*[int(n or 0) for n in row])


def is_distinctive(evidence: Evidence, n_rows: float) -> bool:
    """Whether some feature has at least half as many values as there are different rows."""
    known = [n for n in evidence.table.features if n in evidence.table.numbers or n in evidence.table.texts]
    return any(evidence.n_distinct(name) >= n_rows / 2 for name in known)


def labels_agree(same: int, n: int, by_chance: float) -> bool:
    """Whether `same` of `n` pairs of rows have one label: at least 95%, and more than chance makes by three errors."""
    if not n or same < _AGREEMENT * n:
        return False
    return same / n - by_chance > 3 * sqrt(by_chance * (1 - by_chance) / n)
