"""Whatever comes in gives a profile, or one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from traintable import analyse
from traintable.analyse.profile import Profile
from traintable.analyse.scans import codes, table, wanted
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAN, INF = float("nan"), float("inf")
ODD = ("a.b", "a b", "a'b", 'a"b', "a`b", "<script>alert(1)</script>", "ä😀")


def profiled(spark: SparkSession, label: str | None = None, **columns: Any) -> dict[str, Any]:
    """The profile of these columns, after a round trip through JSON."""
    found = analyse.profile(spark.createDataFrame(pa.table(columns)), label=label, of_rows=())
    assert Profile.from_json(found.to_json()).to_dict() == found.to_dict()
    return found.to_dict()


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    return {column["name"]: column for column in found["columns"]}


def flags(found: dict[str, Any], name: str) -> set[str]:
    return {flag["flag"] for flag in by_name(found)[name]["flags"]}


def test_no_rows(spark: SparkSession) -> None:
    empty = {"x": pa.array([], pa.float64()), "w": pa.array([], pa.string()), "t": pa.array([], pa.date32())}
    found = profiled(spark, "w", **empty)
    assert (found["rows"], found["imbalance"], found["associations"]) == (0, None, None)
    assert [headline["title"] for headline in found["headlines"]] == ["There are no rows"]


def test_one_row(spark: SparkSession) -> None:
    found = profiled(spark, "w", x=pa.array([1.5]), w=pa.array(["a"]), t=pa.array([dt.date(2024, 2, 29)]))
    column = by_name(found)["x"]
    assert (column["mean"], column["std"], column["skewness"]) == (1.5, None, None)
    assert by_name(found)["t"]["coverage"]["days"] == [["2024-02-29", 1]]
    assert all(test["p_value"] is None or test["p_value"] == 1 for test in found["tests"])


def test_nothing_but_nulls_and_one_class(spark: SparkSession) -> None:
    nulls = {"x": pa.nulls(30, pa.float64()), "w": pa.nulls(30, pa.string()), "t": pa.nulls(30, pa.timestamp("us"))}
    found = profiled(spark, "y", **nulls, y=pa.array(["a"] * 30))
    assert [flags(found, name) for name in nulls] == [{"all_missing"}] * 3
    assert found["imbalance"]["constant_accuracy"] == 1
    titles = [headline["title"] for headline in found["headlines"]]
    assert titles[:2] == ["The label has one class", "Columns that are mostly empty"]


def test_a_label_without_a_value(spark: SparkSession) -> None:
    found = profiled(spark, "y", x=pa.array([1.0, 2.0] * 15), y=pa.nulls(30, pa.string()))
    assert found["imbalance"] is None
    assert found["headlines"][0]["title"] == "The label has no values"


def test_numbers_that_are_none_or_far_away(spark: SparkSession) -> None:
    values = [INF, -INF, NAN, None, 1.7e308, -1.7e308, 5e-324, 0.0]
    column = by_name(profiled(spark, x=pa.array(values)))["x"]
    counts = [column[name] for name in ("n", "n_null", "n_nan", "n_infinite", "n_zero")]
    assert counts == [4, 1, 1, 2, 1]
    assert (column["min"], column["max"]) == (-1.7e308, 1.7e308)
    assert sum(column["histogram"]["counts"]) == 4


def test_decimals_booleans_and_times_long_ago(spark: SparkSession) -> None:
    found = profiled(
        spark,
        "y",
        d=pa.array([Decimal("1.10"), Decimal("2.30"), None], pa.decimal128(9, 2)),
        y=pa.array([True, False, None]),
        t=pa.array([dt.date(1500, 1, 1), dt.date(1899, 12, 31), dt.date(2024, 1, 1)]),
    )
    columns = by_name(found)
    assert (columns["d"]["min"], columns["d"]["max"]) == (1.1, 2.3)
    assert found["imbalance"]["classes"] == {"false": 1, "true": 1}
    assert found["imbalance"]["missing"] == 1
    assert (columns["t"]["min"], columns["t"]["coverage"]["last"]) == ("1500-01-01", "2024-01-01")
    assert "suspicious_value" in flags(found, "t")


def test_nested_and_binary_columns_are_counted_only(spark: SparkSession) -> None:
    df = spark.sql(
        "SELECT array(1) a, map('x', 1) m, named_struct('k', 1) s, CAST('x' AS BINARY) b, NULL v, "
        "IF(id = 0, NULL, array(id)) some, INTERVAL '1' DAY i FROM range(5)"
    )
    found = analyse.profile(df, of_rows=()).to_dict()
    assert {c["name"]: (c["kind"], c["n_null"]) for c in found["columns"]} == {
        **dict.fromkeys("amsbi", ("other", 0)),
        **{"v": ("other", 5), "some": ("other", 1)},
    }


def test_odd_names_and_values(spark: SparkSession) -> None:
    rng = np.random.default_rng(0)
    columns = {name: pa.array(rng.choice([*ODD, "", None], 60)) for name in ODD}
    found = profiled(spark, ODD[0], **columns, **{"x.y": pa.array(rng.normal(size=60))})
    assert [column["name"] for column in found["columns"]] == [*ODD, "x.y"]
    counts = dict(by_name(found)["a`b"]["top"])
    assert counts == {word: columns["a`b"].to_pylist().count(word) for word in counts}
    assert len(found["associations"]["categories"]) == len(ODD)


def test_a_continuous_label(spark: SparkSession) -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    x, words = y + rng.normal(size=200) / 9, np.where(y > 0.5, "up", "down")
    found = profiled(spark, "y", y=pa.array(y), x=pa.array(x), w=pa.array(words))
    assert found["imbalance"] is None
    np.testing.assert_allclose(by_name(found)["x"]["label"]["pearson"], np.corrcoef(x, y)[0, 1], rtol=1e-9)
    test = next(test for test in found["tests"] if test["columns"] == ["w", "y"])
    expected = stats.ttest_ind(y[words == "up"], y[words == "down"], equal_var=False)
    np.testing.assert_allclose(test["p_value"], expected.pvalue, rtol=1e-9)


def test_stand_ins_for_missing_values(spark: SparkSession) -> None:
    rng = np.random.default_rng(2)
    x = np.where(rng.random(500) < 0.05, -999.0, rng.normal(size=500))
    w = np.where(rng.random(500) < 0.05, "N/A", rng.choice(["a", "b"], 500))
    found = profiled(spark, x=pa.array(x), w=pa.array(w), calm=pa.array(rng.normal(size=500)))
    assert "suspicious_value" in flags(found, "x") & flags(found, "w")
    assert flags(found, "calm") == set()


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"label": "t"}, "a label that is a number, a text or a boolean"),
        ({"label": "z"}, "'z', which is not among them"),
        ({"label": "x", "key": ("x",)}, "named as time, partition or key too"),
        ({"time": "q"}, "'q', which is not among them"),
    ],
)
def test_roles_that_can_not_be(spark: SparkSession, roles: dict[str, Any], said: str) -> None:
    df = spark.createDataFrame(pa.table({"x": pa.array([1.0]), "t": pa.array([dt.date(2024, 1, 1)])}))
    with pytest.raises(ConfigError, match=said):
        analyse.profile(df, **roles)


def test_a_wide_table_counts_pairs_in_a_sample(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "MAX_EXACT", 3)
    monkeypatch.setattr(table, "MAX_PAIRED", 4)
    monkeypatch.setattr(table, "SAMPLE_ROWS", 300)
    rng = np.random.default_rng(4)
    columns = {f"w{i}": pa.array(rng.choice(["a", "b"], 900)) for i in range(6)}
    df = spark.createDataFrame(pa.table({"id": pa.array(range(900)), **columns}))
    found = analyse.profile(df.repartition(3), label="w5", key=("id",), of_rows=()).to_dict()
    again = analyse.profile(df.coalesce(1), label="w5", key=("id",), of_rows=()).to_dict()
    known = found["associations"]
    assert known["information"]["columns"] == ["w0", "w1", "w2", "w5"]
    assert not known["exact"]
    assert 200 < known["rows"] < 400
    assert known == again["associations"]
    exact = by_name(found)["w0"]["by_class"]
    assert sum(part["n"] for part in exact.values()) == 900


@pytest.mark.slow
def test_two_thousand_columns(spark: SparkSession) -> None:
    rng = np.random.default_rng(3)
    columns = {f"x{i}": pa.array(rng.normal(size=100)) for i in range(1_500)}
    columns |= {f"w{i}": pa.array(rng.choice(["a", "b"], 100)) for i in range(500)}
    found = profiled(spark, "w0", **columns)
    assert len(found["columns"]) == 2_000
    assert len(found["associations"]["numbers"]) == wanted.MAX_TOGETHER
    assert len(found["associations"]["left_out"]) == 1_500 - wanted.MAX_TOGETHER
