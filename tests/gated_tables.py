"""Training tables of a few rows, published without Spark as a run does it: one commit that carries its manifest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from traintable.delta.commits import storage_options

PASSED = {"rules": 3, "held": 3, "warnings": [], "refusals": []}
SCHEMA = pa.schema(
    [("id", pa.int64()), ("split", pa.string()), ("late", pa.int32()), ("features", pa.list_(pa.float32()))]
)


def some_rows(n: int, seed: int = 0, width: int = 3, splits: tuple[str, ...] = ("train", "train", "test")) -> pa.Table:
    """`n` rows of `width` features, whose splits follow each other in turn."""
    values = np.random.default_rng(seed).normal(size=n * width).astype(np.float32)
    features = pa.ListArray.from_arrays(np.arange(0, (n + 1) * width, width, dtype=np.int32), pa.array(values))
    ids = np.arange(n)
    split = [splits[i % len(splits)] for i in range(n)]
    return pa.table([pa.array(ids), pa.array(split), pa.array((ids % 2).astype(np.int32)), features], schema=SCHEMA)


def counts_of(rows: pa.Table) -> dict[str, int]:
    """The number of rows in each split."""
    return dict(Counter(rows["split"].to_pylist()))


def hash_of(rows: pa.Table) -> str:
    """A hash of rows that tells each value, and not their order."""
    texts = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows.to_pylist())
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def manifest_of(rows: pa.Table, gate: dict[str, Any] | None = PASSED) -> dict[str, Any]:
    """A manifest of rows, with what the gate said of them."""
    published = dict.fromkeys(("train", "validation", "test"), 0) | counts_of(rows)
    told = {"traintable": "0.1.0", "name": "some", "run_id": "20260101T000000Z-1", "content_hash": hash_of(rows)}
    told |= {"rows": {"read": len(rows), "published": published, "quarantined": 0, "filtered": 0}}
    return told if gate is None else {**told, "gate": gate}


def write(table: str, rows: pa.Table, manifest: dict[str, Any] | None, mode: str = "overwrite", **options: Any) -> None:
    """Commit rows to a table, with a manifest if there is one."""
    told = None if manifest is None else CommitProperties(custom_metadata={"userMetadata": json.dumps(manifest)})
    write_deltalake(
        table,
        rows,
        mode=mode,
        partition_by=["split"],
        commit_properties=told,
        storage_options=storage_options(table),
        **options,
    )


def publish(table: str, rows: pa.Table) -> None:
    """Publish rows that passed the gate as the table's next version."""
    write(table, rows, manifest_of(rows))
