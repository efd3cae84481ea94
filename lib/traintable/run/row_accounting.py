"""Account for every row that was read: it is published, quarantined or filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import publish
from traintable.assemble.inputs import SOURCE
from traintable.assemble.labelled_rows import FILTERED, KIND, QUARANTINED
from traintable.columns import SPLIT, SPLITS, quote
from traintable.contract.rows import REASONS
from traintable.delta.manifest import RowCounts
from traintable.delta.pinned_input import read_pinned
from traintable.errors import AccountingError, ConfigError, InputMissing
from traintable.run.context import RunContext
from traintable.run.staging import ROW, writing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from traintable.run.gate_step import GateOutcome

MAX_COUNTS = 10_000


@dataclass(frozen=True)
class RowBalance:
    """How many rows were read, and what became of them; `published` is split -> rows."""

    read: int
    published: Mapping[str, int]
    quarantined: int
    filtered: int

    def require_balance(self, table: str) -> None:
        """Raise AccountingError unless read = published + quarantined + filtered."""
        total = sum(self.published.values()) + self.quarantined + self.filtered
        if total != self.read:
            raise AccountingError(
                where=f"run for {table}",
                expected=f"{self.read} rows, as many as were read",
                found=f"{total} ({dict(self.published)}, {self.quarantined} quarantined, {self.filtered} filtered)",
                remedy="Nothing was published. This is a defect: please report it with the configuration.",
            )

    def to_dict(self) -> RowCounts:
        """For the manifest and the result line."""
        published = {split: self.published.get(split, 0) for split in SPLITS}
        return {
            "read": self.read,
            "published": published,
            "quarantined": self.quarantined,
            "filtered": self.filtered,
        }


@dataclass(frozen=True)
class Census:
    """Counts of staged rows: split -> class -> rows, and reason -> rows of those removed."""

    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Accounts:
    """What became of all rows.

    Attributes
    ----------
    census : the rows by class and by reason.
    balance : the number of rows that were read, published, quarantined and filtered.
    removed : the rows that are not published, as the quarantine takes them: `kind`, `reasons`, `row`.
    """

    census: Census
    balance: RowBalance
    removed: DataFrame

    def quarantine(self, gated: GateOutcome, context: RunContext) -> None:
        """Write the rows that break rules of the gate to the quarantine, with those that are there; one pass."""
        if gated.n_quarantined:
            _write_quarantine(self.removed.unionByName(gated.quarantined_rows), context)

    def balance_after(self, gated: GateOutcome, context: RunContext) -> RowBalance:
        """The balance of the rows as they are to be published; AccountingError where rows are missing."""
        n_quarantined = self.balance.quarantined + gated.n_quarantined
        balance = replace(self.balance, published=gated.published, quarantined=n_quarantined)
        balance.require_balance(context.paths.table)
        return balance


def account_for_rows(context: RunContext, staged: DataFrame) -> Accounts:
    """Count the staged rows, write those that are not published to the quarantine, and check that none is missing.

    Raises InputMissing where no row was read, and AccountingError where rows are missing. Costs a count of the source,
    a narrow pass, and one that writes the removed rows.
    """
    n_read = _count_source(context)
    counts = census(staged, context.config.label.name)
    removed = staged.where(F.col(SPLIT).isNull()).select(
        F.col(KIND).alias("kind"), F.col(REASONS).alias("reasons"), F.col(ROW).alias("row")
    )
    n_removed = _write_quarantine(removed, context)
    published = {split: sum(classes.values()) for split, classes in counts.classes.items()}
    balance = RowBalance(n_read, published, n_removed.get(QUARANTINED, 0), n_removed.get(FILTERED, 0))
    balance.require_balance(context.paths.table)
    return Accounts(counts, balance, removed)


def _count_source(context: RunContext) -> int:
    source, where = context.pinned[SOURCE], context.config.source.where
    n_read = read_pinned(context.spark, source, where=where).count()
    if n_read == 0:
        raise InputMissing(
            where=f"table {source.table} version {source.version}",
            expected=f"rows{f' where {where}' if where else ''}",
            found="none",
            remedy="Check `source.where`, or pin a version that has rows.",
        )
    return n_read


def _write_quarantine(removed: DataFrame, context: RunContext) -> dict[str, int]:
    """Write rows that are not published, in place of those of this run; returns how many of each kind there are."""
    with writing(context.paths.quarantine):
        return publish.write_quarantine(removed, context.paths.quarantine, fingerprint=context.fingerprint)


def census(staged: DataFrame, label: str) -> Census:
    """Count staged rows; one pass over four narrow columns. Reasons that a row has together are joined by `+`.

    Raises ConfigError when the label has more than 10,000 different values: it is no class then.

    >>> rows = "VALUES ('train', null, array(), 1), ('train', null, array(), 0), (null, 'filtered', array('gap'), 1)"
    >>> census(spark.sql(f"SELECT * FROM {rows} AS t(split, _kind, _reasons, late)"), "late")
    Census(classes={'train': {'1': 1, '0': 1}}, reasons={'gap': 1})
    """
    answer = F.when(F.col(KIND).isNull(), F.col(quote(label)).cast("string")).alias("answer")
    grouped = staged.select(SPLIT, KIND, REASONS, answer)
    counts = grouped.groupBy(SPLIT, KIND, REASONS, "answer").count().limit(MAX_COUNTS + 1).collect()
    if len(counts) > MAX_COUNTS:
        raise ConfigError(
            where="label.expr",
            expected=f"a label of few classes, not more than {MAX_COUNTS:,} combinations of class, split and reasons",
            found="more",
            remedy="Cut the label into classes, for example `arr_delay > 30`.",
        )
    result = Census()
    for row in counts:
        n = int(row["count"])
        if row[KIND] is None:
            result.classes.setdefault(row[SPLIT], {})[str(row["answer"])] = n
            continue
        reason = "+".join(row[REASONS])
        result.reasons[reason] = result.reasons.get(reason, 0) + n
    return result
