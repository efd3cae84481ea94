"""What the manifest of a version says of its key and its quarantine, and the one of the version without some rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from traintable.addresses import sibling
from traintable.columns import SPLITS
from traintable.delta.versions import Version, file_name
from traintable.publish.erasure.log import mark, without_examples
from traintable.publish.erasure.target import Target


def key_columns(version: Version) -> set[str]:
    """The columns that a key may name: those of the manifest's key, or any where there is none.

    Those by which the table is partitioned are not among them, for their values stand in the names of files.
    """
    named = (version.manifest or {}).get("key")
    fields = json.loads(version.metadata["schemaString"])["fields"]
    return set(named or [field["name"] for field in fields]) - set(version.metadata["partitionColumns"])


def quarantine_of(version: Version, table: str) -> str:
    """Where the removed rows lie: beside the table, if its manifest names no other place."""
    return str((version.manifest or {}).get("quarantine") or sibling(table, "quarantine"))


def told_of(target: Target, by_split: Counter[str], by_kind: Counter[str]) -> Callable[[list[str]], str | None]:
    """What the commit that takes the rows out says of itself: the manifest before, without these numbers of rows.

    The result is called with the paths that the log has for the files of the new version. Their rows are read by Spark
    where the manifest has a `content_hash`.
    """

    def told(paths: list[str]) -> str | None:
        manifest = target.newest.manifest
        if manifest is None:
            return None
        new = {**mark(without_examples(manifest), by_split.total(), "of these rows")}
        if "published" in (manifest.get("rows") or {}):
            new["rows"] = _corrected(manifest["rows"], by_split, by_kind)
        if "content_hash" in manifest:
            new["content_hash"] = _content_hash(target, paths)
        return json.dumps(target.key.redacted(new))

    return told


def _corrected(rows: Mapping[str, Any], by_split: Counter[str], by_kind: Counter[str]) -> dict[str, Any]:
    """The numbers of rows without these: read are still as many as published, quarantined and filtered."""
    published = {part: n - by_split[part] for part, n in rows["published"].items()}
    kinds = {kind: rows[kind] - by_kind[kind] for kind in ("quarantined", "filtered") if kind in rows}
    n = sum(by_split[part] for part in SPLITS) + sum(by_kind[kind] for kind in kinds)
    return {**rows, "published": published, **kinds, "read": rows["read"] - n}


def _content_hash(target: Target, paths: list[str]) -> str:
    from pyspark.sql.types import StructType

    from traintable.spark.errors import translate_spark_errors
    from traintable.spark.session import get_spark, pinned_settings
    from traintable.statistics.content_hash import content_hash

    spark = get_spark()
    schema = StructType.fromJson(json.loads(target.newest.metadata["schemaString"]))
    with pinned_settings(spark), translate_spark_errors(f"table {target.table}", remedy="Run again."):
        reader = spark.read.schema(schema).option("basePath", target.table)
        return content_hash(reader.parquet(*[f"{target.table}/{file_name(path)}" for path in paths]))[0]
