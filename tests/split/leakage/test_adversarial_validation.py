"""Whether splits can be told apart, against scikit-learn's area, and by which columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tables import Case, is_held, plain

from traintable.split.leakage.adversarial_validation import adversarial_validation
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.sample import LeakageSample

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from traintable.split import LeakFinding


def found_in(case: Case, spark: SparkSession, folder: Path, **more: Any) -> list[LeakFinding]:
    rows = case.written(spark, folder / "rows")
    evidence = Evidence(ExaminedTable(rows, case.label, ("id",), tuple(case.features), **more))
    return adversarial_validation(evidence, LeakageSample(evidence))


def test_the_area_is_about_that_of_the_best_classifier_and_its_column_is_named(
    spark: SparkSession, tmp_path: Path
) -> None:
    case = plain(6000)[0]
    held = is_held(case)
    case.frame.loc[held, "x5"] += 1.5
    [found] = found_in(case, spark, tmp_path)
    best = roc_auc_score(held, case.frame["x5"])
    assert (found.check, found.severity, found.columns) == ("gap", "warning", ("x5",))
    assert found.numbers["auc"] == pytest.approx(best, abs=0.03)
    assert 0 < found.numbers["standard_error"] < 0.02


def test_a_category_and_gaps_in_values_tell_splits_apart_too(spark: SparkSession, tmp_path: Path) -> None:
    case = plain()[0]
    held = is_held(case)
    case.frame.loc[held, "d"] = np.where(np.arange(held.sum()) % 3 == 0, "a", "h")
    case.frame.loc[held, "x2"] = np.nan
    [found] = found_in(case, spark, tmp_path)
    assert found.severity == "severe"
    assert set(found.columns) == {"d", "x2"}


def test_seasons_are_a_warning_and_the_time_itself_is_left_out(spark: SparkSession, tmp_path: Path) -> None:
    case = plain()[0]
    case.frame["when"] = is_held(case) * 1000.0 + case.frame["id"]
    case.features.append("when")
    assert found_in(case, spark, tmp_path / "1", time="when") == []
    case.frame["season"] = case.frame["when"]
    case.features.append("season")
    [found] = found_in(case, spark, tmp_path / "2", time="when")
    assert (found.severity, found.columns) == ("warning", ("season",))


def test_few_rows_are_not_judged(spark: SparkSession, tmp_path: Path) -> None:
    case = plain(150)[0]
    case.frame.loc[is_held(case), "x5"] += 9.0
    case.frame = case.frame[~is_held(case) | (case.frame.index % 3 == 0)]
    assert found_in(case, spark, tmp_path) == []
