"""What the manifest of a version says of its key and its quarantine, and the one of the version without some rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import cast

from traintable.addresses import sibling
from traintable.columns import SPLITS
from traintable.delta.log import data_file_name
from traintable.delta.manifest import RowCounts
from traintable.delta.versions import TableVersion
from traintable.publish.erasure.log import mark_forgotten, without_examples
from traintable.publish.erasure.table_erasure import TableErasure


def key_columns(version: TableVersion) -> set[str]:
    """The columns that a key may name: those of the manifest's key, or any where there is none.

    Those by which the table is partitioned are not among them, for their values stand in the names of files.
    """
    named = version.manifest.get("key") if version.manifest else None
    fields = json.loads(version.metadata["schemaString"])["fields"]
    return set(named or [field["name"] for field in fields]) - set(version.metadata["partitionColumns"])


def quarantine_of(version: TableVersion, table: str) -> str:
    """Where the removed rows lie: beside the table, if its manifest names no other place."""
    named = version.manifest.get("quarantine") if version.manifest else None
    return named or sibling(table, "quarantine")


def describe_erasure(
    erasure: TableErasure, by_split: Counter[str], by_kind: Counter[str]
) -> Callable[[list[str]], str | None]:
    """What the commit that takes the rows out says of itself: the manifest that is there, less these numbers of rows.

    The result is called with the paths that the log has for the files of the new version. Their rows are read by Spark
    where the manifest has a `content_hash`.
    """

    def describe(paths: list[str]) -> str | None:
        manifest = erasure.newest.manifest
        if manifest is None:
            return None
        new = mark_forgotten(without_examples(manifest), by_split.total(), "of these rows")
        if "rows" in manifest and "published" in manifest["rows"]:
            new["rows"] = _correct(manifest["rows"], by_split, by_kind)
        if "content_hash" in manifest:
            new["content_hash"] = _content_hash(erasure, paths)
        return json.dumps(erasure.key.redact(new))

    return describe


def _correct(rows: RowCounts, by_split: Counter[str], by_kind: Counter[str]) -> RowCounts:
    """The numbers of rows without these: read are still as many as published, quarantined and filtered."""
    published = {split: n - by_split[split] for split, n in rows["published"].items()}
    kinds = {kind: n - by_kind[kind] for kind, n in rows.items() if kind in ("quarantined", "filtered")}  # type: ignore[operator]
    n_erased = sum(by_split[split] for split in SPLITS) + sum(by_kind[kind] for kind in kinds)
    return cast(RowCounts, {**rows, "published": published, **kinds, "read": rows["read"] - n_erased})


def _content_hash(erasure: TableErasure, paths: list[str]) -> str:
    from pyspark.sql.types import StructType

    from traintable.spark.errors import translate_spark_errors
    from traintable.spark.session import get_spark, pinned_settings
    from traintable.statistics.content_hash import content_hash

    spark = get_spark()
    schema = StructType.fromJson(json.loads(erasure.newest.metadata["schemaString"]))
    with pinned_settings(spark), translate_spark_errors(f"table {erasure.table}", remedy="Run again."):
        reader = spark.read.schema(schema).option("basePath", erasure.table)
        return content_hash(reader.parquet(*[f"{erasure.table}/{data_file_name(path)}" for path in paths]))[0]
