"""Measure `traintable ingest` against a plain read and write of the same files, as a table in Markdown.

    python tests/benchmarks/ingest.py [csv] [json]

The files are the flights ten times over, 16 of them. The peer is `spark.read` with a schema and a Delta append, in the
same session: no contract, no quarantine, no ledger. That both tables have the same rows is checked first.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from itertools import count
from pathlib import Path

from data import flights
from measure import HEADER, Side, compare
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from traintable import get_spark
from traintable.ingest.landing.job import ingest
from traintable.ingest_settings import IngestConfig

COPIES, FILES = 10, 16


def measure(spark: SparkSession, folder: str, kind: str) -> None:
    """Our landing of files of one format, and Spark's."""
    rows = flights(spark, folder, COPIES)
    raw = f"{folder}/raw_{kind}"
    writer = rows.repartition(FILES).write.mode("overwrite")
    if kind == "csv":
        writer.option("header", True).csv(raw)
    else:
        writer.option("ignoreNullFields", False).json(raw)
    types = dict(rows.dtypes)
    schema = ", ".join(f"{name} {kind_}" for name, kind_ in types.items())
    number = count()

    def ours() -> str:
        table = f"{folder}/ours_{next(number)}"
        config = {
            "name": "bench",
            "source": {"format": kind, "path": raw},
            "columns": {name: {"type": kind_} for name, kind_ in types.items()},
            "output": {"table": table},
        }
        result = ingest(IngestConfig.model_validate({**config, "root": folder}), spark=spark)
        assert result["rows"]["quarantined"] == 0, result
        return table

    def theirs() -> str:
        table = f"{folder}/theirs_{next(number)}"
        reader = spark.read.schema(schema)
        found = reader.option("header", True).csv(raw) if kind == "csv" else reader.json(raw)
        found.write.format("delta").mode("append").save(table)
        return table

    _check(spark, ours(), theirs(), list(types))
    name = f"{kind} to Delta, x{COPIES}, plain spark.read and write"
    compare(spark, name, Side(ours), Side(theirs))
    for path in (*Path(folder).glob("ours_*"), *Path(folder).glob("theirs_*")):
        shutil.rmtree(path)


def _check(spark: SparkSession, a: str, b: str, columns: list[str]) -> None:
    """Raise unless both tables have the same rows."""
    sums = [
        spark.read.format("delta")
        .load(table)
        .agg(F.count("*"), F.sum(F.xxhash64(*columns).cast("decimal(38,0)")))
        .first()
        for table in (a, b)
    ]
    assert sums[0] == sums[1], sums


def main(chosen: list[str]) -> None:
    """Measure and print."""
    spark = get_spark("bench")
    with tempfile.TemporaryDirectory() as folder:
        print(HEADER, flush=True)
        for kind in chosen or ("csv", "json"):
            measure(spark, folder, kind)


if __name__ == "__main__":
    main(sys.argv[1:])
