"""Two tables held against each other: what has come, gone, changed its type, or drifted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from traintable import analyse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i % 200) for i in range(3000)]


def before(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "id": np.arange(3000),
        "same": rng.normal(size=3000),
        "moved": rng.normal(size=3000),
        "holes": rng.normal(size=3000),
        "word": rng.choice(["a", "b", None], 3000, p=[0.5, 0.4, 0.1]),
        "text": [f"t{i}" for i in range(3000)],
        "day": DAYS,
        "was": rng.integers(0, 9, 3000).astype(np.int32),
        "turned": np.ones(3000),
        "gone": np.ones(3000),
        "list": [[1]] * 3000,
    }


def after(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "id": np.arange(2500),
        "same": rng.normal(size=2500),
        "moved": rng.normal(1.0, size=2500),
        "holes": np.where(rng.random(2500) < 0.3, np.nan, rng.normal(size=2500)),
        "word": rng.choice(["a", "c", None], 2500, p=[0.5, 0.4, 0.1]),
        "text": [None if i % 2 else f"t{i}" for i in range(2500)],
        "day": [day + dt.timedelta(days=200) for day in DAYS[:2500]],
        "was": rng.integers(0, 9, 2500),
        "turned": ["1"] * 2500,
        "list": [[2]] * 2500,
        "new": np.ones(2500),
    }


@pytest.fixture(scope="module")
def raw() -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(7)
    return before(rng), after(rng)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, raw: tuple[dict[str, Any], dict[str, Any]]) -> tuple[DataFrame, DataFrame]:
    first, second = (spark.createDataFrame(pa.table({n: pa.array(v) for n, v in side.items()})) for side in raw)
    return first, second


@pytest.fixture(scope="module")
def drift(tables: tuple[DataFrame, DataFrame]) -> dict[str, Any]:
    return analyse.compare(*tables, key=["id"], against="version 3")


def test_what_has_come_gone_and_changed_its_type(drift: dict[str, Any]) -> None:
    assert drift["against"] == "version 3"
    assert drift["rows"] == {"before": 3000, "after": 2500}
    assert drift["schema"] == [
        {"change": "type", "column": "was", "before": "int", "after": "bigint"},
        {"change": "type", "column": "turned", "before": "double", "after": "string"},
        {"change": "removed", "column": "gone", "before": "double", "after": None},
        {"change": "added", "column": "new", "before": None, "after": "double"},
    ]


def test_each_column_of_both_is_compared_or_has_a_reason_why_not(drift: dict[str, Any]) -> None:
    severities = {column["name"]: column["severity"] for column in drift["columns"]}
    assert severities == {
        **{"same": "none", "moved": "severe", "holes": "severe", "word": "severe"},
        **{"text": "severe", "day": "severe", "was": "none"},
    }
    assert {part["column"] for part in drift["left_out"]} == {"turned", "list"}


def test_the_tests_are_those_of_scipy(drift: dict[str, Any], raw: tuple[dict[str, Any], dict[str, Any]]) -> None:
    by_name = {column["name"]: column for column in drift["columns"]}
    for name in ("same", "moved", "was", "holes"):
        first, second = (np.asarray(side[name], float) for side in raw)
        theirs = stats.ks_2samp(first[~np.isnan(first)], second[~np.isnan(second)])
        assert by_name[name]["statistic"] == by_name[name]["ks"] == pytest.approx(theirs.statistic, rel=1e-9)
        assert by_name[name]["p_value"] == pytest.approx(theirs.pvalue, rel=1e-9)
    sides = [pd.Series(side["word"]).value_counts(dropna=False) for side in raw]
    counts = pd.concat(sides, axis=1).fillna(0).to_numpy()
    theirs = stats.chi2_contingency(counts, correction=False)
    assert by_name["word"]["chi2"] == pytest.approx(theirs.statistic, rel=1e-9)
    lacking = np.array([[0, 3000], [1250, 1250]])
    theirs = stats.chi2_contingency(lacking, correction=False)
    assert by_name["text"]["statistic"] == pytest.approx(theirs.statistic, rel=1e-9)
    assert by_name["text"]["missing"] == {"before": 0.0, "after": 0.5}
    share = np.isnan(raw[1]["holes"]).mean()
    assert by_name["holes"]["missing"] == {"before": 0.0, "after": pytest.approx(share)}
    p_values = [column["p_value"] for column in drift["columns"]]
    q_values = [column["q_value"] for column in drift["columns"]]
    assert q_values == pytest.approx(stats.false_discovery_control(p_values).tolist(), rel=1e-9)


def test_a_table_does_not_differ_from_itself_in_any_layout(tables: tuple[DataFrame, DataFrame]) -> None:
    same = analyse.compare(tables[0], tables[0].repartition(7), key=["id"])
    assert same["schema"] == []
    assert {(column["psi"], column["severity"]) for column in same["columns"]} == {(0.0, "none")}


def test_no_rows_on_one_side(tables: tuple[DataFrame, DataFrame]) -> None:
    drift = analyse.compare(tables[0].where("false"), tables[1], key=["id"])
    assert drift["rows"] == {"before": 0, "after": 2500}
    assert {(column["psi"], column["severity"]) for column in drift["columns"]} == {(None, "unknown")}


def test_a_profile_gives_the_same_and_scans_the_reference_once(
    tables: tuple[DataFrame, DataFrame], drift: dict[str, Any]
) -> None:
    first, second = tables
    profile = analyse.profile(second, key=["id"], of_rows=(), reference=first, against="version 3").to_dict()
    section = dict(profile["drift"])
    scan = profile["scans"][section.pop("scan")]
    assert section == drift
    assert (scan["what"], scan["rows"], scan["jobs"]) == ("the reference", 3000, 1)
    assert profile["headlines"][0]["title"] == "The table has changed"
