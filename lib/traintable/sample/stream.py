"""A reservoir over a stream: its state is a Delta table, and each batch one commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import traintable
from traintable.addresses import identifier, is_catalog_name
from traintable.columns import column_name, quote, require_columns
from traintable.delta.commits import commits
from traintable.errors import ConfigError, InputMissing
from traintable.sample.arguments import require_count, require_names
from traintable.sample.lowest import refuse_sampled
from traintable.sample.reservoir import candidates, drawn_rows, refuse_repeated, with_ranks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_WHERE = "sample.update_reservoir"


def update_reservoir(
    batch: DataFrame,
    table: str,
    n: int,
    *,
    key: Sequence[str],
    seed: int,
    by: Sequence[str] = (),
    weight: str | None = None,
) -> None:
    """Add the rows of a batch to the reservoir that the Delta table `table` keeps.

    To be called in `foreachBatch`. After any number of batches `read_reservoir` gives what `reservoir` would give of
    all their rows. The table holds the n + 1 rows of the lowest ranks (of each group of `by`) and is replaced in one
    atomic commit. A batch that comes again changes nothing: a row whose key is there already stays as it is. One writer
    at a time, as one stream is.

    Raises ConfigError when the table was made with other settings, or is somebody else's. Costs one pass over the batch
    and one over the table.
    """
    from pyspark.sql import functions as F

    require_count(n, "n", where=_WHERE)
    require_names(key, "key", where=_WHERE)
    require_columns(batch, {*key, *by, *([weight] if weight else [])}, where=_WHERE)
    refuse_sampled(batch, where=_WHERE)
    _require_names(batch)
    settings = {"n": n, "key": list(key), "seed": seed, "by": list(by), "weight": weight}
    try:
        known = _settings(table, batch.sparkSession)
    except InputMissing:
        known = None
    if known is not None and known != settings:
        raise ConfigError(
            where=f"{_WHERE}, table {table}",
            expected=f"the settings that it was made with, {known}",
            found=str(settings),
            remedy="Keep them, or name another table.",
        )
    found = candidates(with_ranks(batch, key=key, seed=seed, weight=weight, where=_WHERE), n, by, key)
    found = refuse_repeated(found, by, key, where=_WHERE)
    if known is not None:
        state = _read(batch.sparkSession, table)
        keys = [F.col(quote(name)) for name in key]
        there = state.select(*[column.alias(f"__k{i}") for i, column in enumerate(keys)])
        same = [column.eqNullSafe(F.col(f"__k{i}")) for i, column in enumerate(keys)]
        found = found.join(there, same, "left_anti").unionByName(state)
        found = candidates(found, n, by, key)
    text = json.dumps({"traintable": traintable.__version__, "reservoir": settings})
    mode = "errorifexists" if known is None else "overwrite"  # a table that could not be read must not be lost
    writer = found.write.format("delta").mode(mode).option("userMetadata", text)
    if is_catalog_name(table):
        writer.saveAsTable(table)
    else:
        writer.save(table)


def read_reservoir(spark: SparkSession, table: str) -> DataFrame:
    """The sample of all rows that `update_reservoir` has seen, with `inclusion_probability double` added.

    Raises InputMissing when there is no such table and ConfigError when it is no reservoir. Costs a pass over the
    table, which is as small as the sample.
    """
    settings = _settings(table, spark)
    return drawn_rows(
        _read(spark, table), settings["n"], settings["by"], settings["key"], settings["weight"], where=f"table {table}"
    )


def _read(spark: SparkSession, table: str) -> DataFrame:
    return spark.read.table(identifier(table))


def _require_names(batch: DataFrame) -> None:
    wrong = [name for name in batch.columns if column_name(name) != name]
    if wrong:
        raise ConfigError(
            where=_WHERE,
            expected="names that Delta takes",
            found=f"'{wrong[0]}'",
            remedy="Rename the column: without spaces, commas, brackets or '='.",
        )


def _settings(table: str, spark: SparkSession) -> dict[str, Any]:
    """The settings that the newest batch has left in its commit; InputMissing where there is no table yet."""
    for commit in commits(table, spark):
        manifest = commit.manifest()
        if manifest and "reservoir" in manifest:
            return dict(manifest["reservoir"])
    raise ConfigError(
        where=f"table {table}",
        expected="a table that update_reservoir has made",
        found="another one",
        remedy="Name another table.",
    )
