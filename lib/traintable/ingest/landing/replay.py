"""Records of the quarantine taken back in, once they are repaired or what was promised of them has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.errors import InputMissing
from traintable.ingest.landing.contract import fields_of
from traintable.ingest.landing.headers import Header, first_undeclared, named
from traintable.ingest.landing.ledger import REPLAY, Unit
from traintable.ingest.landing.reading import WRONG, read_again
from traintable.ingest.landing.records import BLOCK, FILE, PATH, PLACE, POSITION, RAW
from traintable.ingest.landing.target import INTERVAL, REPAIRED, Tables
from traintable.ingest_settings import IngestConfig
from traintable.progress import Progress
from traintable.session import get_spark, same_everywhere
from traintable.spark_errors import translated

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_KEY = (FILE, POSITION)


def replay(
    config: IngestConfig, *, spark: SparkSession | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Read the quarantined records again, `repaired` where somebody has set it, else as they are.

    Those that are good now go to the table, as rows of the file that they came in, and out of the quarantine; the
    others stay. A run that was interrupted is carried on with the version of the quarantine that it had begun with.
    Gives what the JSON line of the command says. Costs a pass over the quarantine for each part of the work.
    """
    progress = progress or Progress(quiet=True)
    tables = Tables.of(config)
    target, quarantine, ledger = tables.target, tables.quarantine, tables.ledger
    if not quarantine.exists:
        raise InputMissing(
            where=f"table {quarantine.path}",
            expected="quarantined records",
            found="no such table",
            remedy="Nothing has been quarantined.",
        )
    known = ledger.units().get(REPLAY, Unit())
    run = known.open[0] if known.open else f"{REPLAY}#{quarantine.version}"
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with same_everywhere(spark), translated(f"replay into {target.path}"):
        kept = spark.read.format("delta").option("versionAsOf", run.partition("#")[2]).load(quarantine.path)
        with progress.stage("read again"):
            good = _good(kept, config)
            counts = Counter({row[FILE]: int(row["count"]) for row in good.groupBy(FILE).count().collect()})
        n, moved = kept.count(), counts.total()
        if moved:
            with progress.stage("write rows"):
                if known.open is None:
                    ledger.begin_replay(run, counts)
                rows = good.drop(POSITION) if config.load.mode == "interval" else good.drop(POSITION, INTERVAL)
                target.write(rows, run)
            with progress.stage("take out of quarantine"):
                quarantine.remove(good.select(*_KEY), on=_KEY)
            with progress.stage("finish"):
                ledger.finish_replay(run, counts, target.version)
    return {
        "status": "published" if moved else "unchanged",
        "run_id": run,
        "table": target.path,
        "version": target.version,
        "model": None,
        "rows": {"read": n, "accepted": moved, "quarantined": n - moved},
        "quarantine": quarantine.path,
        "ledger": ledger.path,
    }


def _good(kept: DataFrame, config: IngestConfig) -> DataFrame:
    """The records that are good now, as rows with their file, interval and position."""
    fields = fields_of(config.columns, config.key or ())
    parts = []
    for (names,) in kept.select("names").distinct().collect():  # as many as the files have different headers
        header = None if names is None else _header(names, config)
        of_these = F.lit(None).cast("array<string>") if names is None else F.array(*map(F.lit, names))
        records = kept.where(F.col("names").eqNullSafe(of_these)).select(
            F.coalesce(REPAIRED, "raw").alias(RAW),
            F.to_json(F.struct(FILE, INTERVAL, POSITION)).alias(PATH),
            F.lit(0).cast("bigint").alias(BLOCK),
            F.col(POSITION).alias(PLACE),
        )
        parts.append(read_again(records, header, config.source, fields).where(F.col(WRONG).isNull()))
    found = reduce(lambda first, more: first.unionByName(more), parts)
    place = F.from_json(FILE, f"{FILE} string, {INTERVAL} string, {POSITION} bigint")
    placed = found.withColumn("_of", place)
    return placed.select(*[quote(f.name) for f in fields], *[f"_of.{name}" for name in (FILE, INTERVAL, POSITION)])


def _header(names: Sequence[str], config: IngestConfig) -> Header:
    header = named(names)
    return replace(header, drift=first_undeclared(header, config.columns))
