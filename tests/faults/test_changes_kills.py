"""Drivers that land a change data feed, and merge it to a history, are killed."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from kills import carry_on, kill_and_carry_on, points
from pyspark.sql import SparkSession
from verdicts import assert_same, assert_sound, told

COLUMNS = {
    "id": {"type": "bigint"},
    "x": {"type": "double", "max": 100},
    "_change_type": {},
    "_commit_version": {"type": "bigint"},
}


def config(source: Path, root: Path) -> dict[str, Any]:
    merge = {"scd": 2, "order_by": "_commit_version", "deleted": "_change_type = 'delete'"}
    known = {"name": "kills", "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}, "root": str(root)}
    found = {"format": "delta", "table": str(source)}
    return {**known, "source": found, "load": {"mode": "changes", "merge": merge}}


class Source:
    """A table with a change data feed that others write to."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.path, self.rng, self.n = str(path), rng, 0
        self._append(configuration={"delta.enableChangeDataFeed": "true"})

    def arrive(self, n: int) -> None:
        """A version or two: rows that come, change and go; or none that change, but are moved."""
        self._append()
        table, keys = DeltaTable(self.path), f"id % 7 = {self.rng.randrange(7)}"
        if n % 4 == 0:
            table.delete(keys)
        elif n % 4 == 1:
            table.update(updates={"x": str(float(self.rng.randrange(100)))}, predicate=keys)
        elif n % 4 == 2:
            table.optimize.compact()

    def _append(self, **options: Any) -> None:
        ids = range(self.n, self.n + self.rng.randrange(5, 40))
        rows = pa.table({"id": pa.array(ids, pa.int64()), "x": [200.0 if i % 10 == 0 else i % 90 / 1.0 for i in ids]})
        write_deltalake(self.path, rows, mode="append", **options)
        self.n = ids.stop


@pytest.mark.slow
def test_kills_of_a_history_of_changes(tmp_path: Path, spark: SparkSession) -> None:
    root, calm, start, rng = tmp_path / "killed", tmp_path / "calm", time.monotonic(), random.Random(3)
    source, at = Source(tmp_path / "source", rng), points()
    rng.shuffle(at)
    for one in (root, calm):  # the first version that is taken is taken whole
        carry_on(config(tmp_path / "source", one), spark)
    killed = kill_and_carry_on(config(tmp_path / "source", root), spark, at, source.arrive, rng)
    for one in (root, calm):
        carry_on(config(tmp_path / "source", one), spark)
    assert_same(root, calm)
    assert_sound(root, spark)
    print(told(killed, time.monotonic() - start, root))
