"""One scan equals pandas, to the same last bit under any partitions."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from traintable.errors import ConfigError
from traintable.statistics import Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 2000
WANTED = Wanted(("x", "large", "whole", "exact", "flag", "nothing"), ("word", "flag", "whole"))


def table() -> pa.Table:
    """Columns of all kinds, with nulls, NaN and infinities."""
    rng = np.random.default_rng(3)

    def some(values: Any, kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(N) < 0.1)

    x = rng.normal(size=N)
    x[:30] = np.repeat([np.nan, np.inf, -np.inf], 10)
    return pa.table(
        {
            "x": some(x, pa.float64()),
            "large": some(rng.normal(size=N) + 1e9, pa.float64()),
            "whole": some(rng.integers(-5, 5, N), pa.int32()),
            "exact": some([Decimal(int(v)) / 100 for v in rng.integers(0, 1000, N)], pa.decimal128(10, 2)),
            "flag": some(rng.random(N) < 0.3, pa.bool_()),
            "nothing": pa.nulls(N, pa.float64()),
            "word": some(rng.choice(["", "a", "A", "é", "a b", "null"], N), pa.string()),
        }
    )


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(table()).cache()


@pytest.fixture(scope="module")
def learned(rows: DataFrame) -> Statistics:
    return scan(rows.repartition(7, "large"), WANTED)


def canonical(statistics: Statistics) -> Any:
    """All that was learned, in one order."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: ordered(inner) for name, inner in value.items()}
        return sorted(map(ordered, value), key=repr) if isinstance(value, list) else value

    return ordered(json.loads(statistics.to_json()))


def test_numbers_equal_those_of_pandas(learned: Statistics) -> None:
    frame = table().select(WANTED.numeric).to_pandas().astype("float64").replace([np.inf, -np.inf], np.nan)
    assert learned.n_rows == N
    assert learned.gram.n_invalid[0] == sum(not np.isfinite(v) for v in table()["x"].to_pylist() if v is not None) > 0
    fill = frame.mean().fillna(0.0)
    moments = learned.gram.imputed(fill.to_dict())
    for name in WANTED.numeric:
        assert learned.gram.count(name) == frame[name].count()
        np.testing.assert_allclose(learned.gram.mean(name), frame[name].mean(), rtol=1e-12)
    centred = frame.fillna(fill) - fill  # so that pandas' own rounding does not count
    np.testing.assert_allclose(moments.covariance, centred.cov(), rtol=1e-9, atol=1e-9)


def test_counts_equal_those_of_pandas(learned: Statistics) -> None:
    for name in WANTED.categorical:
        texts = table()[name].cast(pa.string()).to_pylist()
        counts = pd.Series(texts, dtype=object).value_counts(dropna=False)
        assert learned.frequencies[name].counts == counts.to_dict()


@pytest.mark.parametrize("layout", ["1 partition", "20 partitions, half of them empty", "sorted the other way"])
def test_any_layout_gives_the_same_to_the_last_bit(layout: str, rows: DataFrame, learned: Statistics) -> None:
    laid = {
        "1 partition": rows.coalesce(1),
        "20 partitions, half of them empty": rows.repartition(20, F.col("whole")),
        "sorted the other way": rows.coalesce(1).orderBy(F.desc("x"), "large"),
    }
    assert canonical(scan(laid[layout], WANTED)) == canonical(learned)


def test_no_rows_give_nothing(rows: DataFrame) -> None:
    learned = scan(rows.where("word = 'no such word'"), WANTED)
    assert learned.n_rows == learned.gram.count("x") == 0
    assert np.isnan(learned.gram.mean("x"))
    assert learned.frequencies["word"].vocabulary(top_k=5) == []


def test_rows_are_counted_when_nothing_else_is_wanted(rows: DataFrame) -> None:
    assert scan(rows, Wanted()).n_rows == N


def test_columns_may_have_any_name(spark: SparkSession) -> None:
    strange = ("a.b", "c d", "e`f", "c0", "é'\"", "a")
    rows = spark.createDataFrame(pa.table({name: [i, i + 2] for i, name in enumerate(strange)}))
    learned = scan(rows, Wanted(strange, strange[:3]))
    assert [learned.gram.mean(name) for name in strange] == [i + 1 for i in range(len(strange))]
    assert learned.frequencies["c d"].counts == {"1": 1, "3": 1}


def test_an_unknown_column_is_named_with_the_nearest(rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"'larg'.*'large'"):
        scan(rows, Wanted(("x", "larg")))
    with pytest.raises(ConfigError, match=r"'wrd'.*'word'"):
        scan(rows, Wanted((), ("wrd",)))


def test_wants_together_are_learned_once() -> None:
    both = Wanted(("a", "b"), ("c",)) | Wanted(("b", "d"), ("a", "c"))
    assert both == Wanted(("a", "b", "d"), ("c", "a"))
