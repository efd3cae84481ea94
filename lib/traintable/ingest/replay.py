"""Records of the quarantine taken back in, once they are repaired or what was promised of them has changed."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, final

from pyspark.sql import functions as F
from typing_extensions import TypedDict

from traintable.columns import literal, quote
from traintable.config.ingest import IngestConfig
from traintable.config.sources import TextSource
from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, POSITION, RAW
from traintable.contract.rules import fields_of
from traintable.delta.table import MergeClauses, Table
from traintable.errors import AccountingError, ConfigError, InputMissing
from traintable.ingest.drift import added_columns, undeclared
from traintable.ingest.formats.headers import header_of
from traintable.ingest.formats.text_rows import WRONG, read_again
from traintable.ingest.ledger import REPLAY
from traintable.ingest.merge import merge_landed
from traintable.ingest.tables import INTERVAL, REPAIRED, REPLAYED, IngestTables, n_written, transaction_of
from traintable.spark.errors import translate_spark_errors
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_CONTENT = "_content"
_PLACE = (FILE, INTERVAL, POSITION, "run", _CONTENT)
# The key of quarantined records: several may begin in one line.
_KEY = {
    FILE: f"target.{FILE}",
    POSITION: f"target.{POSITION}",
    "run": "target.run",
    _CONTENT: f"sha2(to_json(struct(target.raw, target.{REPAIRED})), 256)",
}
_AS_THEY_WERE = ("encoding", "header", "size")  # no other promise takes these away: the record has to be repaired


@final
class ReplayResult(TypedDict):
    """What the JSON line of the command says; `rows` are records of the quarantine."""

    status: str
    run_id: str
    table: str
    version: int
    model: None
    rows: dict[str, int]
    quarantine: str
    ledger: str


def replay(
    config: IngestConfig, *, spark: SparkSession | None = None, progress: Progress | None = None
) -> ReplayResult:
    """Read the quarantined records again, `repaired` where somebody has set it, else as they are.

    Those that are good now go to the table, as rows of the file that they came in, and out of the quarantine; the
    others stay. What is taken is marked in the quarantine first (`replayed`), so that a run that was interrupted can be
    ended by the next. Gives what the JSON line of the command says. Costs a few passes over the quarantine.

    Raises InputMissing where there is no quarantine, and ConfigError while an extraction is not done.
    """
    progress = progress or Progress(quiet=True)
    tables = IngestTables.of(config)
    if not tables.quarantine.exists:
        raise InputMissing(
            where=f"table {tables.quarantine.address}",
            expected="quarantined records",
            found="no such table",
            remedy="Nothing has been quarantined.",
        )
    _refuse_while_open(tables)
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with pinned_settings(spark), translate_spark_errors(f"replay into {tables.landed.address}", remedy="Do it again."):
        with progress.stage("end what was begun"):
            moved = sum(end_replay(tables, spark, config).values())
        with progress.stage("read again"):
            kept = _kept(tables, spark)
            n, good = kept.count(), _good(kept, config)
            run = f"{REPLAY}#{secrets.token_hex(4)}"
            n_good = good.count() if good is not None else 0
        if good is not None and n_good:
            with progress.stage("mark"):
                _mark(tables.quarantine, good, run)
            with progress.stage("write rows"):
                _write(tables, spark, config, run, n_good)
            with progress.stage("take out of quarantine"):
                end_replay(tables, spark, config)
    return {
        "status": "published" if moved + n_good else "unchanged",
        "run_id": run,
        "table": tables.table.address,
        "version": tables.table.version,
        "model": None,
        "rows": {"read": n + moved, "accepted": n_good + moved, "quarantined": n - n_good},
        "quarantine": tables.quarantine.address,
        "ledger": tables.ledger.address,
    }


def end_replay(tables: IngestTables, spark: SparkSession, config: IngestConfig) -> dict[str, int]:
    """End a replay that has begun: what it has written goes out of the quarantine, what it has not loses its mark.

    The records that went, by file.
    """
    marked = tables.quarantine.rows(spark).where(F.col(REPLAYED).isNotNull())
    counted = marked.groupBy(REPLAYED, FILE).count().collect()  # one row a file of the replay
    if not counted:
        return {}
    run = counted[0][REPLAYED]
    if not tables.landed.has(transaction_of(run)):
        tables.quarantine.update(spark, f"{REPLAYED} IS NOT NULL", {REPLAYED: "NULL"})
        return {}
    merge_landed(config, tables, spark, run)
    counts = {row[FILE]: int(row["count"]) for row in counted}
    if run not in {row["run"] for row in tables.ledger.rows()}:
        tables.ledger.finish_replay(run, counts, tables.landed.version)
    tables.quarantine.delete(spark, f"{REPLAYED} = {literal(run)}")
    return counts


def _mark(quarantine: Table, good: DataFrame, run: str) -> None:
    """Write the run into `replayed` of the records that are good now."""
    on = " AND ".join(f"{expression} = source.{quote(name)}" for name, expression in _KEY.items())
    quarantine.merge(good.select(*_KEY).distinct(), MergeClauses(on, update={REPLAYED: literal(run)}))


def _refuse_while_open(tables: IngestTables) -> None:
    begun = [name for name, state in tables.ledger.states().items() if state.open is not None]
    if begun:
        raise ConfigError(
            where=f"table {tables.landed.address}",
            expected="no extraction that has begun and is not done",
            found=f"one of '{begun[0]}'",
            remedy="Let `traintable ingest` end it first.",
        )


def _kept(tables: IngestTables, spark: SparkSession) -> DataFrame:
    """The quarantined records that reading again may be of use for."""
    kept = tables.quarantine.rows(spark)
    as_they_were = F.array(*map(F.lit, _AS_THEY_WERE))
    return kept.where(F.col(REPAIRED).isNotNull() | ~F.arrays_overlap("reasons", as_they_were))


def _write(tables: IngestTables, spark: SparkSession, config: IngestConfig, run: str, n_good: int) -> None:
    """Write the marked records, which must be as many as were found to be good."""
    good = _good(_kept(tables, spark).where(F.col(REPLAYED) == run), config)
    assert good is not None
    rows = good.drop(POSITION, "run", _CONTENT)
    rows = rows if config.load.mode == "interval" else rows.drop(INTERVAL)
    tables.landed.append(
        rows,
        transaction=transaction_of(run),
        metadata={"run": run},
        add_columns=config.load.drift == "add_columns",
    )
    written = n_written(tables.landed, run)
    if written != n_good:
        raise AccountingError(
            where=f"replay into {tables.landed.address}",
            expected=f"{n_good} rows, as many as records were marked",
            found=f"{written}",
            remedy="They are still in the quarantine, marked. Nobody else may write to these tables.",
        )


def _as_kept(config: IngestConfig) -> TextSource:
    """How the records of the quarantine are to be read: as they came, or as the JSON of what had types."""
    if isinstance(config.source, TextSource):
        return config.source
    binary = [name for name, column in config.columns.items() if column.type == "binary"]
    if binary:
        raise ConfigError(
            where=f"columns.{binary[0]}",
            expected="columns whose values the quarantine keeps as they are",
            found="one of type binary",
            remedy="Correct the source and land it again.",
        )
    return TextSource(format="json", path="-")


def _good(kept: DataFrame, config: IngestConfig) -> DataFrame | None:
    """The records that are good now, as rows with their file, interval, position and run; None where there are none."""
    parts, source = [], _as_kept(config)
    for (names,) in kept.select("names").distinct().collect():  # as many as the files have different headers
        header = None if names is None else header_of(names)
        unknown = [] if header is None else undeclared(header.names, config)
        more = added_columns(unknown, "the quarantine", config) if config.load.drift == "add_columns" else {}
        if header is not None and unknown and not more:
            header = replace(header, drift=unknown[0])
        fields = fields_of({**config.columns, **more}, config.key or ())
        of_these = F.lit(None).cast("array<string>") if names is None else F.array(*map(F.lit, names))
        these = kept.where(F.col("names").eqNullSafe(of_these)).alias("target")
        records = these.withColumn(_CONTENT, F.expr(_KEY[_CONTENT])).select(
            F.coalesce(REPAIRED, "raw").alias(RAW),
            F.to_json(F.struct(*_PLACE)).alias(PATH),
            F.lit(0).cast("bigint").alias(BLOCK),
            F.col(POSITION).alias(PLACE),
        )
        parts.append(read_again(records, header, source, fields).where(F.col(WRONG).isNull()))
    if not parts:
        return None
    rows = reduce(lambda first, more: first.unionByName(more, allowMissingColumns=True), parts)
    columns = [quote(name) for name in rows.columns if name not in (FILE, WRONG)]
    place = F.from_json(FILE, f"{FILE} string, {INTERVAL} string, {POSITION} bigint, run string, {_CONTENT} string")
    return rows.withColumn("_of", place).select(*columns, *[f"_of.{name}" for name in _PLACE])
