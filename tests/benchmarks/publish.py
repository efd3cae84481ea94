"""What the gate and a publish cost, against a plain Delta write of the same rows: python tests/benchmarks/publish.py

The rows are those that `make run` has published: 325,678 rows of 169 features. Both sides run in turn, five times after
one that does not count, in one process, from the same Parquet files.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import HEADER, Side, compare
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from traintable import get_spark, publish
from traintable.config.dataset import Config, load
from traintable.delta.attachments import Attachments
from traintable.delta.lease import lease
from traintable.run.gate_step import run_gate
from traintable.run.staging import staging
from traintable.statistics import content_hash
from traintable.table_columns import TableColumns

PUBLISHED = Path("data/training/flights")
SMALL = 1000  # rows, about


def gate_and_publish(rows: DataFrame, names: list[str], config: Config, table: str, folder: str) -> None:
    """Write, audit, publish; the result of the gate is attached, as in a run."""
    with staging(rows.sparkSession, f"{folder}/staging/run") as files:
        columns = TableColumns.of(config, names)
        found = run_gate(rows, columns, config, table, files, previous=None, allow=())
        found.attach(Attachments(f"{table}_manifests"), name=config.name, run_id="bench", table=table)
        found.verdict.raise_if_refused(table)
        with lease(table) as held:
            held.require()
            publish.publish(found.candidate, table, manifest={"traintable": "bench", "run_id": "bench"}, features=names)


def plain(rows: DataFrame, table: str, mode: str) -> None:
    """What one writes without any of this."""
    rows.write.format("delta").partitionBy("split").mode(mode).save(table)


def main(published: str) -> None:
    """Print both comparisons."""
    spark = get_spark("bench", spark__ui__enabled="false")
    config = load("conf/flights.yaml", ["gate.min_rows_per_split=10"])
    names = [f"f{i}" for i in range(len(spark.read.format("delta").load(published).select("features").head()[0]))]
    without = {"expectations": config.gate.expectations[::2]}  # no rule on a feature by its name
    config = config.model_copy(update={"gate": config.gate.model_copy(update=without)})
    print(HEADER)
    with tempfile.TemporaryDirectory() as folder:
        spark.read.format("delta").load(published).write.parquet(f"{folder}/rows")
        everything = spark.read.parquet(f"{folder}/rows")
        some = F.xxhash64("time_hour", "carrier", "flight") % (everything.count() // SMALL) == 0
        everything.where(some).coalesce(1).write.parquet(f"{folder}/small")
        for name, mode in (("rows", "overwrite"), ("small", "append")):
            rows = spark.read.parquet(f"{folder}/{name}")
            ours, theirs = f"{folder}/ours_{name}", f"{folder}/theirs_{name}"
            gate_and_publish(rows, names, config, ours, folder)
            plain(rows, theirs, mode)
            hashes = {content_hash(spark.read.format("delta").load(table))[0] for table in (ours, theirs)}
            assert len(hashes) == 1
            n = rows.count()
            compare(
                spark,
                f"{n:,} rows gated and published : plain {mode}",
                Side(lambda r=rows, t=ours: gate_and_publish(r, names, config, t, folder)),
                Side(lambda r=rows, t=theirs, m=mode: plain(r, t, m)),
            )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(PUBLISHED))
