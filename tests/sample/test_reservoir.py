"""A reservoir is the lowest draws of what was seen, whatever was seen first and however often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from sampling import Cases, cases, ordered

from traintable import sample
from traintable.errors import ConfigError, InputMissing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEY: dict[str, Any] = {"key": ["the id", "part"], "seed": 5}
P = "inclusion_probability"


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    return cases(spark, tmp_path_factory.mktemp("layouts"))


def drawn(rows: DataFrame) -> pd.DataFrame:
    draw = sample.keyed_hash(KEY["key"], seed=KEY["seed"], purpose="sample")
    frame = rows.withColumn("draw", draw).toPandas()
    frame["u"] = (frame["draw"].astype("float64") + 2.0**63) / 2.0**64
    return frame


@pytest.mark.parametrize("by", [[], ["case"], ["s.1", "s 2"]])
@pytest.mark.parametrize("weight", [None, "w"])
def test_each_group_gives_its_lowest_ranks(by: list[str], weight: str | None, tables: Cases) -> None:
    n = 4 if by else 150
    frame = drawn(tables.df)
    frame["rank"] = frame["u"] if weight is None else -np.log1p(-frame["u"]) / frame["w"]
    frame = frame[np.isfinite(frame["rank"])]
    place = frame.groupby(by, dropna=False)["rank"] if by else frame["rank"]
    frame["place"] = place.rank()
    tau = frame[frame["place"] == n + 1].drop_duplicates(by or None)[[*by, "rank"]].rename(columns={"rank": "tau"})
    kept = (
        frame[frame["place"] <= n].merge(tau, on=by, how="left")
        if by
        else frame[frame["place"] <= n].assign(tau=tau["tau"].iloc[0])
    )
    below = kept["tau"] if weight is None else -np.expm1(-kept["w"] * kept["tau"])
    kept[P] = below.fillna(1.0)
    found = ordered(sample.reservoir(tables.df, n, by=by, weight=weight, **KEY))
    expected = kept[[*tables.frame.columns, P]].sort_values(["the id", "part"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, check_dtype=False)


def test_it_is_planned_lazily_and_bounded(tables: Cases, capsys: pytest.CaptureFixture[str]) -> None:
    sample.reservoir(tables.df, 10, **KEY).explain()
    alone = capsys.readouterr().out
    assert "TakeOrderedAndProject(limit=11" in alone
    assert "rangepartitioning" not in alone
    sample.reservoir(tables.df, 10, by=["case"], **KEY).explain()
    assert "WindowGroupLimit" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["NULL", "DOUBLE('NaN')", "-0.5D", "DOUBLE('Infinity')"])
def test_weights_that_are_none_are_refused(value: str, tables: Cases) -> None:
    wrong = tables.df.withColumn("w", F.expr(f"IF(`the id` = 33 AND part = 'two', {value}, w)"))
    with pytest.raises(PySparkException, match=r"numbers not below 0 in column 'w', found .* in row \{\"the id\":33,"):
        sample.weighted(wrong, 5, "w", **KEY).count()


def update(batch: DataFrame, table: Path, **options: Any) -> None:
    sample.update_reservoir(batch, str(table), 12, **{**KEY, **options})


def test_batches_come_to_what_all_rows_give_though_one_comes_twice(
    spark: SparkSession, tables: Cases, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"by": ["s.1"], "weight": "w", "key": ["id", "part"]}
    everything = tables.df.withColumnsRenamed({"the id": "id", "s 2": "s2"})
    batches = [everything.where(f"case % 3 = {i}") for i in range(3)]
    for i in (0, 1, 0, 2, 1):
        update(batches[i], tmp_path / "r", **options)
    expected = sample.reservoir(everything, 12, **{**KEY, **options}).toPandas().sort_values(["id", "part"])
    found = sample.read_reservoir(spark, str(tmp_path / "r")).toPandas().sort_values(["id", "part"])
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))
    assert DeltaTable(str(tmp_path / "r")).version() == 4  # one commit a batch
    held = spark.read.format("delta").load(str(tmp_path / "r"))
    assert held.count() <= 13 * everything.select("`s.1`").distinct().count()
    with pytest.raises(ConfigError, match="the settings that it was made with"):
        update(batches[0], tmp_path / "r", by=["s.1"], key=["id", "part"])
    with pytest.raises(ConfigError, match="names that Delta takes, found 's 2'"):
        update(tables.df, tmp_path / "spaces")
    with pytest.raises(Py4JJavaError, match="more than once"):
        update(batches[0].unionAll(batches[0]), tmp_path / "new", **options)


def test_a_table_of_others_and_none_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(3).write.format("delta").save(str(tmp_path / "other"))
    with pytest.raises(ConfigError, match="a table that update_reservoir has made"):
        sample.update_reservoir(spark.range(3), str(tmp_path / "other"), 2, key=["id"], seed=1)
    with pytest.raises(InputMissing):
        sample.read_reservoir(spark, str(tmp_path / "none"))


def test_a_stream_that_is_stopped_and_replays_a_batch(spark: SparkSession, tmp_path: Path) -> None:
    """The checkpoint forgets that the last batch was done, as it does when the process dies before it is noted."""
    source, checkpoint, table = tmp_path / "in", tmp_path / "checkpoint", tmp_path / "reservoir"
    parts = [spark.range(i * 500, i * 500 + 500, 1, 2).withColumn("g", F.col("id") % 3) for i in range(4)]
    settings: dict[str, Any] = {"key": ["id"], "seed": 2, "by": ["g"]}
    seen: list[int] = []

    def add(batch: DataFrame, number: int) -> None:
        seen.append(number)
        sample.update_reservoir(batch, str(table), 20, **settings)

    def run() -> None:
        stream = spark.readStream.schema("id long, g long").option("maxFilesPerTrigger", 1).parquet(str(source))
        query = stream.writeStream.foreachBatch(add).option("checkpointLocation", str(checkpoint))
        query.trigger(availableNow=True).start().awaitTermination()

    for part in parts[:2]:
        part.coalesce(1).write.mode("append").parquet(str(source))
    run()
    assert seen == [0, 1]
    for noted in (checkpoint / "commits").glob("*1"):  # the file and its checksum
        noted.unlink()
    (checkpoint / "commits" / ".1.crc").unlink(missing_ok=True)
    for part in parts[2:]:
        part.coalesce(1).write.mode("append").parquet(str(source))
    run()
    assert seen == [0, 1, 1, 2, 3]
    found = sample.read_reservoir(spark, str(table)).toPandas().sort_values("id", ignore_index=True)
    rows = spark.range(2000).withColumn("g", F.col("id") % 3)
    expected = sample.reservoir(rows, 20, **settings).toPandas().sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)
    logged = json.loads(DeltaTable(str(table)).history(1)[0]["userMetadata"])
    assert logged["reservoir"] == {"n": 20, "key": ["id"], "seed": 2, "by": ["g"], "weight": None}
