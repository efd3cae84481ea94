"""What a run came to: the numbers that must add up, and the line that ends standard output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import split
from traintable.assemble.rows import FROZEN_TEST, frozen_test
from traintable.columns import SPLIT
from traintable.config.dataset import Config
from traintable.delta.pin import Pinned
from traintable.errors import InputMissing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from traintable.assemble.rows import FILTERED, KIND, QUARANTINED
from traintable.columns import SPLITS, quote
from traintable.contract.rows import REASONS
from traintable.errors import AccountingError, ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


MAX_COUNTS = 10_000


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
    """Counts of staged rows: by split and class, and by reason of those removed."""

    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


def census(staged: DataFrame, label: str) -> Census:
    """Count staged rows; one pass over four narrow columns. Reasons that a row has together are joined by `+`.

    Raises ConfigError when the label has more than 10,000 different values: it is no class then.
    """
    answer = F.when(F.col(KIND).isNull(), F.col(quote(label)).cast("string")).alias("answer")
    grouped = staged.select(SPLIT, KIND, REASONS, answer)
    counts = grouped.groupBy(SPLIT, KIND, REASONS, "answer").count().limit(MAX_COUNTS + 1).collect()
    if len(counts) > MAX_COUNTS:
        raise ConfigError(
            where="label.expr",
            expected="an answer of few classes",
            found="more than 10,000 values",
            remedy="Cut it into classes, for example `arr_delay > 30`.",
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


def published_split(described: Mapping[str, Any], classes: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The description with the counts of the rows that are published, split -> class -> rows.

    They are fewer where rules of the gate have set rows aside; the first and last moments stay those that were divided.
    """
    parts = {}
    for part, known in described["parts"].items():
        counts = dict(sorted(classes.get(part, {}).items()))
        n = sum(counts.values())
        shares = {name: rows / n for name, rows in counts.items()}
        parts[part] = {**known, "rows": n, "classes": counts, "shares": shares}
    return {**described, "parts": parts}


def described_split(
    staged: DataFrame, config: Config, pinned: Mapping[str, Pinned], time: str | None
) -> dict[str, Any]:
    """How rows were divided and what each part holds, for the manifest; with `frozen_test` how many of it are missing.

    Costs a narrow scan, and with a frozen test set a join of keys. Raises InputMissing when that is empty.
    """
    parts = split.describe(staged, config.label.name, time)
    described = {"method": config.split.method, "definition": config.split.definition(), "parts": parts}
    frozen = frozen_test(staged.sparkSession, pinned)
    if frozen is None:
        return described
    present = staged.where(F.col(SPLIT).isNotNull())
    n, missing = split.missing_test(present, frozen, key=config.source.key)
    if n == 0:
        raise InputMissing(
            where=f"table {pinned[FROZEN_TEST].table} version {pinned[FROZEN_TEST].version}",
            expected="rows of test, which this run is to keep",
            found="none",
            remedy="Name another version in `split.frozen_test`.",
        )
    return {**described, "frozen_test": {"rows": n, "missing": missing}}
