"""What falls out is what SciPy and scikit-learn would leave out, and the reason says the numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.feature_selection import SelectFdr, SelectKBest, VarianceThreshold, f_classif
from sklearn.metrics import mutual_info_score

from prepared import dirty, stored
from traintable.config.plan import Plan
from traintable.errors import ConfigError
from traintable.prepare import FittedPlan, fit_plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 500


def rows() -> pd.DataFrame:
    """Numbers and words that tell much, little and nothing of the class."""
    rng = np.random.default_rng(1)
    late = rng.choice(["no", "yes", "perhaps"], N, p=[0.6, 0.3, 0.1])
    is_late = (late == "yes") * 1.0
    common = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "strong": is_late * 1.5 + rng.normal(size=N),
            "weak": is_late * 0.3 + rng.normal(size=N),
            "square": np.where(is_late == 1, 2.5, 1.0) * rng.normal(size=N),
            "noise": rng.normal(size=N),
            "cousin": common + rng.normal(size=N),
            "picofarad": (is_late * 2 + rng.normal(size=N)) * 1e-12,
        }
    )
    frame = frame.mask(rng.random(frame.shape) < 0.05)
    frame["tied"], frame["copy"] = 1e9 + np.round(common * 2), -3 * common + 0.01 * rng.normal(size=N)
    frame["flat"], frame["nearly"] = 4.0, np.where(rng.random(N) < 0.01, 1.0, 0.0)
    frame["telling"] = np.where(rng.random(N) < 0.7, late, "none")
    frame["holed"] = np.where((late == "yes") & (rng.random(N) < 0.5), None, "there")
    frame["chance"] = rng.choice(["x", "y", "z", None], N)
    frame["same"] = "always"
    return frame.assign(late=late, id=range(N))


ROWS = rows()
NUMBERS = ["strong", "weak", "square", "noise", "tied", "copy", "cousin", "picofarad", "flat", "nearly"]
WORDS = ["telling", "holed", "chance", "same"]
FEATURES: dict[str, dict[str, Any]] = {**{n: {} for n in NUMBERS}, **{w: {"encode": "one_hot"} for w in WORDS}}


@pytest.fixture(scope="module")
def train(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    return stored(dirty(spark, ROWS), tmp_path_factory.mktemp("train"))


def selected(train: DataFrame, *selectors: dict[str, Any], **features: dict[str, Any]) -> FittedPlan:
    plan = {"features": features or FEATURES, "select": selectors, "label": "late"}
    return fit_plan(train, Plan.model_validate(plan))


def reasons(fitted: FittedPlan) -> dict[str, str]:
    return {d.feature: d.because for d in fitted.dropped}


def said(text: str, before: str) -> float:
    """The number that stands after some words."""
    found = re.search(rf"{re.escape(before)} ([-0-9.e+]+|nan|inf)", text)
    assert found, (text, before)
    return float(found[1])


def imputed(name: str) -> pd.Series:
    return ROWS[name].fillna(ROWS[name].mean())


def test_what_varies_too_little_falls_out(train: DataFrame) -> None:
    for threshold in (0.0, 0.05, 1.0):
        fitted = selected(train, {"method": "variance", "threshold": threshold})
        values = ROWS[NUMBERS].apply(lambda column: imputed(column.name))
        scaled = values - values.mean()  # scikit-learn's own variance is not right at 1e9
        stays = VarianceThreshold(threshold).fit(scaled).get_support()
        assert list(reasons(fitted)) == [n for n, stay in zip(NUMBERS, stays, strict=True) if not stay] + ["same"]
        for name, because in reasons(fitted).items():
            if name in NUMBERS:
                assert said(because, "its variance") == pytest.approx(values[name].var(ddof=0), rel=1e-3)
                assert said(because, "is not above") == threshold
        assert len(fitted.costs) == 1
    assert reasons(fitted)["same"] == "all rows have the same value"


def test_a_category_of_one_value_and_null_stays(train: DataFrame) -> None:
    assert "holed" not in reasons(selected(train, {"method": "variance"}))


def expected_correlated(threshold: float) -> dict[str, tuple[str, float]]:
    r = ROWS[NUMBERS].apply(lambda column: imputed(column.name)).corr().fillna(0.0)
    stay, out = [], {}
    for name in NUMBERS:
        near = [(abs(r.loc[name, other]), other) for other in stay if abs(r.loc[name, other]) > threshold]
        if near:
            best = max(near, key=lambda pair: pair[0])[1]
            out[name] = (best, float(r.loc[name, best]))
        else:
            stay.append(name)
    return out


@pytest.mark.parametrize("threshold", [None, 0.5, 0.05])
def test_of_correlated_numbers_the_first_stays(threshold: float | None, train: DataFrame) -> None:
    selector = {"method": "correlation"} | ({} if threshold is None else {"threshold": threshold})
    fitted, expected = selected(train, selector), expected_correlated(threshold or 0.95)
    assert len(expected) >= (1 if threshold is None else 2)
    assert list(reasons(fitted)) == list(expected)
    for name, (other, r) in expected.items():
        assert reasons(fitted)[name] == f"r = {r:.4f} with '{other}', above {threshold or 0.95:g}"
    assert len(fitted.costs) == 1


def test_numbers_are_compared_as_their_steps_leave_them(train: DataFrame) -> None:
    cap = {"outliers": {"method": "quantile", "low": 0.4, "high": 0.6}}
    features: dict[str, dict[str, Any]] = {
        "noise": {},
        "other": {"expr": "IF(id % 50 = 0, 50, 0) + noise", "impute": "median", **cap},
    }
    fitted = selected(train, {"method": "correlation", "threshold": 0.5}, **features)
    assert list(reasons(fitted)) == ["other"]
    assert len(fitted.costs) == 2
    raw = selected(
        train, {"method": "correlation", "threshold": 0.5}, noise={}, other=features["other"] | {"outliers": None}
    )
    assert not raw.dropped


def table(name: str) -> Any:
    """How often each value of a category, or bin of a number, occurs with each class."""
    values = ROWS[name]
    if name in NUMBERS:
        if values.nunique() > 10:  # a bin is a tenth of the rows, by how many are below
            values = (values.rank(method="min") - 1) * 10 // values.count()
        return pd.crosstab(values, ROWS["late"]).to_numpy()
    return pd.crosstab(values.fillna("null"), ROWS["late"]).to_numpy()


def outcome(method: str, name: str) -> tuple[float, float]:
    """The statistic and the p-value of one feature."""
    if method == "anova_f" and name in NUMBERS:
        present = ROWS[name].notna()
        shifted = ROWS[name][present] - ROWS[name].mean()
        with np.errstate(all="ignore"):
            f, p = f_classif(shifted.to_frame(), ROWS["late"][present])
        return float(f[0]), float(p[0])
    counts = table(name)
    if len(counts) < 2:
        return 0.0, 1.0
    found = stats.chi2_contingency(counts, correction=False)
    if method != "mutual_info":
        return float(found.statistic), float(found.pvalue)
    g = stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood")
    pairs = np.repeat(np.argwhere(counts >= 0), counts.ravel(), axis=0)
    return float(mutual_info_score(*pairs.T)), float(g.pvalue)


@pytest.fixture(scope="module", params=["anova_f", "chi2", "mutual_info"])
def tests(request: pytest.FixtureRequest) -> tuple[str, dict[str, tuple[float, float]]]:
    return request.param, {name: outcome(request.param, name) for name in FEATURES}


@pytest.mark.filterwarnings("ignore:.*")  # scikit-learn's, of constants
@pytest.mark.parametrize("alpha", [None, 0.4, 1e-6])
def test_what_is_not_associated_falls_out_at_a_false_discovery_rate(
    alpha: float | None, tests: tuple[str, dict[str, tuple[float, float]]], train: DataFrame
) -> None:
    method, found = tests
    fitted = selected(train, {"method": method} | ({} if alpha is None else {"alpha": alpha}))
    made = {name: test for name, test in found.items() if not np.isnan(test[1])}
    fdr = SelectFdr(lambda x, y: (np.zeros(len(made)), np.array([p for _, p in made.values()])), alpha=alpha or 0.05)
    stays = dict(zip(made, fdr.fit(np.zeros((2, len(made))), [0, 1]).get_support(), strict=True))
    assert list(reasons(fitted)) == [name for name in FEATURES if not stays.get(name, False)]
    adjusted = dict(zip(made, stats.false_discovery_control([p for _, p in made.values()]), strict=True))
    for name, because in reasons(fitted).items():
        if name in made:
            assert said(because, "false discovery rate") == pytest.approx(adjusted[name], rel=1e-3)
            assert said(because, "(statistic") == pytest.approx(made[name][0], rel=1e-3, abs=1e-12)
    assert len(fitted.costs) == 1


def test_what_tells_much_stays_and_what_tells_nothing_goes(train: DataFrame) -> None:
    for method in ("anova_f", "chi2", "mutual_info"):
        out = set(reasons(selected(train, {"method": method})))
        assert {"noise", "chance", "same", "flat"} <= out
        assert not {"strong", "telling", "holed", "picofarad"} & out
        assert ("square" in out) is (method == "anova_f")  # its mean is the same in each class, its spread is not


@pytest.mark.filterwarnings("ignore:.*")
def test_the_best_stay(tests: tuple[str, dict[str, tuple[float, float]]], train: DataFrame) -> None:
    method, found = tests
    score = {n: -np.inf if np.isnan(s) else s if method == "mutual_info" else -p for n, (s, p) in found.items()}
    for k in (1, 4):
        best = SelectKBest(lambda x, y: np.array(list(score.values())), k=k)
        stays = best.fit(np.zeros((2, len(score))), [0, 1]).get_support()
        fitted = selected(train, {"method": method, "k": k})
        assert set(FEATURES) - set(reasons(fitted)) == {n for n, stay in zip(score, stays, strict=True) if stay}
        for because in reasons(fitted).values():
            assert because.startswith(f"not among the best {k} (statistic ")


def expected_mrmr(k: int) -> list[str]:
    r = ROWS[NUMBERS].apply(lambda column: imputed(column.name)).corr().abs().fillna(0.0)
    relevance = {name: np.nan_to_num(outcome("anova_f", name)[0]) for name in NUMBERS}
    chosen: list[str] = []
    while len(chosen) < k:
        left = [name for name in NUMBERS if name not in chosen]
        chosen.append(max(left, key=lambda n: relevance[n] / max(r.loc[n, chosen].mean() if chosen else 1.0, 0.001)))
    return chosen


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize("k", [1, 3, 30])
def test_the_numbers_that_tell_most_and_least_of_each_other_stay(k: int, train: DataFrame) -> None:
    fitted = selected(train, {"method": "mrmr", "k": k})
    assert set(NUMBERS) - set(reasons(fitted)) == set(expected_mrmr(min(k, len(NUMBERS))))
    for name, because in reasons(fitted).items():
        assert because.startswith(f"not among the {k} that")
        assert f"F = {outcome('anova_f', name)[0]:.4g}" in because


def test_selectors_follow_each_other(train: DataFrame) -> None:
    selectors = [{"method": "variance"}, {"method": "correlation"}, {"method": "anova_f", "k": 3}]
    fitted = selected(train, *selectors)
    methods = {d.feature: d.method for d in fitted.dropped}
    assert len(methods) == len(fitted.dropped) == len(FEATURES) - 3
    assert (methods["flat"], methods["same"], methods["copy"], methods["noise"]) == (
        "variance", "variance", "correlation", "anova_f",
    )  # fmt: skip
    assert len(fitted.costs) == 1
    assert str(fitted.dropped[0]).startswith("flat: variance, its variance 0")


def test_what_fell_out_is_not_in_the_model(train: DataFrame) -> None:
    features = {**FEATURES, "noise": {"impute": "iterative"}, "cousin": {"impute": "iterative"}}
    fitted = selected(train, {"method": "anova_f", "k": 2}, **features)
    text = "".join(stage.getStatement() for stage in fitted.model.stages)
    stay = {name.split("_")[0] for name in fitted.features}
    assert {name for name in FEATURES if f"`{name}`" in text} == stay == set(FEATURES) - set(reasons(fitted))


def test_when_nothing_stays_it_is_told_why(train: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"at least one feature.*flat: variance, its variance 0.*Loosen"):
        selected(train, {"method": "variance"}, flat={})
    with pytest.raises(ConfigError, match=r"noise: anova_f, false discovery rate"):
        selected(train, {"method": "anova_f", "alpha": 1e-9}, noise={})
    with pytest.raises(ConfigError, match=r"noise: tree, importance"):
        selected(train, {"method": "tree"}, noise={})


def test_a_label_is_needed_where_selection_asks_for_it(train: DataFrame) -> None:
    for method in ("anova_f", "chi2", "mutual_info", "mrmr", "tree"):
        plan = {"features": {"noise": {}}, "select": [{"method": method} | ({"k": 1} if method == "mrmr" else {})]}
        with pytest.raises(ConfigError, match=r"prepare\.label"):
            fit_plan(train, Plan.model_validate(plan))
        with pytest.raises(ConfigError, match=r"'lat'.*'late'"):
            fit_plan(train, Plan.model_validate(plan | {"label": "lat"}))
