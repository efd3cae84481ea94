"""Keep every row that is not published, with its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.addresses import is_catalog_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RUN = "run"


def write_removed(removed: DataFrame, table: str, *, fingerprint: str) -> dict[str, int]:
    """Write removed rows to the Delta table `table`; returns how many of each kind it then holds of this run.

    `removed` has `kind` ("quarantined" or "filtered"), `reasons array<string>` and `row` (the row as JSON text, so
    that the table's schema stays the same whatever the sources become). They replace those of an earlier run with the
    same fingerprint, so a run that is repeated after a crash writes nothing twice. Costs a write and a count.
    """
    columns = ["kind", "reasons", "row"]
    writer = removed.select(F.lit(fingerprint).alias(RUN), *columns).write.format("delta").partitionBy(RUN)
    writer = writer.mode("overwrite").option("replaceWhere", f"{RUN} = '{fingerprint}'")
    if is_catalog_name(table):
        writer.saveAsTable(table)
        written = removed.sparkSession.read.table(table)
    else:
        writer.save(table)
        written = removed.sparkSession.read.format("delta").load(table)
    counted = written.where(F.col(RUN) == fingerprint).groupBy("kind").count().collect()  # at most two rows
    return {row["kind"]: int(row["count"]) for row in counted}
