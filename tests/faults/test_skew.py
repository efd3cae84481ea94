"""One value of the column that is joined by has 90% of the rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import published
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession
from small_table import config, put_source

from traintable.config.dataset import Config
from traintable.run import run

N_ROWS = 20_000


def test_rows_are_those_of_an_oracle(tmp_path: Path, spark: SparkSession) -> None:
    source, words, table = (str(tmp_path / name) for name in ("source", "words", "t"))
    put_source(Path(source), N_ROWS, share_of_one_word=0.9)
    write_deltalake(words, pa.table({"word": ["most", "ab", "cd", "ef", "gh"], "v": [1.5, 2.5, 3.5, 4.5, 5.5]}))
    settings = config(Path(source), table, tmp_path, seed=1)
    settings["joins"] = [{"name": "w", "table": words, "on": {"word": "word"}, "columns": ["v"]}]
    settings["prepare"] = {"features": {"y": {}, "w_v": {}}}
    assert run(Config.model_validate(settings), spark=spark).status == "published"
    found = pl.from_arrow(DeltaTable(table).to_pyarrow_table())
    assert isinstance(found, pl.DataFrame)
    rows = (
        pl.read_delta(source).filter(pl.col("x").is_null() | (pl.col("x") <= 2)).join(pl.read_delta(words), on="word")
    )
    assert rows["word"].value_counts(sort=True, normalize=True)["proportion"][0] > 0.88
    expected = rows.select("id", late="minutes", y=pl.col("y").cast(pl.Float32), v=pl.col("v").cast(pl.Float32))
    y, v = (pl.col("features").list.get(i) for i in (0, 1))
    assert found.select("id", "late", y=y, v=v).sort("id").equals(expected.sort("id"))
    assert found["split"].value_counts().height == 3
    published.assert_sound(table)
