"""What single columns tell of the label, against scikit-learn and pandas, on one table with a column for each case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score, roc_auc_score
from tables import Case, at_random

from frames import of_pandas
from traintable.split import LeakFinding, examine
from traintable.split.leakage.evidence import MAX_CLASSES, Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.identifiers import identifiers
from traintable.split.leakage.overlap import overlapping_times, shared_groups
from traintable.split.leakage.predictors import predictors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N = 3000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    noise = rng.normal(size=N)
    frame = pd.DataFrame({"y": y, "split": at_random(N, rng), "id": rng.permutation(N)})
    frame["above the limit"] = 4.2 * y + noise
    frame["below the limit"] = 2.5 * y + noise
    frame["falling"] = -6.0 * y + noise
    frame["missing is low"] = np.where((y == 1) & (rng.random(N) < 0.5), np.nan, noise - 9.0 * y)
    frame["half missing"] = np.where((y == 1) & (rng.random(N) < 0.5), np.nan, noise)
    frame["in train only"] = np.where(frame["split"] == "train", y, rng.integers(0, 2, N)) + 0.0
    frame["two of three codes"] = np.where(y == 1, rng.integers(0, 2, N) * 2, 1)
    frame["null.or `code`"] = np.where(y == 1, None, rng.choice(["a", "b"], N))
    frame["code with errors"] = np.where(rng.random(N) < 0.05, rng.integers(0, 2, N), y).astype(str)
    frame["whether"] = y.astype(bool)
    frame["pure noise"] = rng.integers(0, 1000, N)
    frame["constant"] = 7
    frame["all missing"] = np.nan
    frame["noise key"] = [f"K{i}" for i in rng.integers(0, 1500, N)]
    return frame


@pytest.fixture(scope="module")
def evidence(spark: SparkSession, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    features = [name for name in frame.columns if name not in ("y", "split", "id")]
    rows = Case(frame, features).written(spark, tmp_path_factory.mktemp("columns") / "rows")
    return Evidence(ExaminedTable(rows, "y", ("id",), tuple(features)))


def by_column(findings: list[LeakFinding]) -> dict[str, LeakFinding]:
    return {finding.columns[0]: finding for finding in findings}


def test_features_that_tell_the_label_are_found_and_no_others(evidence: Evidence) -> None:
    assert set(by_column(predictors(evidence))) == {
        "above the limit",
        "falling",
        "missing is low",
        "two of three codes",
        "null.or `code`",
        "whether",
    }


@pytest.mark.parametrize("name", ["above the limit", "falling"])
def test_areas_are_those_of_scikit_learn(name: str, evidence: Evidence, frame: pd.DataFrame) -> None:
    numbers = by_column(predictors(evidence))[name].numbers
    for part, key in ((frame["split"] == "train", "auc"), (frame["split"] != "train", "auc_held_out")):
        area = roc_auc_score(frame["y"][part], frame[name][part])
        assert numbers[key] == pytest.approx(max(area, 1 - area), abs=1e-12)


def test_missing_values_rank_lowest_or_highest(evidence: Evidence, frame: pd.DataFrame) -> None:
    numbers = by_column(predictors(evidence))["missing is low"].numbers
    train = frame[frame["split"] == "train"]
    assert numbers["auc"] == pytest.approx(1 - roc_auc_score(train["y"], train["missing is low"].fillna(-1e9)))


def test_information_is_that_of_scikit_learn_with_null_as_a_value(evidence: Evidence, frame: pd.DataFrame) -> None:
    train = frame[frame["split"] == "train"]
    for name in ("two of three codes", "null.or `code`"):
        share = mutual_info_score(train[name].fillna("null"), train["y"]) / mutual_info_score(train["y"], train["y"])
        share -= (train[name].nunique(dropna=False) - 1) / (2 * len(train)) / mutual_info_score(train["y"], train["y"])
        numbers = by_column(predictors(evidence))[name].numbers
        assert numbers["information"] == pytest.approx(min(1.0, share), abs=1e-9)
        assert numbers["accuracy_held_out"] == 1.0


def test_a_lower_limit_finds_more(evidence: Evidence) -> None:
    table, strict = evidence.table, evidence.table.limits.model_copy(update={"max_auc": 0.95, "max_information": 0.7})
    evidence.table = replace(table, limits=strict)
    try:
        found = set(by_column(predictors(evidence)))
    finally:
        evidence.table = table
    assert {"below the limit", "code with errors"} <= found
    assert not found & {"half missing", "in train only", "pure noise", "constant", "all missing", "noise key"}


def test_counts_are_those_of_pandas(evidence: Evidence, frame: pd.DataFrame) -> None:
    for part in ("train", "validation", "test"):
        rows = frame[frame["split"] == part]
        grid, other = evidence.of_number("half missing"), evidence.of_category("null.or `code`")
        assert grid.missing[part].tolist() == rows["half missing"].isna().groupby(rows["y"]).sum().tolist()
        assert grid.counts[part].sum(axis=0).tolist() == rows["half missing"].notna().groupby(rows["y"]).sum().tolist()
        table = pd.crosstab(rows["null.or `code`"].fillna(""), rows["y"])
        assert other.counts[part].tolist() == table.to_numpy().tolist()
    assert evidence.n_values("null.or `code`") == 3


@pytest.fixture(scope="module")
def numbered(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Evidence]:
    """Identifiers: some by which rows were sorted, some that have one answer."""
    rng = np.random.default_rng(1)
    y = np.sort(rng.choice(["a", "b", "c"], N))
    person = rng.integers(0, 300, N)
    habit = rng.random(300) < 0.3
    frame = pd.DataFrame({"y": y, "split": at_random(N, rng), "row": np.arange(N), "shuffled": rng.permutation(N)})
    frame["made at"] = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(np.arange(N) * 977, unit="s")
    frame["person"] = (person + np.searchsorted(["a", "b", "c"], y) * 300).astype("int64")
    frame["name"] = [f"N{p}" for p in frame["person"]]
    frame["often right"] = [f"H{p}{a if habit[p] else ''}" for p, a in zip(person, y, strict=True)]
    frame["few"] = np.where(y == "a", 1, 2)
    frame["measure"] = np.searchsorted(["a", "b", "c"], y) + rng.normal(size=N)
    rows = Case(frame, []).written(spark, tmp_path_factory.mktemp("numbered") / "rows")
    features = ("made at", "shuffled", "person", "name", "often right", "few", "measure")
    return frame, Evidence(ExaminedTable(rows, "y", ("row",), features))


def test_identifiers_that_act_as_labels_are_found(numbered: tuple[pd.DataFrame, Evidence]) -> None:
    found = by_column(identifiers(numbered[1]))
    severities = {name: finding.severity for name, finding in found.items()}
    assert severities == {"row": "warning", "made at": "severe", "person": "severe", "name": "severe"}


def test_a_lookup_is_as_right_as_pandas_finds_it(numbered: tuple[pd.DataFrame, Evidence]) -> None:
    frame, evidence = numbered
    numbers = by_column(identifiers(evidence))["name"].numbers
    train, held = (frame[(frame["split"] == "train") == side] for side in (True, False))
    held = held[held["name"].isin(train["name"])]
    assert numbers["values"] == train["name"].nunique()
    assert numbers["rows_held_out"] == len(held)
    assert numbers["accuracy_held_out"] == 1.0
    assert numbers["constant"] == pytest.approx(held["y"].value_counts(normalize=True).max())


def test_many_whole_numbers_are_counted_as_categories_where_ranges_hold_several(
    numbered: tuple[pd.DataFrame, Evidence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traintable.statistics.wanted.Wanted.resolution", 64)
    evidence = Evidence(numbered[1].table)
    assert "person" in evidence.categories
    assert {"row", "person", "name"} <= set(by_column(identifiers(evidence)))


def test_groups_are_those_that_pandas_finds_on_two_sides_null_among_them(spark: SparkSession) -> None:
    rng = np.random.default_rng(2)
    n = 800
    frame = pd.DataFrame({"a.b": rng.choice(["x", "y", None], n), "c": rng.integers(0, 300, n), "y": 1})
    frame["split"] = at_random(n, rng)
    frame["whole"] = frame["split"]
    frame.loc[:20, "split"] = None
    table = ExaminedTable(of_pandas(spark, frame), "y", ("c",), (), groups=(("a.b", "c"), ("whole",), ("a.b",)))
    found = {finding.columns: finding.numbers for finding in shared_groups(table)}
    assert set(found) == {("a.b", "c"), ("a.b",)}
    known = frame[frame["split"].notna()].fillna("null")
    for names in found:
        by_group = known.groupby(list(names))["split"]
        shared = by_group.transform("nunique") > 1
        assert found[names] == {
            "shared_groups": int((by_group.nunique() > 1).sum()),
            "groups": by_group.ngroups,
            "held_out_rows_in_them": int((shared & (known["split"] != "train")).sum()),
            "held_out_rows": int((known["split"] != "train").sum()),
        }


@pytest.mark.parametrize("kind", ["timestamp", "date", "number"])
def test_times_overlap_from_the_first_shared_moment_on(kind: str, spark: SparkSession) -> None:
    day = np.array([1, 2, 3, 4, 5, 5, 6, 7, 8, 9])
    frame = pd.DataFrame({"y": [0, 1] * 5, "split": ["train"] * 5 + ["validation"] * 3 + ["test"] * 2})
    instants = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    frame["when"] = {"timestamp": instants, "date": instants.date, "number": day}[kind]
    table = ExaminedTable(of_pandas(spark, frame), "y", ("when",), (), time="when")
    [found] = overlapping_times(Evidence(table))
    assert (found.check, found.columns, found.severity) == ("times", ("when",), "severe")
    assert found.numbers["rows_of_train_from_then_on"] == 1
    expected = "5" if kind == "number" else "2024-01-06 00:00:00"
    assert found.numbers["last_of_train"] == found.numbers["first_of_validation"] == expected


def test_without_rows_and_with_one_class_nothing_is_found(spark: SparkSession) -> None:
    frame = pd.DataFrame({"x": np.arange(40) * 1.5, "c": ["a", "b"] * 20, "y": 1, "id": range(40)})
    frame["split"] = ["train"] * 20 + ["test"] * 20
    rows = of_pandas(spark, frame)
    for few in (rows, rows.limit(0), rows.where("split = 'train'")):
        found = examine(few, label="y", key=["id"], features=["c"], time="id", groups=["id"], text=["c"])
        assert [f.check for f in found if f.check != "near_duplicates"] == []


def test_a_label_of_many_values_is_not_held_against_columns(spark: SparkSession) -> None:
    frame = pd.DataFrame({"y": range(200), "x": range(200), "split": ["train", "test"] * 100})
    evidence = Evidence(ExaminedTable(of_pandas(spark, frame), "y", ("x",), ("x",)))
    assert evidence.classes == []
    assert len(frame) > MAX_CLASSES
    assert predictors(evidence) == identifiers(evidence) == []
