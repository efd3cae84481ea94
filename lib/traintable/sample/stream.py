"""A reservoir over a stream: its state is a Delta table, and each batch one commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import traintable
from traintable.columns import column_name, quote, require_columns
from traintable.delta.manifest import Manifest, ReservoirSettings
from traintable.delta.table import Table
from traintable.errors import ConfigError
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
    atomic commit, with the lease on it, so that several streams can feed one reservoir. A batch that comes again
    changes nothing: a row whose key is there already stays as it is.

    Raises ConfigError when the table was made with other settings, or is somebody else's. Costs one pass over the batch
    and one over the table.

    >>> rows = spark.createDataFrame([(i,) for i in range(6)], "id bigint")
    >>> update_reservoir(rows, f"{folder}/reservoir", 3, key=["id"], seed=1)
    >>> read_reservoir(spark, f"{folder}/reservoir").count()
    3
    """
    require_count(n, "n", where=_WHERE)
    require_names(key, "key", where=_WHERE)
    require_columns(batch, {*key, *by, *([weight] if weight else [])}, where=_WHERE)
    refuse_sampled(batch, where=_WHERE)
    _require_names(batch)
    settings: ReservoirSettings = {"n": n, "key": list(key), "seed": seed, "by": list(by), "weight": weight}
    manifest: Manifest = {"traintable": traintable.__version__, "reservoir": settings}
    new = candidates(with_ranks(batch, key=key, seed=seed, weight=weight, where=_WHERE), n, by, key)
    new = refuse_repeated(new, by, key, where=_WHERE)
    reservoir = Table(table, spark=batch.sparkSession)
    with reservoir.exclusive():
        if not reservoir.exists:
            reservoir.create(new, metadata=manifest)  # a table that could not be read must not be lost
            return
        _require_same(_settings(reservoir), settings, table)
        reservoir.replace(candidates(_add_new(reservoir, new, key), n, by, key), metadata=manifest)


def _add_new(reservoir: Table, batch: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows of a reservoir, and of those of a batch the ones whose key it has not."""
    from pyspark.sql import functions as F

    state = reservoir.rows(batch.sparkSession)
    keys = [F.col(quote(name)) for name in key]
    there = state.select(*[column.alias(f"__k{i}") for i, column in enumerate(keys)])
    same = [column.eqNullSafe(F.col(f"__k{i}")) for i, column in enumerate(keys)]
    return batch.join(there, same, "left_anti").unionByName(state)


def _require_same(known: ReservoirSettings, settings: ReservoirSettings, table: str) -> None:
    if known != settings:
        raise ConfigError(
            where=f"{_WHERE}, table {table}",
            expected=f"the settings that it was made with, {known}",
            found=str(settings),
            remedy="Keep them, or name another table.",
        )


def read_reservoir(spark: SparkSession, table: str) -> DataFrame:
    """The sample of all rows that `update_reservoir` has seen, with `inclusion_probability double` added.

    Raises InputMissing when there is no such table and ConfigError when it is no reservoir. Costs a pass over the
    table, which is as small as the sample.

    >>> rows = spark.createDataFrame([(i,) for i in range(6)], "id bigint")
    >>> update_reservoir(rows, f"{folder}/reservoir", 3, key=["id"], seed=1)
    >>> read_reservoir(spark, f"{folder}/reservoir").columns
    ['id', 'inclusion_probability']
    """
    reservoir = Table(table, spark=spark)
    known = _settings(reservoir)
    rows = reservoir.rows(spark)
    return drawn_rows(rows, known["n"], known["by"], known["key"], known["weight"], where=f"table {table}")


def _require_names(batch: DataFrame) -> None:
    wrong = [name for name in batch.columns if column_name(name) != name]
    if wrong:
        raise ConfigError(
            where=_WHERE,
            expected="names that Delta takes",
            found=f"'{wrong[0]}'",
            remedy="Rename the column: without spaces, commas, brackets or '='.",
        )


def _settings(reservoir: Table) -> ReservoirSettings:
    """The settings that the newest batch has left in its commit; InputMissing where there is no table."""
    for commit in reservoir.newest_commits():
        manifest = commit.manifest()
        if manifest and "reservoir" in manifest:
            return manifest["reservoir"]
    raise ConfigError(
        where=f"table {reservoir.address}",
        expected="a table that update_reservoir has made",
        found="another one",
        remedy="Name another table.",
    )
