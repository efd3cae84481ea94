"""Keep every row that is not published, with its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import literal, quote
from traintable.delta.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RUN = "run"


def write_quarantine(removed: DataFrame, table: str, *, fingerprint: str) -> dict[str, int]:
    """Write removed rows to the Delta table `table`; returns how many of each kind it then holds of this run.

    `removed` has `kind` ("quarantined" or "filtered"), `reasons array<string>` and `row` (the row as JSON text, so
    that the table's schema stays the same whatever the sources become). They replace those of an earlier run with the
    same fingerprint, so a run that is repeated after a crash writes nothing twice. Costs a write and a count.

    >>> rows = [("quarantined", ["range:age"], '{"id": 1, "age": -4}'), ("filtered", ["no label"], '{"id": 2}')]
    >>> removed = spark.createDataFrame(rows, "kind string, reasons array<string>, row string")
    >>> write_quarantine(removed, f"{folder}/flights_quarantine", fingerprint="f00d")
    {'filtered': 1, 'quarantined': 1}
    """
    of_run = f"{quote(RUN)} = {literal(fingerprint)}"
    rows = removed.select(F.lit(fingerprint).alias(RUN), "kind", "reasons", "row")
    quarantine = Table(table)
    quarantine.replace(rows, where=of_run, partition_by=[RUN])
    counted = quarantine.rows(removed.sparkSession).where(of_run).groupBy("kind").count().orderBy("kind")
    return {row["kind"]: int(row["count"]) for row in counted.collect()}  # at most two rows
