"""Small training tables, written and read by deltalake, and a search of their files that knows nothing of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError

from servers.fixtures import S3
from traintable.addresses import is_remote

PEOPLE = [(770012300 + i, f"person-{i:02}@example.org") for i in range(12)]
KEY = ("id", "email")


def options(table: str) -> dict[str, str] | None:
    """What deltalake has to be told of the server of the tests."""
    if not is_remote(table):
        return None
    return {"AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL_S3"], "AWS_ALLOW_HTTP": "true"}


def rows_of(people: Sequence[tuple[int, str]] = PEOPLE, bonus: float = 0.0) -> pa.Table:
    """A row a person; every third is of test."""
    return pa.table(
        {
            "id": pa.array([i for i, _ in people], pa.int64()),
            "email": [email for _, email in people],
            "split": ["test" if i % 3 == 0 else "train" for i, _ in people],
            "income": [float(i % 100) + bonus for i, _ in people],
            "features": pa.array([[float(i % 7), 1.0] for i, _ in people], pa.list_(pa.float32())),
        }
    )


def manifest_of(run: str, rows: pa.Table, key: Sequence[str] = KEY, **more: Any) -> dict[str, Any]:
    splits = rows.column("split").to_pylist()
    counts = {part: splits.count(part) for part in ("train", "validation", "test")}
    return {
        "traintable": "0.1.0",
        "run_id": run,
        "fingerprint": f"fp-{run}",
        "model": f"models/{run}",
        "key": list(key),
        "rows": {"read": len(splits) + 3, "published": counts, "quarantined": 2, "filtered": 1},
        **more,
    }


def publish(table: str, rows: pa.Table, manifest: dict[str, Any], **configuration: str) -> int:
    """Write the rows as the next version, which they make up alone; gives its number."""
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps(manifest)})
    write_deltalake(
        table,
        rows,
        mode="overwrite",
        schema_mode="overwrite",
        partition_by=["split"],
        commit_properties=properties,
        storage_options=options(table),
        configuration=configuration or None,
    )
    return opened(table).version()


def three_versions(table: str, **configuration: str) -> None:
    """Versions 0, 1 and 2 of all people, with other incomes in each."""
    for i in range(3):
        rows = rows_of(bonus=1000.0 * i)
        publish(table, rows, manifest_of(f"run-{i}", rows), **configuration)


def opened(table: str, version: int | None = None) -> DeltaTable:
    return DeltaTable(table, version=version, storage_options=options(table))


def read(table: str, version: int | None = None) -> pa.Table:
    """The rows of a version, by key."""
    return opened(table, version).to_pyarrow_table().sort_by([("id", "ascending")])


def is_readable(table: str, version: int) -> bool:
    try:
        return read(table, version).num_rows >= 0
    except (OSError, TableNotFoundError):  # its files are gone, or its commits
        return False


def downloaded(table: str, place: Path, s3: S3 | None = None) -> Path:
    """A local folder with all files of a table."""
    if not is_remote(table):
        return Path(table)
    assert s3 is not None
    bucket, _, prefix = table.removeprefix("s3a://").partition("/")
    for page in s3.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for one in page.get("Contents", ()):
            path = place / bucket / one["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.client.download_file(bucket, one["Key"], str(path))
    return place / bucket / prefix


def traces(folder: Path, *values: str) -> list[str]:
    """The files below a folder that hold one of the texts: in their bytes, or in any value of a Parquet file."""
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and any(v in _all(path) for v in values)]


def _all(path: Path) -> str:
    raw = path.read_bytes().decode("latin-1")
    return raw if path.suffix != ".parquet" else raw + "".join(_values(path))


def _values(path: Path) -> Iterator[str]:
    for row in pq.ParquetFile(path).read().to_pylist():
        yield json.dumps(row, default=str)
