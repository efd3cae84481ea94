"""The one commit that publishes a training table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import SPLIT, identifier

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Every reader of Delta opens a table without these two features.
PLAIN = {"delta.enableDeletionVectors": "false", "delta.columnMapping.mode": "none"}


def publish(df: DataFrame, table: str, *, manifest: Mapping[str, Any], features: Sequence[str]) -> int:
    """Publish the rows as the table's next version, which they make up alone; returns its number.

    Rows of all splits, the names of the features (table property `traintable.features`, JSON) and the manifest (the
    commit's `userMetadata`, JSON) appear in one atomic commit or not at all. Costs one pass over the rows.
    """
    text = json.dumps(manifest, sort_keys=True, default=str)
    writer = df.writeTo(identifier(table)).using("delta").partitionedBy(F.col(SPLIT)).option("userMetadata", text)
    for name, value in {**PLAIN, "traintable.features": json.dumps(list(features))}.items():
        writer = writer.tableProperty(name, value)
    writer.createOrReplace()
    history = df.sparkSession.sql(f"DESCRIBE HISTORY {identifier(table)}")
    commits = history.where(F.get_json_object("userMetadata", "$.run_id") == manifest["run_id"]).select("version")
    return int(commits.collect()[0]["version"])  # one row: run ids are unique
