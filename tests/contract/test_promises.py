"""What is promised of a column: bounds that are exact, and names that a source has and a table can't have."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pydantic import ValidationError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from landed import of, promises, reasons, rows
from traintable.config.ingest import IngestConfig
from traintable.contract import typed_rows
from traintable.contract.rules import fields_of
from traintable.errors import ConfigError
from traintable.ingest.job import ingest
from traintable.ingest.recount import recount
from traintable.ingest.replay import replay

EDGES = [0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1]
WHOLE = sorted({*EDGES, *(-edge for edge in EDGES), -(2**63)})
DECIMALS = [Decimal(text) for text in ("0.1", "-0.1", "9007199254740993.01", "9007199254740993.02", "1e17")]


def cases() -> list[tuple[str, Any, Any, Any, bool]]:
    """Type, value, bounds, and whether the value is between them, as Python compares numbers."""
    draw, found = random.Random(5), []
    for kind, values in (("bigint", WHOLE), ("decimal(20,2)", DECIMALS)):
        bounds = [*map(int, WHOLE[1:]), 0.5, -0.5, 1e15]
        for value in values:
            for _ in range(12):
                low, high = draw.choice([None, *bounds]), draw.choice([None, *bounds])
                exact = [None if b is None else Decimal(str(b)) for b in (low, high)]
                inside = (exact[0] is None or value >= exact[0]) and (exact[1] is None or value <= exact[1])
                found.append((kind, value, low, high, inside))
    return found


def test_bounds_of_whole_numbers_and_decimals_are_exact(spark: SparkSession) -> None:
    for kind, value, low, high, inside in cases():
        found = of("json", [f'{{"a": {value}}}'], {"a": {"type": kind, "min": low, "max": high}})
        assert (reasons(found, 1) == [[]]) is inside, (kind, value, low, high)
    every = [case for case in cases() if case[2] is not None or case[3] is not None]
    columns = {f"c{i}": {"type": kind, "min": low, "max": high} for i, (kind, _, low, high, _) in enumerate(every)}
    values = [F.lit(str(value)).cast(kind).alias(f"c{i}") for i, (kind, value, *_) in enumerate(every)]
    place = [F.lit("f").alias("_file"), F.lit(0).alias("_block"), F.lit(0).alias("_place")]
    one = typed_rows.check_rows(spark.range(1).select(*values, *place), list(columns), fields_of(promises(columns)))
    told = one.select("_wrong._reasons").head()
    assert told is not None
    assert set(told[0]) == {f"range:c{i}" for i, case in enumerate(every) if not case[4]}


def test_no_number_is_outside_when_it_is_none() -> None:
    found = of("csv", ["1.5", "", "nan", "inf"], {"a": {"type": "double", "max": 1.5}})
    assert rows(found)[:2] == [(1.5,), (None,)]
    assert reasons(found, 4)[2:] == [["range:a"], ["range:a"]]
    assert math.isclose(0.5, of("csv", ["0.5"], {"a": {"type": "float", "min": 0.5}}).columns[0][0].as_py())


@pytest.mark.parametrize(
    ("kind", "bound"), [("bigint", 2**63), ("int", -(2**63)), ("decimal(38,0)", 10**38), ("tinyint", 1e300)]
)
def test_a_bound_that_no_value_can_have_is_refused(kind: str, bound: Any) -> None:
    with pytest.raises(ConfigError, match=f"bounds that a {kind.replace('(', '.').replace(')', '.')} can have"):
        fields_of(promises({"a": {"type": kind, "min": bound}}))


RENAMED = {"id": {"source": "Order ID", "type": "bigint"}, "price": {"source": "Price (€), net", "type": "double"}}


@pytest.mark.parametrize(
    ("kind", "records", "options"),
    [
        ("csv", ["1,2.5", "x,1"], {}),
        ("json", ['{"Order ID": 1, "Price (€), net": 2.5}', '{"Order ID": "x"}'], {}),
    ],
)
def test_columns_that_have_another_name_in_the_source(kind: str, records: list[str], options: dict[str, Any]) -> None:
    found = of(kind, records, RENAMED, names=["Order ID", "Price (€), net"], **options)
    assert rows(found) == [(1, 2.5), [("type:id", "id is a bigint")]]
    assert reasons(of("json", ['{"id": 1}'], RENAMED), 1) == [["drift:id"]]


def test_a_source_names_each_column_once() -> None:
    columns = {"a": {"source": "b"}, "b": {}}
    settings = {"name": "x", "source": {"format": "json", "path": "x"}, "columns": columns, "output": {"table": "t"}}
    with pytest.raises(ValidationError, match="each column of the source once, found 'b' twice"):
        IngestConfig.model_validate(settings)


def test_renamed_and_added_columns_land_and_what_lies_elsewhere_is_recounted(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text('Order ID,"Price (€), net",Shipped To\n1,2.5,Ulm\nx,1,Rom\n')
    pq.write_table(
        pa.table({"Order ID": [2, 3], "Price (€), net": [1.0, None], "Shipped To": ["Bern", None]}),
        tmp_path / "typed.parquet",
    )
    output = {"table": "out/orders", "quarantine": "bad/orders", "ledger": "books/orders"}
    settings: dict[str, Any] = {
        "name": "orders",
        "root": str(tmp_path),
        "source": {"format": "csv", "path": "raw"},
        "columns": RENAMED,
        "load": {"drift": "add_columns"},
        "output": output,
    }
    config = IngestConfig.model_validate(settings)
    assert ingest(config, spark=spark)["rows"] == {"read": 2, "accepted": 1, "quarantined": 1}
    typed = IngestConfig.model_validate({**settings, "source": {"format": "parquet", "path": "typed.parquet"}})
    assert ingest(typed, spark=spark)["rows"] == {"read": 2, "accepted": 2, "quarantined": 0}
    landed = DeltaTable(str(tmp_path / "out/orders")).to_pyarrow_table().to_pylist()
    assert sorted((row["id"], row["price"], row["Shipped_To"]) for row in landed) == [
        (1, 2.5, "Ulm"),
        (2, 1.0, "Bern"),
        (3, None, None),
    ]
    assert recount(str(tmp_path / "out/orders"), spark=spark)[-1].ok
    bad = DeltaTable(str(tmp_path / "bad/orders"))
    bad.update(updates={"repaired": "'4,1,Rom'"})
    assert replay(config, spark=spark)["rows"]["accepted"] == 1
    landed = DeltaTable(str(tmp_path / "out/orders")).to_pyarrow_table(filters=[("id", "=", 4)]).to_pylist()
    assert [(row["price"], row["Shipped_To"]) for row in landed] == [(1.0, "Rom")]
    assert recount(str(tmp_path / "out/orders"), spark=spark)[-1].ok
