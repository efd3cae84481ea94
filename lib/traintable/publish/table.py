"""The one commit that publishes a training table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.addresses import identifier
from traintable.columns import SPLIT
from traintable.delta.commits import KEEP_HISTORY, READABLE_BY_ALL, commits
from traintable.delta.write_version import commit_files
from traintable.publish.candidate import Candidate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def publish(candidate: Candidate, table: str, *, manifest: Mapping[str, Any], features: Sequence[str]) -> int:
    """Publish a candidate as the table's next version, which it makes up alone; gives the version.

    Rows of all splits, the names of the features (table property `traintable.features`, JSON) and the manifest (the
    commit's `userMetadata`, JSON) appear in one atomic commit or not at all. Costs no pass over rows; where the table
    is in a storage to which tasks can't write, one.
    """
    text = json.dumps(manifest, allow_nan=False, default=str)
    if candidate.files is not None:
        return commit_files(table, candidate.files, schema=candidate.schema, features=features, manifest=text)
    assert candidate.rows is not None
    by_spark(candidate.rows, table, manifest=text, features=features)
    return version_of(str(manifest["run_id"]), table, candidate.rows.sparkSession)


def by_spark(df: DataFrame, table: str, *, manifest: str, features: Sequence[str]) -> None:
    """Let Spark write the rows and commit them; one pass."""
    writer = df.writeTo(identifier(table)).using("delta").partitionedBy(F.col(SPLIT)).option("userMetadata", manifest)
    for name, value in {**READABLE_BY_ALL, **KEEP_HISTORY, "traintable.features": json.dumps(list(features))}.items():
        writer = writer.tableProperty(name, value)
    writer.createOrReplace()


def version_of(run_id: str, table: str, spark: SparkSession) -> int:
    """The version that a run has published."""
    found = [c.version for c in commits(table, spark) if (c.manifest() or {}).get("run_id") == run_id]
    return found[0]
