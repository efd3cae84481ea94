"""Files that are not drawn are not opened, and the probabilities are those of the two stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from traintable import sample
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N, FILES = 3_000, 20
KEY: dict[str, Any] = {"key": ["id"], "seed": 12}
P = "inclusion_probability"
FORMATS = {"parquet": "parquet", "delta in partitions": "delta", "json": "json"}
SCHEMA = "id bigint, t string, part bigint"


def stored(spark: SparkSession, folder: Path, kind: str, *, moved: int = 0) -> DataFrame:
    """Rows in about 20 files; partitions hold nulls too."""
    in_partitions = "partitions" in kind
    rows = spark.range(0, N, 1, 5 if in_partitions else FILES)
    rows = rows.selectExpr("id", "repeat('x', 30) AS t", f"IF((id + {moved}) % 4 = 0, NULL, id % 4) AS part")
    writer = rows.write.format(FORMATS[kind])
    (writer.partitionBy("part") if in_partitions else writer).save(str(folder))
    reader = spark.read.format(FORMATS[kind])
    return (reader if FORMATS[kind] == "delta" else reader.schema(SCHEMA)).load(str(folder))


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("part-*") if path.is_file() and "_delta_log" not in path.parts}


@pytest.mark.parametrize("kind", FORMATS)
def test_other_files_are_not_opened(kind: str, spark: SparkSession, tmp_path: Path) -> None:
    rows = stored(spark, tmp_path / "t", kind)
    where = dict(rows.select("id", F.col("_metadata.file_path")).toPandas().itertuples(index=False))
    whole = rows.toPandas().set_index("id")
    found = sample.from_files(rows, 0.2, file_ratio=0.3, **KEY).toPandas()
    assert list(found.columns) == [*rows.columns, P]
    expected = whole.loc[sorted(found["id"])]
    pd.testing.assert_frame_equal(found.set_index("id")[["t", "part"]].sort_index(), expected, check_dtype=False)
    read = {where[i] for i in found["id"]}
    n_files = len(files(tmp_path / "t"))
    assert len(read) == int(np.ceil(0.3 * n_files))
    there = sum(path in read for path in where.values())
    share = 0.2 * n_files / len(read)  # of the rows of these files
    assert len(found) == int(there * share + 0.5)
    np.testing.assert_allclose(found[P], len(read) / n_files * len(found) / there)
    kept = {path.split("/")[-1] for path in read}
    for path in files(tmp_path / "t"):
        if path.name not in kept:
            path.write_bytes(b"not a file of rows")
    again = sample.from_files(rows, 0.2, file_ratio=0.3, **KEY).toPandas()
    pd.testing.assert_frame_equal(again.sort_values("id"), found.sort_values("id"), check_like=True)


def test_whole_files_where_they_are_the_ratio_to_the_file(spark: SparkSession, tmp_path: Path) -> None:
    rows = stored(spark, tmp_path / "t", "parquet")
    found = sample.from_files(rows, 0.25, **KEY).toPandas()
    assert (len(found), set(found[P])) == (N // 4, {0.25})
    assert len(set(found["id"] // (N // FILES))) == FILES // 4
    assert sample.from_files(rows, 0.0, **KEY).count() == 0
    assert sample.from_files(rows, 1.0, **KEY).count() == N
    one = sample.from_files(rows.where("part = 1").coalesce(1), 0.01, **KEY)
    assert one.count() in (7, 8)  # a fifth of the 37 or 38 rows of one file in 20


def test_files_are_fair_over_seeds(spark: SparkSession, tmp_path: Path) -> None:
    rows = stored(spark, tmp_path / "t", "parquet")
    drawn = [sample.from_files(rows, 0.25, key=["id"], seed=seed) for seed in range(12)]
    counts = np.bincount([int(i) // 150 for found in drawn for i in found.select("id").toPandas()["id"]], minlength=20)
    assert counts.sum() == 12 * N // 4
    assert len(set(counts)) > 1
    assert counts.max() <= 150 * 9  # each is drawn 3 times in 12, on average


def test_rows_that_no_longer_know_their_files_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    rows = stored(spark, tmp_path / "t", "delta in partitions")
    with pytest.raises(ConfigError, match="a Delta table that is not local"):
        sample.from_files(rows.withColumn("u", F.col("id") + 1), 0.5, **KEY)
    with pytest.raises(ConfigError, match="not read from files"):
        sample.from_files(spark.range(5), 0.5, **KEY)
    counted = stored(spark, tmp_path / "j", "json").groupBy("id").count()
    with pytest.raises(ConfigError, match="can no longer trace"):
        sample.from_files(counted, 0.5, **KEY)
    with pytest.raises(ConfigError, match="a `file_ratio` that is not below `ratio`"):
        sample.from_files(rows, 0.5, file_ratio=0.2, **KEY)
    with pytest.raises(ConfigError, match="file_ratio in 0 to 1"):
        sample.from_files(rows, 0.5, file_ratio=2.0, **KEY)
