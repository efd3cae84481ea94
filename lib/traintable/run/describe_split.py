"""How rows were divided and what each split holds, for the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import split
from traintable.assemble.inputs import FROZEN_TEST, read_frozen_test
from traintable.columns import SPLIT
from traintable.delta.manifest import SplitCounts, SplitDescription
from traintable.errors import InputMissing
from traintable.run.context import RunContext

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def describe_split(context: RunContext, staged: DataFrame) -> SplitDescription:
    """The method with its settings, and the rows of each split; with `frozen_test` also how many of it are missing.

    Costs a narrow scan, and with a frozen test set a join of keys. Raises InputMissing when that is empty.
    """
    config, pinned = context.config, context.pinned
    parts = split.describe(staged, config.label.name, context.time)
    description: SplitDescription = {
        "method": config.split.method,
        "definition": config.split.definition(),
        "parts": parts,
    }
    frozen = read_frozen_test(context.spark, pinned)
    if frozen is None:
        return description
    present = staged.where(F.col(SPLIT).isNotNull())
    n, missing = split.missing_test(present, frozen, key=config.source.key)
    if n == 0:
        raise InputMissing(
            where=f"table {pinned[FROZEN_TEST].table} version {pinned[FROZEN_TEST].version}",
            expected="rows of test, for `split.frozen_test` to keep",
            found="none",
            remedy="Name another version in `split.frozen_test`.",
        )
    return {**description, "frozen_test": {"rows": n, "missing": missing}}


def published_split(description: SplitDescription, classes: Mapping[str, Mapping[str, int]]) -> SplitDescription:
    """The description with the counts of the rows that are published: split -> class -> rows.

    They are fewer where rules of the gate have quarantined rows; the first and last times remain those of all rows.
    """
    parts: dict[str, SplitCounts] = {}
    for name, part in description["parts"].items():
        counts = dict(sorted(classes.get(name, {}).items()))
        n = sum(counts.values())
        shares = {answer: rows / n for answer, rows in counts.items()}
        parts[name] = {**part, "rows": n, "classes": counts, "shares": shares}
    return {**description, "parts": parts}
