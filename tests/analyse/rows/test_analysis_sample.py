"""The rows that an analysis takes to the driver: those of the lowest draws, whatever the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis_contexts import of_table
from frames import of_pandas
from traintable.analyse.rows.context import AnalysisContext
from traintable.analyse.rows.keyed_random import keyed_bits, random_order, random_uniform
from traintable.analyse.rows.sample import PURPOSE
from traintable.columns import quote
from traintable.errors import ConfigError
from traintable.sample import keyed_hash
from traintable.statistics import Statistics, Wanted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N = 5000


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(N),
            "x.y": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
            "w `": rng.choice(["a", "b", None], N),
            "label": rng.choice(["yes", "no"], N),
            "when": pd.Timestamp("1850-01-01") + pd.to_timedelta(np.arange(N), unit="D"),
            "split": rng.choice(["train", "validation", "test", None], N, p=[0.6, 0.2, 0.1, 0.1]),
        }
    )


ROLES: dict[str, Any] = {"numbers": ("x.y",), "categories": ("w `",), "times": ("when",), "label": "label"}


def shown(context: AnalysisContext) -> pd.DataFrame:
    """All that is read of the sample."""
    sample, columns = context.sample, context.sample.inputs.columns
    values = {"draw": sample.draws, "train": sample.is_train}
    values |= {name: sample.number(name) for name in columns.numbers}
    return pd.DataFrame(values | {name: sample.category(name).to_pylist() for name in columns.categories})


@pytest.mark.parametrize("has_split", [False, True])
def test_the_sample_is_of_the_lowest_draws_of_each_side_in_any_layout(spark: SparkSession, has_split: bool) -> None:
    df = of_pandas(spark, frame() if has_split else frame().drop(columns="split"))
    roles = {**ROLES, "key": ("id",), "seed": 3, "train_rows": 1000, "held_out_rows": 500}
    context = of_table(df, **roles)
    sample = shown(context)
    draws = df.select("*", keyed_hash(["id"], seed=3, purpose=PURPOSE).alias("draw")).toPandas().sort_values("draw")
    sides = [draws[draws["split"] == part] for part in ("train", "validation")] if has_split else [draws]
    sizes = [1000, 500] if has_split else [1500]
    expected = pd.concat([side.head(n) for side, n in zip(sides, sizes, strict=True)])
    assert sample["draw"].tolist() == expected["draw"].tolist()
    assert sample["train"].tolist() == [True] * 1000 + [False] * 500
    np.testing.assert_array_equal(sample["x.y"], expected["x.y"])
    assert sample["w `"].fillna("").tolist() == expected["w `"].fillna("").tolist()
    assert sample["when"].tolist() == [t.timestamp() for t in expected["when"]]
    other = AnalysisContext(
        df.repartition(5, quote("w `")).sortWithinPartitions(quote("x.y")), context.statistics, **roles
    )
    pd.testing.assert_frame_equal(shown(other), sample)


def test_all_rows_are_taken_where_there_are_few_and_none_where_there_are_none(spark: SparkSession) -> None:
    df = of_pandas(spark, frame().head(90).drop(columns="split"))
    context = of_table(df, **ROLES, key=("id",))
    assert len(context.sample) == 90
    assert context.sample.is_train.sum() == 60
    assert len(of_table(df.where("id < 0"), **ROLES, key=("id",)).sample) == 0


def test_without_a_key_equal_rows_are_drawn_together_and_in_proportion(spark: SparkSession) -> None:
    rng = np.random.default_rng(1)
    few = pd.DataFrame({"x": rng.choice([1.0, 2.0, 3.0], 4000, p=[0.9, 0.09, 0.01])})
    sample = of_table(of_pandas(spark, few), numbers=("x",), train_rows=200, held_out_rows=200).sample
    n = few["x"].value_counts()
    counts = pd.Series(sample.number("x")).value_counts()
    assert len(sample) == 400
    assert all(abs(counts[value] - n[value] / 10) <= 1 for value in (1.0, 2.0, 3.0))
    mostly = frame().drop(columns=["split", "id"])
    twice = of_pandas(spark, pd.concat([mostly, mostly]))
    context = of_table(twice, **ROLES, train_rows=600, held_out_rows=300)
    assert 700 <= len(context.sample) <= 900
    assert context.sample.is_train.sum() == -(-len(context.sample) * 2 // 3)
    other = AnalysisContext(twice.repartition(4), context.statistics, **ROLES, train_rows=600, held_out_rows=300)
    pd.testing.assert_frame_equal(shown(other), shown(context))


def test_a_feature_has_no_other_role() -> None:
    for more in ({"label": "x"}, {"key": ("x",)}, {"time": "x"}, {"categories": ("x",)}):
        with pytest.raises(ConfigError, match="'x'"):
            AnalysisContext(None, Statistics(Wanted()), numbers=("x",), **more)  # type: ignore[arg-type]


def test_chance_on_the_driver_depends_on_draws_and_purpose() -> None:
    draws = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 20_000)
    assert random_order(draws, "a").tolist() == random_order(draws.copy(), "a").tolist()
    assert random_order(draws, "a").tolist() != random_order(draws, "b").tolist()
    assert sorted(random_order(draws, "a").tolist()) == list(range(20_000))
    uniform = random_uniform(draws, "a")
    assert np.histogram(uniform, 10, (0, 1))[0].std() < 120
    assert abs(np.corrcoef(uniform, random_uniform(draws, "b"))[0, 1]) < 0.03
    assert len(np.unique(keyed_bits(np.zeros(20_000, np.int64), "a"))) == 20_000
