"""The tables that a run reads, each at a version of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from traintable.addresses import resolve
from traintable.config.dataset import Config, Join, Source
from traintable.delta.pinned_input import PinnedInput, pin_input, read_pinned

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SOURCE = "source"
FROZEN_TEST = "split.frozen_test"  # no join can have this name


def pin_inputs(config: Config, spark: SparkSession | None = None) -> dict[str, PinnedInput]:
    """The version of each input table that a run reads: `source`, each join by its name, and `split.frozen_test`.

    A table without a declared version is pinned at its newest. Raises InputMissing for one that is not there. Reads
    logs, no rows; for tables of a catalog it needs Spark.

    >>> spark.range(3).write.format("delta").save(f"{folder}/numbers")
    >>> config = Config.model_validate({
    ...     "name": "numbers",
    ...     "source": {"table": "numbers", "key": ["id"]},
    ...     "label": {"name": "odd", "expr": "id % 2"},
    ...     "split": {"method": "hash", "hash": {"ratios": {"train": 0.5, "validation": 0.25, "test": 0.25}}},
    ...     "prepare": {"features": {"id": {}}},
    ...     "output": {"table": "published"},
    ...     "root": folder,
    ... })
    >>> pin_inputs(config)["source"].version
    0
    """
    sections: dict[str, Source | Join] = {SOURCE: config.source, **{join.name: join for join in config.joins}}
    pinned = {
        name: pin_input(resolve(section.table, config.root), section.version, spark=spark)
        for name, section in sections.items()
    }
    frozen = config.split.frozen_test
    if frozen is not None:
        table = resolve(frozen.table or config.output.table, config.root)
        pinned[FROZEN_TEST] = pin_input(table, frozen.version, spark=spark)
    return pinned


def read_frozen_test(spark: SparkSession, pinned: Mapping[str, PinnedInput]) -> DataFrame | None:
    """The version of a training table whose test set is kept; None where none is."""
    return read_pinned(spark, pinned[FROZEN_TEST]) if FROZEN_TEST in pinned else None
