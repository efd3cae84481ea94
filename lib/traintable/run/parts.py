"""What a run tells of its split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import ingest, split
from traintable.columns import SPLIT
from traintable.config import Config
from traintable.errors import InputMissing
from traintable.run.rows import FROZEN_TEST, frozen_test

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


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
    staged: DataFrame, config: Config, pinned: Mapping[str, ingest.Pinned], time: str | None
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
