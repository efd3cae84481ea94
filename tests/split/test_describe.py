"""What is told of each part is what pandas counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from frames import of_pandas
from traintable.errors import ConfigError
from traintable.split import describe

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 500


def table() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"y.1": rng.choice(["a", "b", "it's", None], N, p=[0.6, 0.2, 0.1, 0.1])})
    frame["split"] = rng.choice(["train", "test", None], N, p=[0.7, 0.2, 0.1])
    instants = pd.Timestamp("2013-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 10**13, N), unit="us")
    return frame.assign(t=pd.Series(instants).where(rng.random(N) < 0.9))


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, table()).repartition(6).cache()


def test_sizes_classes_and_dates_are_those_of_the_rows(rows: DataFrame) -> None:
    found = describe(rows, "y.1", "t")
    assert list(found) == ["train", "validation", "test"]
    assert json.loads(json.dumps(found)) == found
    for part in ("train", "test"):
        mine = table()[table()["split"] == part]
        assert found[part]["rows"] == len(mine)
        assert found[part]["classes"] == mine["y.1"].fillna("null").value_counts().to_dict()
        assert found[part]["shares"] == mine["y.1"].fillna("null").value_counts(normalize=True).to_dict()
        assert pd.Timestamp(found[part]["from"]) == mine["t"].min()
        assert pd.Timestamp(found[part]["to"]) == mine["t"].max()
    assert found["validation"] == {"rows": 0, "classes": {}, "shares": {}, "from": None, "to": None}


def test_no_time_no_rows_and_unknown_columns(rows: DataFrame) -> None:
    assert set(describe(rows, "y.1")["train"]) == {"rows", "classes", "shares"}
    assert describe(rows.where("false"), "y.1")["test"] == {"rows": 0, "classes": {}, "shares": {}}
    with pytest.raises(ConfigError, match=r"'y\.2'"):
        describe(rows, "y.2")
    with pytest.raises(ConfigError, match="a date or a timestamp"):
        describe(rows, "y.1", "y.1")
