"""What others find of a training table: its versions, their files, its rows; read by deltalake and pyarrow alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import numpy as np
from deltalake import DeltaTable

from traintable.delta.commits import storage_options
from traintable.storage.folder import folder

_ENTRY = re.compile(r"_delta_log/(\d{20})\.json")


def opened(table: str, version: int | None = None) -> DeltaTable:
    """A version of a table."""
    return DeltaTable(table, version=version, storage_options=storage_options(table))


def versions(table: str) -> list[int]:
    """The versions whose entries are in the log; none where there is no table."""
    found = (_ENTRY.fullmatch(name) for name in folder(table).names())
    return sorted(int(match[1]) for match in found if match)


def manifests(table: str) -> list[dict[str, Any]]:
    """The manifests of all versions, the first one first."""
    log = folder(f"{table}/_delta_log")
    entries = [log.read(f"{version:020}.json") or b"" for version in versions(table)]
    told = [json.loads(entry.splitlines()[0])["commitInfo"]["userMetadata"] for entry in entries]
    return [json.loads(text) for text in told]


def rows(table: str, version: int | None = None) -> list[tuple[Any, ...]]:
    """The rows in the order of their keys, features bit for bit."""
    found = opened(table, version).to_pyarrow_table().to_pylist()
    return sorted((row["id"], row["late"], row["split"], _bits(row["features"])) for row in found)


def _bits(features: list[float]) -> bytes:
    return np.array(features, np.float32).tobytes()


def assert_sound(table: str) -> None:
    """No version is missing, nor a file of any; no row is in the newest one twice; what its manifest names is there."""
    found, there = versions(table), set(folder(table).names())
    assert found == list(range(len(found)))
    if not found:
        return
    for version in found:
        files = opened(table, version).get_add_actions(flatten=True)
        missing = set(files.column("path").to_pylist()) - there
        assert missing == set(), version
        stated = sum(files.column("num_records").to_pylist())
        assert stated == len(rows(table, version))
    assert twice(table) == 0
    newest = manifests(table)[-1]
    beside = set(folder(f"{table}_manifests").names())
    assert set(newest["beside"].values()) <= beside
    assert folder(newest["model"]).names()


def twice(table: str) -> int:
    """How many rows of the newest version are there once more than they should be."""
    counted = Counter(row[0] for row in rows(table))
    return sum(n - 1 for n in counted.values())
