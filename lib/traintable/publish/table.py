"""The one commit that publishes a training table."""

from __future__ import annotations

import json
from collections.abc import Sequence

from traintable.columns import SPLIT
from traintable.delta.data_files import DataFiles
from traintable.delta.manifest import Manifest
from traintable.delta.table import Table
from traintable.publish.candidate import Candidate


def publish(candidate: Candidate, table: str, *, manifest: Manifest, features: Sequence[str]) -> int:
    """Publish a candidate as the table's next version, which it makes up alone; gives the version.

    Rows of all splits, the names of the features (table property `traintable.features`, JSON) and the manifest (the
    commit's `userMetadata`, JSON) appear in one atomic commit or not at all. The caller holds the lease on the table.
    Costs no pass over rows; where the table is in a storage to which tasks can't write, one. Raises LeaseLost when
    somebody else has written to the table meanwhile; then nothing is published.

    >>> from traintable.quality import FeatureSummary, Tally
    >>> rows = spark.createDataFrame([(1, 0.5, "train")], "id bigint, x float, split string")
    >>> candidate = Candidate(rows, None, FeatureSummary.empty(["x"]), Tally(), f"{folder}/t", {}, rows)
    >>> publish(candidate, f"{folder}/t", manifest={"traintable": "0.1", "run_id": "r1"}, features=["x"])
    0
    """
    properties = {"traintable.features": json.dumps(list(features))}
    if candidate.files is not None:
        files = DataFiles.of_splits(candidate.files, candidate.schema)
        return Table(table).replace_with_files(files, metadata=manifest, properties=properties)
    assert candidate.rows is not None
    return Table(table).replace(
        candidate.rows, new_schema=True, partition_by=[SPLIT], metadata=manifest, properties=properties
    )
