"""Which keys a Delta table has got or lost rows of between two of its versions."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyspark.sql import functions as F

from traintable.addresses import literal_path
from traintable.columns import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PLAIN = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}  # with these all rows of a data file count as they are
_ENCODED = re.compile("/[^/]*=[^/]*%[89A-Fa-f][^/]*/")  # a partition's folder that Spark would have named otherwise
_COUNT = "__count"


def changed_keys(spark: SparkSession, table: str, key: Sequence[str], *, since: int, until: int) -> DataFrame | None:
    """The keys, each once, of which the table has other rows in version `until` than it had in `since`.

    Only the data files that one of the versions has and the other has not, by the log, are read: the
    columns of the key if files have only come, or only gone, else all columns, for rows that were merely moved cancel
    out. None when that isn't known any more, for the log was cleaned up or files that have gone were vacuumed.
    """
    files = _files(table, since, until)
    if files is None:
        return None
    schema = spark.read.format("delta").option("versionAsOf", until).load(table).schema
    # As Parquet, for Delta would open all files of a version to find these. Columns of partitions are in the paths.
    reader = spark.read.schema(schema).option("basePath", table)
    parts = [
        reader.parquet(*map(literal_path, paths)).withColumn(_COUNT, F.lit(sign))
        for paths, sign in zip(files, (-1, 1), strict=True)
        if paths
    ]
    names = [quote(name) for name in key]
    if not parts:
        return spark.createDataFrame([], schema).select(*names)
    if len(parts) == 1:
        return parts[0].select(*names).distinct()
    counts = parts[0].union(parts[1]).groupBy(*map(quote, schema.names)).agg(F.sum(_COUNT).alias(_COUNT))
    return counts.where(F.col(_COUNT) != 0).select(*names).distinct()


def _files(table: str, since: int, until: int) -> tuple[list[str], list[str]] | None:
    """The paths of the files of `since` that are not of `until`, and the other way round; None when not known."""
    try:
        older, newer = (DeltaTable(table, version=version) for version in (since, until))
    except DeltaError:
        return None
    if newer.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        return None
    if not set(newer.protocol().reader_features or ()) <= _PLAIN:
        return None
    had, has = (set(version.get_add_actions().column("path").to_pylist()) for version in (older, newer))
    removed, added = (
        [os.path.join(table, unquote(path)) for path in sorted(paths)] for paths in (had - has, has - had)
    )
    if any(map(_ENCODED.search, added + removed)) or not all(map(os.path.exists, removed)):
        return None
    return removed, added
