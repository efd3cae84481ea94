"""One place knows the columns of a training table; columns that rooms to come will add pass gate and publish."""

from __future__ import annotations

import doctest
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from frames import of_rows
from traintable import table_columns
from traintable.config.dataset import Config
from traintable.errors import ConfigError
from traintable.publish import publish
from traintable.quality import RuleResult, with_rule_columns
from traintable.run.gate_step import GateOutcome, run_gate
from traintable.run.staging import staging
from traintable.statistics import content_hash
from traintable.table_columns import TableColumns

FULL = TableColumns(
    key=("id",),
    label="late",
    features=("x", "y"),
    fold="fold",
    weight="weight",
    is_synthetic="is_synthetic",
    passengers=("remark", "photo"),
)
NAMES = ["id", "late", "split", "fold", "weight", "is_synthetic", "remark", "photo", "features"]
SCHEMA = (
    "id int, late int, split string, fold int, weight double, is_synthetic boolean, remark string, photo binary, "
    "features array<float>"
)
RULES = [
    {"type": "expect_column_values_to_be_between", "column": "weight", "min_value": 0, "id": "weight", "max_value": 9},
    {"type": "expect_column_values_to_match_regex", "column": "remark", "regex": "^[a-z]+$", "id": "remark"}
    | {"level": "warn"},
    {"type": "expect_column_values_to_be_between", "column": "y", "max_value": 50, "id": "y", "level": "quarantine"},
]
ROWS = [
    (
        *(i, i % 2, ("train", "validation", "test")[i % 3], i % 4 if i % 3 == 0 else None, 1 + i / 10, i % 5 == 0),
        *("Secret" if i == 4 else "word", bytes([i, 255]), [float(i), 99.0 if i == 7 else 0.5]),
    )
    for i in range(24)
]


def config(table: str) -> Config:
    return Config.model_validate(
        {
            "name": "full",
            "source": {"table": "none", "key": ["id"]},
            "label": {"name": "late", "expr": "late"},
            "split": {"method": "hash", "hash": {"ratios": {"train": 0.6, "validation": 0.2, "test": 0.2}}},
            "prepare": {"features": {"x": {}, "y": {}}},
            "gate": {"expectations": RULES, "max_quarantined": 0.2},
            "output": {"table": table},
        }
    )


def gate(spark: SparkSession, rows: list[tuple[object, ...]], table: Path, columns: TableColumns = FULL) -> GateOutcome:
    """The gate's outcome; the rows come in another order of columns, with one that the table has not."""
    df = of_rows(spark, SCHEMA, rows).select(*reversed(NAMES)).selectExpr("*", "1 AS surplus").repartition(2)
    with staging(spark, str(table.with_name("staging"))) as files:
        return run_gate(columns.select(df), columns, config(str(table)), str(table), files, previous=None, allow=())


def test_the_example_of_the_class_holds() -> None:
    assert doctest.testmod(table_columns).failed == 0
    assert doctest.testmod(table_columns).attempted > 0


def test_a_configuration_says_which_columns_there_are() -> None:
    plain = config("t")
    assert TableColumns.of(plain, ["x", "y"]).names == ("id", "late", "split", "features")
    folds = {"method": "hash", "hash": plain.split.hash, "fold": {"kind": "hash", "n": 3}}
    changed = Config.model_validate({**dict(plain), "split": folds, "output": {"table": "t", "features": "columns"}})
    assert TableColumns.of(changed, ["x", "y"]).names == ("id", "late", "split", "fold", "x", "y")


def test_weights_synthetic_rows_and_passengers_are_published(spark: SparkSession, tmp_path: Path) -> None:
    table = tmp_path / "t"
    found = gate(spark, ROWS, table)
    assert found.verdict.refusals == []
    assert (found.n_quarantined, found.reasons) == (1, {"gate:y": 1})
    assert sum(found.published.values()) == len(ROWS) - 1
    publish(found.candidate, str(table), manifest={"traintable": "0", "run_id": "r"}, features=["x", "y"])
    rows = pl.read_delta(str(table)).sort("id")
    assert set(rows.columns) == set(NAMES)
    assert rows.select([name for name in NAMES if name != "split"]).rows() == [
        (*row[:2], *row[3:8], pytest.approx(row[8])) for row in ROWS if row[0] != 7
    ]
    written = spark.read.format("delta").load(str(table))
    assert [name for name in written.columns if name != "split"] == [name for name in NAMES if name != "split"]
    assert content_hash(written)[0] == found.content_hash
    assert found.version.columns["photo"] == "binary"


def test_rules_may_be_about_any_column_and_show_no_private_value(spark: SparkSession, tmp_path: Path) -> None:
    rows = [row if row[0] != 3 else (*row[:4], -1.0, *row[5:]) for row in ROWS]
    results: dict[str, RuleResult] = {rule.id: rule for rule in gate(spark, rows, tmp_path / "t").verdict.rules}
    assert results["weight"].found == "1 of 23 rows break it, for example [-1.0]"
    assert results["remark"].found == "1 of 23 rows break it"
    assert results["remark"].level == "warn"


@pytest.mark.parametrize("name", ["weight", "is_synthetic", "remark", "photo", "fold"])
def test_each_column_counts_for_the_content_hash(spark: SparkSession, name: str) -> None:
    rows = of_rows(spark, SCHEMA, ROWS[:1])
    gate = config("t").gate.model_copy(update={"expectations": ()})
    other = rows.drop(name).selectExpr("*", f"CAST(NULL AS {rows.schema[name].dataType.simpleString()}) AS {name}")
    one, two = (with_rule_columns(FULL.select(df), gate, FULL).select("row_hash") for df in (rows, other))
    assert {row[0] for row in one.collect()}.isdisjoint({row[0] for row in two.collect()})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (TableColumns(("id",), "late", ("x",), weight="late"), "'late' in 2 of these roles"),
        (TableColumns(("id",), "late", ("x",), weight="fold", passengers=("Fold",)), "'fold' in 2 of these roles"),
        (TableColumns(("id",), "late", ("x",), weight="weigth"), "Did you mean 'weight'"),
        (
            TableColumns(("id",), "late", ("WEIGHT",), as_array=False, weight="weight"),
            "prepare.features: .*names that are free",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(spark: SparkSession, columns: TableColumns, said: str) -> None:
    rows = of_rows(spark, SCHEMA, [])
    rows = rows.withColumnRenamed("photo", "WEIGHT") if columns.features == ("WEIGHT",) else rows
    with pytest.raises(ConfigError, match=said):
        columns.select(rows)
