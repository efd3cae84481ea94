"""The steps of a number follow each other, each learned from what the one before gives, in as few scans as can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from prepared import Prepared, dirty, prepare, rows, statements
from traintable.config.plan import Plan
from traintable.prepare import FittedPlan, fit_plan
from traintable.statistics import Wanted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CAP = {"outliers": {"method": "quantile", "low": 0.1, "high": 0.9}}
TRAIN, TEST = rows(600, seed=9), rows(200, seed=10)
TRAIN["time"], TEST["time"] = TRAIN["id"], TEST["id"]
RESOLUTION = 64
RATIO = "try_divide(normal * counts, id - 100)"


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    return dirty(spark, TRAIN)


@pytest.fixture(scope="module")
def chained(spark: SparkSession, train: DataFrame) -> Prepared:
    features = {
        "skewed": {"impute": "median", **CAP, "transform": "yeo_johnson", "scale": "standard"},
        "normal": {**CAP, "transform": "quantile_bins", "n_bins": 7, "scale": "min_max"},
        "wide": {"outliers": {"method": "iqr"}, "scale": "robust"},
        "counts": {**CAP, "transform": "log1p", "scale": "max_abs"},
        "ratio": {
            "expr": "try_divide(normal * counts, id - 100)",
            "impute": "median",
            "indicator": True,
            "scale": "standard",
        },
    }
    return prepare(train, {"features": features}, dirty(spark, TEST))


def capped(name: str, fill: float) -> tuple[Any, Any]:
    train = TRAIN[name].fillna(fill)
    bounds = np.quantile(train, [0.1, 0.9])
    return np.clip(train, *bounds), np.clip(TEST[name].fillna(fill), *bounds)


def test_imputed_capped_transformed_and_scaled(chained: Prepared) -> None:
    train, test = capped("skewed", TRAIN["skewed"].median())
    power = stats.yeojohnson_normmax(train.to_numpy())
    train, test = stats.yeojohnson(train, power), stats.yeojohnson(test, power)
    np.testing.assert_allclose(chained["skewed"], (test - train.mean()) / train.std(ddof=1), rtol=1e-5, atol=1e-6)


def test_imputed_capped_binned_and_scaled(chained: Prepared) -> None:
    train, test = capped("normal", TRAIN["normal"].mean())
    edges = np.unique(np.quantile(train, np.arange(8) / 7))[1:-1]
    low, high = (np.searchsorted(edges, value, side="right") for value in (train.min(), train.max()))
    expected = (np.searchsorted(edges, test, side="right") - low) / (high - low)
    np.testing.assert_allclose(chained["normal"], expected, rtol=1e-14)


def test_imputed_capped_and_scaled(chained: Prepared) -> None:
    train, test = (frame["wide"].fillna(TRAIN["wide"].mean()) for frame in (TRAIN, TEST))
    low, high = np.quantile(train, [0.25, 0.75])
    bounds = low - 1.5 * (high - low), high + 1.5 * (high - low)
    train, test = np.clip(train, *bounds), np.clip(test, *bounds)
    width = np.quantile(train, 0.75) - np.quantile(train, 0.25)
    np.testing.assert_allclose(chained["wide"], (test - np.median(train)) / width, rtol=1e-12, atol=1e-15)


def test_imputed_capped_by_logarithm_and_scaled(chained: Prepared) -> None:
    train, test = (np.log1p(values) for values in capped("counts", TRAIN["counts"].mean()))
    np.testing.assert_allclose(chained["counts"], test / train.max(), rtol=1e-14)


def test_a_number_that_an_expression_makes(chained: Prepared) -> None:
    train, test = (f["normal"] * f["counts"] / (f["id"] - 100).replace(0, np.nan) for f in (TRAIN, TEST))
    assert chained["ratio_<missing>"].tolist() == test.isna().tolist()
    train, test = train.fillna(train.median()), test.fillna(train.median())
    np.testing.assert_allclose(chained["ratio"], (test - train.mean()) / train.std(), rtol=1e-9, atol=1e-12)


def test_all_of_this_takes_one_scan(chained: Prepared) -> None:
    assert len(chained.fitted.costs) == 1


BEFORE = {"impute": "forward_fill", "time": "time"}


@pytest.mark.parametrize(
    ("feature", "n_scans"),
    [
        ({"scale": "standard", "indicator": True}, 1),
        ({"impute": "mode", "outliers": {"method": "mad"}, "transform": "log1p", "scale": "standard"}, 1),
        (BEFORE, 1),
        ({**BEFORE, "scale": "standard"}, 2),
        ({**BEFORE, "scale": "robust"}, 2),
        ({**BEFORE, "outliers": {"method": "iqr"}, "transform": "yeo_johnson", "scale": "standard"}, 2),
    ],
)
def test_a_second_scan_is_made_only_where_a_step_needs_what_another_gives(
    feature: dict[str, Any], n_scans: int, train: DataFrame
) -> None:
    fitted = fit_plan(train, Plan.model_validate({"features": {"counts": feature}}))
    assert len(fitted.costs) == n_scans


def test_steps_after_a_forward_fill_learn_from_what_it_gives(train: DataFrame) -> None:
    feature = {**BEFORE, **CAP, "scale": "standard"}
    found = prepare(train, {"features": {"normal": feature}})
    values = TRAIN["normal"].ffill().fillna(TRAIN["normal"].mean())
    expected = np.clip(values, *np.quantile(values, [0.1, 0.9]))
    np.testing.assert_allclose(found["normal"], (expected - expected.mean()) / expected.std(), rtol=1e-9)


@pytest.fixture
def coarse(train: DataFrame, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFrame:
    """Train in a file, which the driver reads; it counts values in no more than 64 ranges."""
    monkeypatch.setattr(Wanted, "resolution", property(lambda _: RESOLUTION))
    train.coalesce(1).write.parquet(str(tmp_path / "train"))
    return spark.read.parquet(str(tmp_path / "train"))


def ranges(fitted: FittedPlan, name: str) -> float:
    """The largest share of the rows whose values were counted together."""
    found = fitted.statistics.values[name].weighted()
    assert len(found.values) <= RESOLUTION
    assert not found.is_exact
    return found.rank_error


def test_of_many_values_order_statistics_are_within_the_stated_error(coarse: DataFrame) -> None:
    names = ("normal", "shifted", "skewed", "wide")
    fitted = fit_plan(coarse, Plan.model_validate({"features": {name: {"impute": "median"} for name in names}}))
    for name in names:
        error = ranges(fitted, name)
        assert error < 0.2
        fill = float(re.search(rf"`__prepared_{name}`, \(?([-0-9.e+]+)D", statements(fitted.model)[-1])[1])  # type: ignore[index]
        values = TRAIN[name].dropna()
        low, high = (values < fill).mean(), (values <= fill).mean()
        assert low - error - 1 / len(values) <= 0.5 <= high + error + 1 / len(values)


def test_of_many_values_scaling_after_a_cap_takes_a_second_scan_and_is_exact(coarse: DataFrame) -> None:
    names = ("normal", "skewed")
    features = {name: {"impute": "median", **CAP, "scale": "standard"} for name in names}
    found = prepare(coarse, {"features": features})
    assert [cost.engine for cost in found.fitted.costs] == ["files, driver", "arrow"]
    for name in names:
        ranges(found.fitted, name)
        weighted = found.fitted.statistics.values[name].weighted()
        weighted = weighted.plus(weighted.quantile(0.5), len(TRAIN) - weighted.n)
        values = TRAIN[name].fillna(weighted.values[np.isin(weighted.values, weighted.quantile(0.5))][0])
        values = np.clip(values, weighted.quantile(0.1), weighted.quantile(0.9))
        assert values.nunique() < TRAIN[name].nunique()
        expected = (values - values.mean()) / values.std()
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-12)


def test_of_many_values_scaling_without_a_cap_still_takes_one_scan(coarse: DataFrame) -> None:
    features = {"normal": {"scale": "standard"}, "skewed": {"scale": "robust"}, "wide": {"transform": "yeo_johnson"}}
    assert len(fit_plan(coarse, Plan.model_validate({"features": features})).costs) == 1
