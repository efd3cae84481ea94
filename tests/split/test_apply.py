"""Each method of the configuration is carried out by its function, on the rows that have no reason yet."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from frames import of_rows
from traintable import split
from traintable.config.split import Folds, Split
from traintable.split import SplitContext, add_folds, split_rows
from traintable.split.apply import FOLD_METHODS, METHODS

CONTEXT = SplitContext(("id",), "late", 7)
RATIOS = {"train": 0.5, "validation": 0.25, "test": 0.25}
SETTINGS: dict[str, dict[str, Any]] = {
    "hash": {"ratios": RATIOS},
    "group": {"by": ["place"], "ratios": RATIOS},
    "stratified": {"by": ["late"], "ratios": RATIOS},
    "stratified_group": {"by": ["place"], "ratios": RATIOS, "min_rows": 0},
    "time": {"column": "day", "validation": "2024-01-20", "test": "2024-02-10"},
}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    made = [(i, i % 2, i % 11, ["null:x"] if i % 10 == 0 else []) for i in range(60)]
    df = of_rows(spark, "id int, late int, place int, _reasons array<string>", made)
    return df.withColumn("day", F.expr("if(id = 5, null, date_add(date'2024-01-01', id))")).cache()


def test_every_method_of_the_configuration_has_its_function() -> None:
    methods = get_args(Split.model_fields["method"].annotation)
    models = {
        argument
        for method in methods
        for argument in get_args(Split.model_fields[method].annotation)
        if isinstance(argument, type) and issubclass(argument, BaseModel)
    }
    assert set(METHODS) == models
    assert set(FOLD_METHODS) == set(get_args(Folds.model_fields["kind"].annotation))
    assert set(SETTINGS) == set(methods)


def test_rows_are_split_by_the_method_that_is_chosen(rows: DataFrame) -> None:
    kept = rows.where(F.size("_reasons") == 0)
    grouped = {"by": ["place"], "ratios": RATIOS, "seed": 7}
    expected = {
        "hash": split.by_hash(kept, RATIOS, key=["id"], seed=7),
        "group": split.by_group(kept, **grouped),
        "stratified": split.stratified(kept, ["late"], RATIOS, key=["id"], seed=7),
        "stratified_group": split.stratified_by_group(kept, label="late", min_rows=0, **grouped),
        "time": split.by_time(kept, "day", validation="2024-01-20", test="2024-02-10"),
    }
    for method, by_itself in expected.items():
        settings = Split.model_validate({"method": method, **SETTINGS})  # all are declared, one is chosen
        found = split_rows(rows, settings, CONTEXT).select("id", "split", "_reasons").toPandas().set_index("id")
        assert len(found) == 60, method
        clean = found[[not len(reasons) for reasons in found["_reasons"]]]
        wanted = by_itself.select("id", "split").toPandas().set_index("id")["split"]
        assert clean["split"].to_dict() == wanted.loc[clean.index].to_dict(), method
        assert list(found.loc[5, "_reasons"]) == (["null:day"] if method == "time" else []), method
        assert list(found.loc[10, "_reasons"]) == ["null:x"], method


def test_folds_are_those_of_the_kind_that_is_chosen(rows: DataFrame) -> None:
    train = rows.withColumn("split", F.when(F.col("id") < 50, "train").otherwise("test")).drop("_reasons")
    kinds: dict[str, tuple[dict[str, Any], DataFrame]] = {
        "hash": ({}, split.k_fold(train, 3, key=["id"], seed=7, name="f")),
        "stratified": ({}, split.stratified_k_fold(train, ["late"], 3, key=["id"], seed=7, name="f")),
        "group": ({"by": ["place"]}, split.group_k_fold(train, ["place"], 3, seed=7, name="f")),
        "stratified_group": (
            {"by": ["place"], "min_rows": 0},
            split.stratified_group_k_fold(train, ["place"], "late", 3, seed=7, name="f", min_rows=0),
        ),
        "time": ({"time": "day", "gap": "1 day"}, split.time_k_fold(train, "day", 3, gap="1 day", name="f")),
    }
    for kind, (settings, expected) in kinds.items():
        folds = Folds.model_validate({"kind": kind, "n": 3, **settings})
        found = add_folds(train, folds, CONTEXT, name="f").select("id", "f")
        assert sorted(found.collect()) == sorted(expected.select("id", "f").collect()), kind
