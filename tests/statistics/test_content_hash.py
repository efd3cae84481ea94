"""The content hash is that of the set of rows: no layout changes it, any other row does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from traintable.statistics import content_hash
from traintable.statistics.content_hash import hash_of, row_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS: list[dict[str, Any]] = [
    {
        "id": i,
        "a b": None if i % 7 == 0 else f"w{i % 5}",
        "c.d": None if i % 5 == 0 else i % 5,
        "x": i / 8,
        "v": [float(i), float(i % 3)],
        "w": [float(i % 3)],
        "split": ("train", "test")[i % 4 == 0],
    }
    for i in range(60)
]
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("a b", pa.string()),
        ("c.d", pa.int64()),
        ("x", pa.float64()),
        ("v", pa.list_(pa.float32())),
        ("w", pa.list_(pa.float32())),
        ("split", pa.string()),
    ]
)


def edited(*edits: tuple[int, str, Any]) -> list[dict[str, Any]]:
    rows = [dict(row) for row in ROWS]
    for i, name, value in edits:
        assert rows[i][name] != value
        rows[i][name] = value
    return rows


OTHER = {
    "one value": edited((3, "x", 1000.0)),
    "the last bit of a value": edited((8, "x", 1.0000000000000002)),
    "one null": edited((3, "a b", None)),
    "a null moved to the next column": edited((7, "a b", "w2"), (7, "c.d", None)),
    "a null become 0": edited((5, "c.d", 0)),
    "a null become empty text": edited((7, "a b", "")),
    "values of two rows exchanged": edited((3, "x", 0.5), (4, "x", 0.375)),
    "the splits of two rows exchanged": edited((4, "split", "train"), (5, "split", "test")),
    "a row twice": [*ROWS, ROWS[3]],
    "a row three times": [*ROWS, ROWS[3], ROWS[3]],
    "another row three times": [*ROWS, ROWS[5], ROWS[5]],
    "a row less": ROWS[1:],
    "one row instead of another": [*ROWS[1:], ROWS[1]],
    "an element of an array": edited((3, "v", [3.0, 1.0])),
    "elements of an array exchanged": edited((4, "v", [1.0, 4.0])),
    "an element moved to the next array": edited((4, "v", [4.0]), (4, "w", [1.0, 1.0])),
}


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(table(ROWS))


@pytest.fixture(scope="module")
def known(rows: DataFrame) -> str:
    return content_hash(rows)[0]


def test_rows_are_counted_by_split(rows: DataFrame) -> None:
    assert content_hash(rows)[1] == {"train": 45, "test": 15}


def test_no_layout_changes_the_hash(rows: DataFrame, known: str) -> None:
    assert content_hash(rows.coalesce(1).orderBy(F.desc("id")))[0] == known
    assert content_hash(rows.repartition(7))[0] == known
    assert content_hash(rows.select(*[f"`{name}`" for name in sorted(rows.columns, reverse=True)]))[0] == known


def test_sums_of_parts_give_the_same(rows: DataFrame, known: str) -> None:
    hashes = [row[0] for row in rows.select(row_hash(rows.columns)).collect()]
    assert hash_of(rows, len(hashes), sum(hashes)) == known


def test_any_other_row_changes_the_hash(spark: SparkSession, known: str) -> None:
    hashes = {what: content_hash(spark.createDataFrame(table(other)))[0] for what, other in OTHER.items()}
    assert [what for what, found in hashes.items() if found == known] == []
    assert len(set(hashes.values())) == len(hashes)


def test_another_name_or_type_changes_the_hash(rows: DataFrame, known: str) -> None:
    assert content_hash(rows.withColumnRenamed("x", "y"))[0] != known
    assert content_hash(rows.withColumn("id", F.col("id").cast("string")))[0] != known
    assert content_hash(rows.withColumn("c.d", F.col("`c.d`").cast("int")))[0] != known


def test_no_rows_have_a_hash_that_depends_on_the_columns(rows: DataFrame) -> None:
    none = rows.limit(0)
    found, counts = content_hash(none)
    assert counts == {}
    assert found != content_hash(none.drop("x"))[0]
