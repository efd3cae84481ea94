"""Measure `traintable ingest` against a plain read and write of the same files, as a table in Markdown.

    python tests/benchmarks/ingest.py [csv] [json] [jdbc] [ledger]

All by default. The files are the flights ten times over, 16 of them. The peer is `spark.read` with a schema and a Delta
append, in the same session: no contract, no quarantine, no ledger. Both tables are first checked to have the same rows.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

from data import flights
from measure import HEADER, Side, compare
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).parent.parent))

from servers.postgres import Postgres
from traintable import get_spark
from traintable.config.ingest import IngestConfig
from traintable.ingest.job import ingest
from traintable.ingest.ledger import Ledger, run_name
from traintable.ingest.listing import list_files

COPIES, FILES = 10, 16
JDBC_COPIES, FILES_A_RUN = 3, 50


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


def jdbc(spark: SparkSession, folder: str) -> None:
    """Our landing of a table by four connections, and Spark's plain reading of it by one; both on this machine."""
    path = f"{folder}/flights.csv"
    rows = flights(spark, folder, JDBC_COPIES)
    rows.toPandas().to_csv(path, index=False)
    types = dict(rows.dtypes)
    server = Postgres(password=secrets.token_urlsafe(16))
    server.start()
    try:
        of_postgres = {"string": "text", "double": "double precision", "timestamp": "timestamptz"}
        columns = ", ".join(f'"{name}" {of_postgres.get(kind, kind)}' for name, kind in types.items())
        server.run(f"create table flights ({columns})")
        with server.connect() as connection, open(path, "rb") as stream:
            connection.cursor().execute("copy flights from stdin with csv header", stream=stream)
            connection.commit()
        server.run("vacuum analyze flights")
        _measure_jdbc(spark, folder, server, types)
    finally:
        server.stop()


def _measure_jdbc(spark: SparkSession, folder: str, server: Postgres, types: dict[str, str]) -> None:
    number = count()
    assert server.password is not None
    os.environ.update(BENCH_USER=server.user, BENCH_PASSWORD=server.password)
    source = {"format": "jdbc", "url": server.jdbc(), "table": "flights", "partitions": 4}
    source |= {"user": {"env": "BENCH_USER"}, "password": {"env": "BENCH_PASSWORD"}}

    def ours() -> str:
        table = f"{folder}/ours_{next(number)}"
        config = {"name": "bench", "source": source, "load": {"mode": "full"}, "output": {"table": table}}
        config["columns"] = {name: {"type": kind} for name, kind in types.items()}
        ingest(IngestConfig.model_validate({**config, "root": folder}), spark=spark)
        return table

    def theirs() -> str:
        table = f"{folder}/theirs_{next(number)}"
        options = {"url": server.jdbc(), "dbtable": "flights", "user": server.user, "password": server.password}
        reader = spark.read.format("jdbc").options(**options, fetchsize="10000", driver="org.postgresql.Driver")
        reader.load().write.format("delta").mode("append").save(table)
        return table

    _check(spark, ours(), theirs(), list(types))
    compare(spark, f"PostgreSQL to Delta, x{JDBC_COPIES}, one connection of Spark's", Side(ours), Side(theirs))


def ledger(spark: SparkSession, folder: str) -> None:
    """A run that has nothing to do: 10,000 files taken in 200 runs, and 100 taken in two."""
    sides = []
    for n_runs in (200, 2):
        root = Path(folder) / f"runs_{n_runs}"
        (root / "raw").mkdir(parents=True)
        for i in range(n_runs * FILES_A_RUN):
            (root / "raw" / f"{i:05}.csv").write_text("a\n1\n")
        files = list_files(f"{root}/raw", root=str(root))
        book = Ledger(f"{root}/landed_ledger")
        for i in range(n_runs):
            taken = files[i * FILES_A_RUN : (i + 1) * FILES_A_RUN]
            run = run_name("files", taken, "bench")
            book.begin(run, "files", taken)
            book.finish(run, "files", taken, {file.name: (1, 0) for file in taken}, i)
        config = {"name": "bench", "root": str(root), "source": {"format": "csv", "path": "raw"}}
        settings = IngestConfig.model_validate({**config, "columns": {"a": {}}, "output": {"table": "landed"}})
        assert ingest(settings)["status"] == "unchanged"
        sides.append(Side(partial(ingest, settings)))
    compare(spark, "nothing new of 10,000 files of 200 runs, the same of 100 files", *sides)


MEASURED = {
    "csv": partial(measure, kind="csv"),
    "json": partial(measure, kind="json"),
    "jdbc": jdbc,
    "ledger": ledger,
}


def main(chosen: list[str]) -> None:
    """Measure and print."""
    spark = get_spark("bench")
    with tempfile.TemporaryDirectory() as folder:
        print(HEADER, flush=True)
        for kind in chosen or MEASURED:
            MEASURED[kind](spark, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
