"""Bounds are those of NumPy and SciPy; what lies outside is moved to them, or told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from prepared import NUMBERS, Prepared, crossed, dirty, prepare, rows
from traintable.config.plan import Outliers
from traintable.prepare.outliers import bounds
from traintable.statistics import Weighted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RULES: dict[str, dict[str, Any]] = {
    "quantile": {"method": "quantile"},
    "narrow quantile": {"method": "quantile", "low": 0.2, "high": 0.7},
    "iqr": {"method": "iqr"},
    "wide iqr": {"method": "iqr", "factor": 3},
    "mad": {"method": "mad"},
    "narrow mad": {"method": "mad", "factor": 0.5},
}
ACTIONS = ("cap", "flag")
TRAIN, TEST = rows(400, seed=7), rows(150, seed=8)


def expected_bounds(rule: dict[str, Any], values: Any) -> tuple[float, float]:
    if rule["method"] == "quantile":
        low, high = np.quantile(values, [rule.get("low", 0.01), rule.get("high", 0.99)])
        return float(low), float(high)
    if rule["method"] == "iqr":
        low, high = np.quantile(values, [0.25, 0.75])
        reach = rule.get("factor", 1.5) * (high - low)
        return float(low - reach), float(high + reach)
    median = np.median(values)
    reach = rule.get("factor", 3.0) * stats.median_abs_deviation(values, scale="normal")
    return float(median - reach), float(median + reach)


@pytest.fixture(scope="module")
def bounded(spark: SparkSession) -> Prepared:
    options = {
        f"{action} {rule}": {"impute": "median", "outliers": {**section, "action": action}}
        for action in ACTIONS
        for rule, section in RULES.items()
    }
    df, features = crossed(dirty(spark, TRAIN), NUMBERS, options)
    others, _ = crossed(dirty(spark, TEST), NUMBERS, options)
    return prepare(df, {"features": features}, others)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("rule", RULES)
def test_values_outside_are_moved_to_the_bound(name: str, rule: str, bounded: Prepared) -> None:
    median = TRAIN[name].median()
    low, high = expected_bounds(RULES[rule], TRAIN[name].fillna(median))
    expected = np.clip(TEST[name].fillna(median), low, high)
    np.testing.assert_allclose(bounded[f"{name} cap {rule}"], expected, rtol=1e-14)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("rule", RULES)
def test_values_outside_are_told_and_stay(name: str, rule: str, bounded: Prepared) -> None:
    median = TRAIN[name].median()
    low, high = expected_bounds(RULES[rule], TRAIN[name].fillna(median))
    outside = (TEST[name] < low) | (TEST[name] > high)  # not where it is missing
    assert bounded[f"{name} flag {rule}_<outlier>"].tolist() == outside.tolist()
    assert bounded[f"{name} flag {rule}"].tolist() == TEST[name].fillna(median).tolist()


def test_these_rules_do_find_something(bounded: Prepared) -> None:
    flags = {name: bounded[name].sum() for name in bounded.fitted.features if name.endswith("<outlier>")}
    assert len(flags) == len(NUMBERS) * len(RULES)
    assert sum(flags.values()) > 500
    assert len(bounded.fitted.costs) == 1


def test_nothing_is_outside_the_bounds_of_nothing() -> None:
    nothing = Weighted(np.zeros(0), np.zeros(0, np.int64))
    for method in ("quantile", "iqr", "mad"):
        assert bounds(Outliers(method=method), nothing) == (-np.inf, np.inf)
