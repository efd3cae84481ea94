"""No row of one split is filled from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frames import of_rows
from traintable.config.plan import Plan
from traintable.prepare import fit_plan
from traintable.run.transform_rows import transform_rows
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# By time, the rows of the splits take turns; those of no split were removed.
ROWS = [
    (0, "test", 0, 100.0),
    (1, "train", 1, None),
    (2, "train", 2, 2.0),
    (3, "validation", 3, None),
    (4, "test", 4, 50.0),
    (5, "train", 5, None),
    (6, None, 6, 70.0),
    (7, "validation", 7, 9.0),
    (8, "train", 8, 4.0),
    (9, "test", 9, None),
    (10, "validation", 10, None),
    (11, "train", None, 500.0),
    (12, "train", None, None),
]
EXPECTED = {  # 0.5 is what train says of numbers that nothing fills
    **{0: 100.0, 1: 0.5, 2: 2.0, 3: 0.5, 4: 50.0, 5: 2.0, 7: 9.0, 8: 4.0, 9: 50.0, 10: 9.0, 11: 500.0, 12: 0.5},
}


def test_each_split_is_filled_from_its_own_rows(spark: SparkSession) -> None:
    plan = Plan.model_validate({"features": {"x": {"impute": "forward_fill", "time": "t"}}})
    staged = of_rows(spark, "id int, split string, t int, x double", ROWS).repartition(3)
    train = of_rows(spark, "id int, t int, x double", [(0, 0, 0.0), (1, 1, 1.0)])
    columns = TableColumns(key=("id",), label="t", features=("x",))
    rows = transform_rows(staged, fit_plan(train, plan).model, plan, columns)
    assert rows.columns == ["id", "t", "split", "features"]
    assert {row["id"]: row["features"][0] for row in rows.collect()} == EXPECTED
    plain = Plan.model_validate({"features": {"x": {}}})
    assert transform_rows(staged, fit_plan(train, plain).model, plain, columns).count() == len(EXPECTED)
