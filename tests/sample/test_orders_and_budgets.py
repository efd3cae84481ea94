"""Systematic samples, clusters and budgets of bytes against pandas, which sorts everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from traintable import sample
from traintable.sample import keyed_hash
from traintable.sample import positions as ranks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 4_000
KEY: dict[str, Any] = {"key": ["k`1", "k 2"], "seed": 23}
P = "inclusion_probability"


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Numbers with nulls, NaN, infinities, both zeros and many ties; groups of all sizes; texts of 0 to 60 bytes."""
    rng = np.random.default_rng(8)
    id_ = rng.permutation(N)
    x = rng.normal(0, 2, N).round(1)
    x[rng.random(N) < 0.05] = np.nan
    x[rng.random(N) < 0.02] = np.inf
    x[rng.random(N) < 0.02] = -0.0
    null = rng.random(N) < 0.1
    day = rng.integers(0, 200, N)
    table = {
        "k`1": pa.array(id_ // 2),
        "k 2": pa.array([None if i % 2 else "even" for i in id_]),
        "x.1": pa.array(x, mask=null),
        "big": pa.array(2**60 + rng.integers(0, 50, N)),
        "day": pa.array(np.datetime64("1970-01-01") + day - 100, pa.date32(), mask=null),
        "time": pa.array(1_000_000 * day - 7, pa.timestamp("us", "UTC")),
        "g": pa.array([None if v > 30 else int(v) for v in rng.exponential(8, N)]),
        "text": pa.array([None if i % 7 == 0 else "aé€" * int(i % 11) for i in id_]),
    }
    return spark.createDataFrame(pa.table(table)).repartition(5).cache()


def with_draws(rows: DataFrame) -> pd.DataFrame:
    frame = rows.withColumn("draw", keyed_hash(KEY["key"], seed=KEY["seed"], purpose="sample")).toArrow()
    return frame.to_pandas(types_mapper=lambda t: pd.ArrowDtype(t)).sort_values("draw", ignore_index=True)


def keys(frame: pd.DataFrame) -> set[tuple[Any, ...]]:
    return {(int(a), None if pd.isna(b) else str(b)) for a, b in zip(frame["k`1"], frame["k 2"], strict=True)}


@pytest.mark.parametrize("column", ["x.1", "big", "day", "time"])
@pytest.mark.parametrize("n", [7, 1333])
def test_a_systematic_sample_is_every_so_manieth_row_of_the_sorted(
    column: str, n: int, rows: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "ROWS_A_RANGE", 100)
    frame = with_draws(rows)
    numbers = [_number(v) for v in rows.select("`k``1`", "`k 2`", F.col(f"`{column}`")).toArrow().column(2).to_pylist()]
    by_key = rows.select("`k``1`", "`k 2`").toPandas()
    number = pd.Series(numbers, pd.MultiIndex.from_frame(by_key.fillna("odd")))
    frame["number"] = number[pd.MultiIndex.from_frame(frame[["k`1", "k 2"]].astype(object).fillna("odd"))].to_numpy()
    ranked = frame.sort_values("number", kind="stable", ignore_index=True)  # equal values stay in the order of draws
    start = rows.limit(1).select(F.pmod(keyed_hash((), seed=23, purpose="systematic start"), F.lit(N))).toArrow()
    first = start.column(0).to_pylist()[0]
    places = [place for place in range(N) if (place * n + first) % N < n]
    found = sample.systematic(rows, column, n, **KEY).toPandas()
    assert len(found) == n
    assert set(found[P]) == {n / N}
    assert keys(found) == keys(ranked.iloc[places])


def _number(value: Any) -> tuple[int, Any]:
    """What sorts as Spark does: nulls, then numbers, then NaN."""
    if value is None:
        return (0, 0)
    return (2, 0) if value != value else (1, value + 0.0 if isinstance(value, float) else value)


@pytest.mark.parametrize("n", [1, 9, 30])
def test_clusters_are_whole_groups(n: int, rows: DataFrame) -> None:
    frame = with_draws(rows)
    m = frame["g"].nunique(dropna=False)
    found = sample.cluster(rows, ["g"], n, seed=4).toPandas()
    assert found["g"].nunique(dropna=False) == n
    there = frame.groupby("g", dropna=False).size()
    for group, size in found.groupby("g", dropna=False).size().items():
        assert size == (there[there.index.isna()].iloc[0] if pd.isna(group) else there[group])
    np.testing.assert_allclose(found[P], n / m)
    ratio = sample.cluster(rows, ["g"], ratio=n / m, seed=4).toPandas()
    assert set(ratio["g"].dropna()) == set(found["g"].dropna())


def test_each_group_is_drawn_whole_where_all_are(rows: DataFrame) -> None:
    found = sample.cluster(rows, ["g"], ratio=1.0, seed=4)
    assert (found.count(), found.agg(F.min(P)).toArrow().column(0).to_pylist()) == (N, [1.0])


def test_two_stages_draw_the_lowest_of_each_group(rows: DataFrame) -> None:
    clusters = sample.cluster(rows, ["g"], 12, seed=23).toPandas()
    found = sample.two_stage(rows, ["g"], 12, 15, **KEY).toPandas()
    frame, m = with_draws(rows), with_draws(rows)["g"].nunique(dropna=False)
    assert set(found["g"].fillna(-1)) == set(clusters["g"].fillna(-1))
    for group, drawn in found.groupby(found["g"].fillna(-1)):
        of_group = frame[frame["g"].isna() if group == -1 else (frame["g"] == group).fillna(False)]
        assert keys(drawn) == keys(of_group.head(15))
        np.testing.assert_allclose(drawn[P], 12 / m * min(1, 15 / len(of_group)))


@pytest.mark.parametrize("n_bytes", [0, 5, 1000, 30_001, 10**9])
def test_rows_are_drawn_while_their_text_fits(n_bytes: int, rows: DataFrame) -> None:
    frame = with_draws(rows)
    length = frame["text"].fillna("").map(lambda text: len(str(text).encode()))
    n = int((length.cumsum() <= n_bytes).sum())
    found = sample.by_bytes(rows, "text", n_bytes, **KEY).toPandas()
    assert keys(found) == keys(frame.iloc[:n])
    expected = 1.0 if n == N else (frame["draw"].iloc[n] + 2**63) / 2**64
    np.testing.assert_allclose(found[P], expected, rtol=1e-12)


def test_several_texts_share_the_budget(rows: DataFrame) -> None:
    frame = with_draws(rows)
    length = sum(frame[name].fillna("").map(lambda text: len(str(text).encode())) for name in ("text", "k 2"))
    found = sample.by_bytes(rows, ["text", "k 2"], 5_000, **KEY)
    assert found.count() == int((length.cumsum() <= 5_000).sum())


def test_rows_that_end_a_budget_are_corrected_for(spark: SparkSession) -> None:
    """Long rows are as likely to be in as their probabilities say: estimated totals are right on average."""
    n, totals = 40, []
    lengths = np.arange(n) % 10 * 3 + 1
    texts = spark.createDataFrame(pa.table({"id": pa.array(range(n)), "text": ["x" * int(k) for k in lengths]})).cache()
    draws = texts.crossJoin(spark.range(2_000).withColumnRenamed("id", "seed"))
    draws = draws.withColumn("draw", keyed_hash(["id"], seed=F.col("seed"), purpose="sample")).toPandas()  # type: ignore[arg-type]
    for _, frame in draws.sort_values("draw").groupby("seed"):
        length = frame["text"].str.len()
        k = int((length.cumsum() <= 150).sum())
        totals.append(length.iloc[:k].sum() / ((float(frame["draw"].iloc[k]) + 2.0**63) / 2.0**64))
    assert abs(np.mean(totals) - lengths.sum()) < 4 * np.std(totals) / len(totals) ** 0.5
    for seed in (3, 4):  # and what is computed here is what by_bytes does
        frame = draws[draws["seed"] == seed].sort_values("draw")
        k = int((frame["text"].str.len().cumsum() <= 150).sum())
        found = sample.by_bytes(texts, "text", 150, key=["id"], seed=F.lit(seed).cast("long")).toPandas()  # type: ignore[arg-type]
        assert set(found["id"]) == set(frame["id"].iloc[:k])
