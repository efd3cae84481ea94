"""Strata are told apart by the text that Spark writes, whatever their type; a null is one of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from frames import of_rows
from traintable.errors import ConfigError
from traintable.sample import strata
from traintable.sample.strata import as_strata, population, stratum_number, with_values

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

UTC = dt.timezone.utc
VALUES: dict[str, list[Any]] = {
    "string": ["a", "", "null", "é", " 1"],
    "int": [0, -1, 2**31 - 1],
    "bigint": [0, -(2**63), 2**63 - 1],
    "boolean": [True, False],
    "double": [0.1, 1e300, -2.5e-9, 100.0, float("inf")],
    "date": [dt.date(2013, 1, 1), dt.date(1582, 10, 15), dt.date(1, 1, 1)],
    "timestamp": [dt.datetime(2013, 1, 1, 5, tzinfo=UTC), dt.datetime(1969, 1, 1, 0, 0, 0, 120000, tzinfo=UTC)],
    "decimal(9,2)": [Decimal("1.50"), Decimal("-0.07")],
}
SCHEMA = "id int, " + ", ".join(f"`{kind}` {kind}" for kind in VALUES)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Each value of each type twice over and once more in every other row; each type has nulls."""
    table = []
    for i in range(60):
        table.append([i, *[[None, *values][i % (len(values) + 1)] for values in VALUES.values()]])
    return of_rows(spark, SCHEMA, table).cache()


@pytest.mark.parametrize(
    ("kind", "stored"),
    [*[(kind, False) for kind in VALUES], *[(k, True) for k in ("string", "int", "boolean", "date")]],
)
def test_every_row_finds_its_stratum_again(kind: str, stored: bool, rows: DataFrame, tmp_path: Path) -> None:
    if stored:
        rows.write.parquet(str(tmp_path / "rows"))
        rows = rows.sparkSession.read.parquet(str(tmp_path / "rows"))
    found = population(rows, [kind], where="test")
    given = Counter(row[0] for row in rows.select(kind).collect())
    assert next(iter(found)) == (None,)
    assert found == as_strata(rows, [kind], dict(given), where="test")  # the counts of Python's own values
    values = {stratum: (n,) for stratum, n in found.items() if stratum != (None,)}
    joined = with_values(rows, [kind], values, "n long").toPandas()
    assert len(joined) == 60 - found[None,]
    assert (joined.groupby("__stratum")["n"].agg(["size", "min", "max"]).nunique(axis=1) == 1).all()


def test_several_columns_and_none(rows: DataFrame) -> None:
    by = ["boolean", "int"]
    found = population(rows, by, where="test")
    as_text = {None: None, True: "true", False: "false"}
    words = ((as_text[a], None if b is None else str(b)) for a, b in rows.select(*by).collect())
    assert found == Counter(words)
    assert rows.select(stratum_number(by)).distinct().count() == len(found)
    assert population(rows, [], where="test") == {(): 60}
    assert population(rows.limit(0), by, where="test") == population(rows.limit(0), [], where="test") == {}
    assert with_values(rows, [], {(): (3, 0.5)}, "n long, share double").select("n", "share").distinct().count() == 1
    assert with_values(rows, [], {}, "n long").count() == 0


def test_too_many_strata_are_refused(rows: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strata, "MAX_STRATA", 59)
    with pytest.raises(ConfigError, match="60 different values of id"):
        population(rows, ["id"], where="test")
