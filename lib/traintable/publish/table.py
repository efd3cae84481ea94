"""The one commit that publishes a training table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import SPLIT, identifier
from traintable.delta_log import PLAIN, commits

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def publish(df: DataFrame, table: str, *, manifest: Mapping[str, Any], features: Sequence[str]) -> None:
    """Publish the rows as the table's next version, which they make up alone.

    Rows of all splits, the names of the features (table property `traintable.features`, JSON) and the manifest (the
    commit's `userMetadata`, JSON) appear in one atomic commit or not at all. Costs one pass over the rows.
    """
    text = json.dumps(manifest, allow_nan=False, default=str)
    writer = df.writeTo(identifier(table)).using("delta").partitionedBy(F.col(SPLIT)).option("userMetadata", text)
    for name, value in {**PLAIN, "traintable.features": json.dumps(list(features))}.items():
        writer = writer.tableProperty(name, value)
    writer.createOrReplace()


def version_of(run_id: str, table: str, spark: SparkSession) -> int:
    """The version that a run has published."""
    found = [c.version for c in commits(table, spark) if (c.manifest() or {}).get("run_id") == run_id]
    return found[0]
