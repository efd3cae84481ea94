"""Readers that look while runs publish, runs are refused, and others write to the table without a gate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from gated_tables import PASSED, counts_of, hash_of, manifest_of, publish, write
from traintable.config import load
from traintable.errors import GateRefused
from traintable.publish import history
from traintable.run import Outcome, run
from traintable.statistics import content_hash

SCRIPT = Path(__file__).with_name("stream_reader.py")
FLIGHTS = SCRIPT.parent.parent.parent / "conf" / "flights.yaml"
QUICK = ("split.method=stratified", "source.where=month = 2")
REFUSE = "gate.expectations=[{type: expect_column_max_to_be_between, column: late, max_value: 0}]"
PATIENCE_SECONDS = 60


@contextmanager
def reading_on(table: str, folder: Path, how: str) -> Iterator[None]:
    """A process that reads while the body runs, and has not failed when it ends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SCRIPT), table, str(folder), how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
    try:
        yield
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)  # its standard input ends
        assert process.returncode == 0, errors
    finally:
        process.kill()
        process.wait()


class Seen:
    """What the two readers have written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def gated(self) -> list[Path]:
        """The rows of each version that was followed, in the order in which they came."""
        return sorted(self.folder.glob("*-*.parquet"), key=lambda path: int(path.stem.split("-")[0]))

    def naive(self) -> list[tuple[int, dict[str, int]]]:
        path = self.folder / "naive"
        return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for(self, version: int, *, is_gated: bool) -> None:
        """Wait until the naive reader has seen a version, and the gated one too if it may."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (
            version in [v for v, _ in self.naive()]
            and (not is_gated or str(version) in [path.stem.split("-")[1] for path in self.gated()])
        ):
            assert time.monotonic() < deadline, f"version {version} is not seen"
            time.sleep(0.02)


def test_a_reader_gets_each_gated_version_and_no_other(
    spark: SparkSession, small: Sequence[str], published: Outcome, tmp_path: Path
) -> None:
    table = str(tmp_path / "t")
    shutil.copytree(published.table, table)
    first = DeltaTable(table, version=0).to_pyarrow_table()
    first = first.take(list(range(0, len(first), 30)))  # of all splits
    (tmp_path / "seen").mkdir()
    seen = Seen(tmp_path / "seen")
    expected = {}  # what each version has, as we know it

    def committed(rows: dict[str, int], *, is_gated: bool) -> None:
        version = len(expected)
        assert DeltaTable(table).version() == version
        expected[version] = (is_gated, {split: n for split, n in rows.items() if n})
        seen.wait_for(version, is_gated=is_gated)

    with reading_on(table, seen.folder, "gated"), reading_on(table, seen.folder, "naive"):
        committed(published.rows["published"], is_gated=True)
        publish(table, first)
        committed(counts_of(first), is_gated=True)
        appended = spark.read.format("delta").load(table).where("split = 'train'").limit(7)
        appended.write.format("delta").mode("append").save(table)
        counts = expected[1][1]
        committed({**counts, "train": counts["train"] + 7}, is_gated=False)
        with pytest.raises(GateRefused, match="expect_column_max_to_be_between of late"):
            run(load(FLIGHTS, [*small, f"output.table={table}", *QUICK, REFUSE]), spark=spark)
        assert DeltaTable(table).version() == 2
        write(table, first.slice(0, 30), manifest_of(first.slice(0, 30), gate={**PASSED, "refusals": ["x"]}))
        committed(counts_of(first.slice(0, 30)), is_gated=False)
        again = run(load(FLIGHTS, [*small, f"output.table={table}", *QUICK]), allow=["rows"], spark=spark)
        committed(again.rows["published"], is_gated=True)
        write(table, first.slice(0, 40), None)
        committed(counts_of(first.slice(0, 40)), is_gated=False)
        for n in (900, 1000, 1100):  # one after the other, which the naive reader may not all see
            publish(table, first.slice(100, n))
            expected[len(expected)] = (True, counts_of(first.slice(100, n)))
        seen.wait_for(8, is_gated=True)

    followed = [path.stem.split("-")[1] for path in seen.gated()]
    assert followed == [str(version) for version, (is_gated, _) in expected.items() if is_gated]
    assert followed == ["0", "1", "4", "6", "7", "8"]
    manifests = {commit["version"]: commit["manifest"] for commit in history(table)}
    for path in seen.gated():
        version = int(path.stem.split("-")[1])
        rows = pq.read_table(path)
        assert counts_of(rows) == expected[version][1]
        told = manifests[version]["content_hash"]
        assert told == (content_hash(spark.read.parquet(str(path)))[0] if version in (0, 4) else hash_of(rows))
    assert all(counts == expected[version][1] for version, counts in seen.naive())
    assert {version for version, _ in seen.naive()} >= {0, 1, 2, 3, 4, 5, 8}
