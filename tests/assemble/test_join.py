"""Joins add columns and never rows, and never look ahead; pandas is the judge."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from frames import of_pandas, of_rows
from traintable.assemble import asof_join, lookup_join, require_unique
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N_CASES = 400


def cases(tolerance: int, *, ties: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Many small pairs of tables, told apart by `case`; times crowd around whole tolerances, before and after 1970."""
    rng = np.random.default_rng(tolerance)

    def times(n: int) -> Any:
        step = rng.integers(-3, 4, n) * (tolerance or 1) * 1_000_000
        near = rng.choice([-1_000_000, -1, 0, 0, 0, 1, 500_000], n)
        return step + near + rng.choice([0, 1_380_000_000_000_000], n, p=[0.3, 0.7])

    case = {"left": rng.integers(0, N_CASES, 2500), "right": rng.integers(0, N_CASES, 4000)}
    left, right = (
        pd.DataFrame({"case": c, "key": rng.choice(["a", "b"], len(c)), "time": times(len(c))}) for c in case.values()
    )
    left["id"] = range(len(left))
    right["value"] = rng.permutation(len(right))
    if not ties:
        right = right.drop_duplicates(["case", "key", "time"])
    return left, right


def frame(spark: SparkSession, rows: pd.DataFrame, *, seed: int = 0) -> DataFrame:
    """The rows in a random order, their microseconds as timestamps."""
    shuffled = of_pandas(spark, rows.sample(frac=1, random_state=seed))
    return shuffled.withColumn("time", F.timestamp_micros("time"))


def joined(left: DataFrame, right: DataFrame, tolerance: int, columns: tuple[str, ...]) -> pd.DataFrame:
    found = asof_join(
        left,
        right,
        name="r",
        on={"case": "case", "key": "key"},
        left_time="time",
        right_time="time",
        tolerance_seconds=tolerance,
        columns=columns,
    )
    assert found.columns == [*left.columns, *[f"r_{column}" for column in columns]]
    times = {name: F.unix_micros(name) for name in ("time", "r_time") if name in found.columns}
    return found.withColumns(times).toPandas().sort_values("id", ignore_index=True)


def micros(text: pd.Series) -> Any:
    return text.astype("datetime64[us]")


@pytest.mark.parametrize("tolerance", [1, 3600, 86_400])
def test_asof_join_equals_merge_asof_and_never_looks_ahead(tolerance: int, spark: SparkSession) -> None:
    left, right = cases(tolerance)
    found = joined(frame(spark, left), frame(spark, right), tolerance, ("value", "time"))
    expected = pd.merge_asof(
        left.assign(time=micros(left["time"])).sort_values("time"),
        right.assign(time=micros(right["time"]), r_time=right["time"]).sort_values("time"),
        on="time",
        by=["case", "key"],
        direction="backward",
        tolerance=pd.Timedelta(seconds=tolerance),
    ).sort_values("id", ignore_index=True)
    assert found["id"].tolist() == expected["id"].tolist()  # no row more, none less
    pd.testing.assert_series_equal(found["r_value"], expected["value"], check_names=False, check_dtype=False)
    pd.testing.assert_series_equal(found["r_time"], expected["r_time"], check_names=False, check_dtype=False)
    matched = found.dropna()
    assert (matched["r_time"] <= matched["time"]).all()
    assert 300 < len(matched) < len(found) - 300  # the cases say something
    assert (matched["r_time"] == matched["time"]).sum() > 100
    assert (matched["r_time"] == matched["time"] - tolerance * 1_000_000).sum() > 10


def test_a_tolerance_of_nothing_takes_exact_times_only(spark: SparkSession) -> None:
    left, right = cases(0)
    found = joined(frame(spark, left), frame(spark, right), 0, ("value",))
    expected = left.merge(right, on=["case", "key", "time"], how="left").sort_values("id", ignore_index=True)
    pd.testing.assert_series_equal(found["r_value"], expected["value"], check_names=False, check_dtype=False)


def test_of_equal_times_the_greatest_row_is_taken_in_any_order(spark: SparkSession) -> None:
    left, right = cases(3600, ties=True)
    right["time"] -= right["time"] % 500_000
    right["grade"] = right["value"] % 3
    one = joined(frame(spark, left), frame(spark, right).coalesce(1), 3600, ("grade", "value"))
    other = joined(frame(spark, left), frame(spark, right, seed=1).repartition(7), 3600, ("grade", "value"))
    pd.testing.assert_frame_equal(one, other)
    last = right.sort_values(["grade", "value"]).drop_duplicates(["case", "key", "time"], keep="last")
    assert len(last) < len(right)
    pd.testing.assert_frame_equal(one, joined(frame(spark, left), frame(spark, last), 3600, ("grade", "value")))


def test_null_keys_and_times_match_nothing(spark: SparkSession) -> None:
    at = datetime(2013, 1, 1, tzinfo=timezone.utc)
    rows = [(1, "a", "k", at), (2, None, "k", at), (3, "a", None, at), (4, "a", "k", None)]
    left = of_rows(spark, "id int, case string, key string, time timestamp", rows)
    found = joined(left, left.withColumnRenamed("id", "value"), 60, ("value",))
    assert found["r_value"].fillna(0).tolist() == [1, 0, 0, 0]


def test_lookup_join_equals_merge(spark: SparkSession) -> None:
    rng = np.random.default_rng(5)
    keys = [None, "a", "b", "c", ""]
    left = pd.DataFrame({"id": range(300), "k.1": rng.choice(keys, 300), "k 2": rng.integers(0, 12, 300)})
    right = pd.DataFrame({"a b": rng.choice(keys, 40), "n": rng.integers(0, 12, 40)})
    right = right.drop_duplicates().assign(**{"v.1": lambda rows: range(len(rows)), "id": -1})
    found = lookup_join(
        of_pandas(spark, left),
        of_pandas(spark, right),
        name="r",
        on={"k.1": "a b", "k 2": "n"},
        columns=("v.1", "n"),
    )
    assert found.columns == [*left.columns, "r_v.1", "r_n"]
    found = found.toPandas().sort_values("id", ignore_index=True)
    partners = right.dropna(subset="a b").rename(columns={"a b": "k.1", "v.1": "r_v.1"}).drop(columns="id")
    expected = left.merge(partners.assign(**{"k 2": partners["n"], "r_n": partners["n"]}).drop(columns="n"), how="left")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found["r_n"].notna().any()
    assert found.loc[found["k.1"].isna(), "r_n"].isna().all()


PAIRS = [("x", 1), ("x", 2), ("y", None), ("y", None), (None, 1), (None, 1)]


def test_repeated_keys_are_shown_and_null_keys_are_none(spark: SparkSession) -> None:
    table = of_rows(spark, "`a.b` string, m int", PAIRS)
    require_unique({})
    require_unique({"one": (table, ("a.b", "m"))})
    with pytest.raises(ConfigError, match="join 'two'") as caught:
        require_unique({"one": (table, ("a.b", "m")), "two": (table, ("a.b",))})
    assert '{"a.b":"x"} x 2' in caught.value.found
    assert '{"a.b":"y"} x 2' in caught.value.found


def test_a_key_may_have_any_name(spark: SparkSession) -> None:
    table = of_rows(spark, "name string, n int", PAIRS)
    require_unique({"one": (table, ("name", "n"))})
