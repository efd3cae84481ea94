"""Drivers that land rows of a database beyond a watermark, and merge them by key, are killed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from kills import carry_on, kill_and_carry_on, points
from pyspark.sql import SparkSession
from verdicts import assert_sound, content, told, twice

from servers.postgres import Postgres

TABLE = "kills_orders"
COLUMNS = {"id": {"type": "bigint"}, "x": {"type": "double", "max": 100}, "at": {"type": "timestamp"}}


def config(postgres: Postgres, root: Path) -> dict[str, Any]:
    source = {"format": "jdbc", "url": postgres.jdbc(), "table": TABLE, "partitions": 2}
    load = {"mode": "watermark", "column": "at", "lookback": "2 hours", "merge": {"order_by": "at"}}
    known = {"name": "kills", "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}}
    return {**known, "root": str(root), "source": source, "load": load}


class Orders:
    """A table to which rows come, also late ones and bad ones, and whose good rows change."""

    def __init__(self, postgres: Postgres, rng: random.Random) -> None:
        self.postgres, self.rng, self.n, self.minute = postgres, rng, 0, 0
        postgres.run(f"create table {TABLE} (id bigint primary key, x double precision, at timestamptz)")

    def arrive(self, _: int) -> None:
        """Some rows more, one of which is bad, and some that come late; and other states of some that were there."""
        rng = self.rng
        old = [i for i in rng.sample(range(self.n), min(self.n, 20)) if i % 10]  # a bad one stays as it is
        new = range(self.n, self.n + rng.randrange(20, 60))
        late = {i: rng.randrange(-60, 0) for i in new if i % 4 == 1}
        self.minute += 90
        values = [(i, 200 if i % 10 == 0 else i % 90, self.minute + late.get(i, i % 60)) for i in new]
        changed = [(i, rng.randrange(100), self.minute + 60 + rng.randrange(30)) for i in old]
        rows = ", ".join(
            f"({i}, {x}, timestamptz '2026-11-01' + interval '{m} minutes')" for i, x, m in values + changed
        )
        self.postgres.run(
            f"insert into {TABLE} values {rows} on conflict (id) do update set x = excluded.x, at = excluded.at"
        )
        self.n = new.stop


def expected(postgres: Postgres) -> dict[str, list[tuple[Any, ...]]]:
    """What PostgreSQL itself says that is good, and bad."""
    found = {}
    for name, where in (("landed", "x <= 100"), ("landed_quarantine", "x > 100")):
        rows = postgres.run(f"select id, x, extract(epoch from at)::bigint from {TABLE} where {where} order by id")
        found[name] = [tuple(row) for row in rows]
    return found


@pytest.mark.slow
def test_kills_of_merges_of_rows_beyond_a_watermark(
    tmp_path: Path, spark: SparkSession, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGUSER", postgres.user)
    monkeypatch.setenv("PGPASSWORD", str(postgres.password))
    root, calm, start, rng = tmp_path / "killed", tmp_path / "calm", time.monotonic(), random.Random(2)
    orders, at = Orders(postgres, rng), points()
    rng.shuffle(at)
    killed = kill_and_carry_on(config(postgres, root), spark, at, orders.arrive, rng)
    carry_on(config(postgres, root), spark)
    carry_on(config(postgres, calm), spark)
    seconds = time.monotonic() - start
    merged = DeltaTable(str(root / "landed")).to_pyarrow_table().sort_by("id").to_pylist()
    known = expected(postgres)
    assert [(row["id"], row["x"], int(row["at"].timestamp())) for row in merged] == known["landed"]
    assert content(root / "landed", without=["_file"]) == content(calm / "landed", without=["_file"])
    # Rows within the lookback are read by several runs, each of which has a `_file` of its own, but once by each.
    assert twice(content(root / "landed_log")) == 0
    bad = content(root / "landed_quarantine", ["_file", "raw"])
    assert twice(bad) == 0
    assert {json.loads(json.loads(row)["raw"])["id"] for row in bad} == {row[0] for row in known["landed_quarantine"]}
    raw = set(content(root / "landed_quarantine", ["raw"]))
    assert raw == set(content(calm / "landed_quarantine", ["raw"]))
    assert_sound(root, spark)
    print(told(killed, seconds, root))
