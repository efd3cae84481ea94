"""Removed rows are kept once, whatever is repeated."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from frames import of_rows
from traintable.publish import write_quarantine


def test_a_repeated_run_replaces_its_rows_and_leaves_those_of_others(spark: SparkSession, tmp_path: Path) -> None:
    schema = "kind string, reasons array<string>, row string"
    rows = of_rows(spark, schema, [("filtered", ["gap"], "{}"), ("quarantined", ["range:x", "null:y"], '{"x": 1}')])
    table = str(tmp_path / "q")
    expected = {"filtered": 1, "quarantined": 1}
    assert write_quarantine(rows, table, fingerprint="a") == expected
    assert write_quarantine(rows.limit(0), table, fingerprint="c") == {}
    assert write_quarantine(rows, table, fingerprint="b") == expected
    assert write_quarantine(rows, table, fingerprint="a") == expected
    kept = spark.read.format("delta").load(table)
    assert dict(kept.groupBy("run").count().collect()) == {"a": 2, "b": 2}
