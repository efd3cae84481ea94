"""What a run came to: the numbers that must add up, and the line that ends standard output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, quote
from traintable.errors import AccountingError
from traintable.ingest.contract import REASONS
from traintable.run.rows import FILTERED, KIND, QUARANTINED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Rows:
    """How many rows were read, and what became of them."""

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

    def to_dict(self) -> dict[str, Any]:
        """For the manifest and the result line."""
        published = {part: self.published.get(part, 0) for part in SPLITS}
        return {"read": self.read, "published": published, QUARANTINED: self.quarantined, FILTERED: self.filtered}


@dataclass(frozen=True)
class Census:
    """Counts of staged rows: by split and class, and by kind and reason of those removed."""

    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)


def census(staged: DataFrame, label: str) -> Census:
    """Count staged rows; one pass over four narrow columns. A row with several reasons counts under all of them."""
    answer = F.col(quote(label)).cast("string").alias("answer")
    grouped = staged.select(SPLIT, KIND, REASONS, answer)
    result = Census()
    for row in grouped.groupBy(SPLIT, KIND, REASONS, "answer").count().collect():  # one row a combination
        n = int(row["count"])
        if row[KIND] is None:
            result.classes.setdefault(row[SPLIT], {})[str(row["answer"])] = n
            continue
        result.kinds[row[KIND]] += n
        reason = "+".join(row[REASONS])
        result.reasons[reason] = result.reasons.get(reason, 0) + n
    return result


@dataclass(frozen=True)
class Outcome:
    """The end of a run."""

    status: str
    run_id: str
    table: str
    version: int | None
    model: str | None
    rows: Mapping[str, Any] | None
    details: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The JSON line."""
        fixed = {name: getattr(self, name) for name in ("status", "run_id", "table", "version", "model", "rows")}
        return {**fixed, **self.details}
