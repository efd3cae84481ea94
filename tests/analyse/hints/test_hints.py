"""Hints are given where something was planted, and not where nothing was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from analysis_contexts import in_memory
from frames import of_pandas
from traintable.analyse.hints import collect_hints
from traintable.analyse.hints.linear_model import fit_linear, gains, losses
from traintable.analyse.hints.transforms import skewness
from traintable.config.plan import Plan
from traintable.sql.expressions import evaluate
from traintable.statistics.values import Values
from traintable.statistics.weighted import Weighted
from traintable.statistics.yeo_johnson import best_power, yeo_johnson

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NUMBERS = ("a", "b c", "d", "e")


def normal(n: int = 4500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=n) for name in NUMBERS})
    frame["b c"] += 0.6 * frame["a"]
    frame["word"] = rng.choice(["x", "y", "z"], n)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366 * 86400, n), unit="s")
    return frame


def labelled(frame: pd.DataFrame, signal: Any, kind: str, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed + 100)
    if kind == "number":
        return frame.assign(label=5 + 3 * (signal + rng.normal(size=len(frame))))
    noisy = signal + rng.logistic(size=len(frame))
    return frame.assign(label=np.digitize(noisy, [-1, 1]).astype(str) if kind == "three" else (noisy > 0).astype(str))


def hints_of(frame: pd.DataFrame, kind: str, **roles: Any) -> list[dict[str, Any]]:
    given = {"numbers": NUMBERS, "categories": ("word",), "label": "label", "label_is_number": kind == "number"}
    return collect_hints(in_memory(frame, **{**given, **roles}))


KINDS = ["number", "two", "three"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_interaction_is_found_and_no_other(kind: str) -> None:
    frame = normal()
    signal = frame["a"] + frame["b c"] * frame["d"] + (frame["word"] == "x")
    [hint] = hints_of(labelled(frame, signal, kind), kind)
    assert (hint["hint"], sorted(hint["columns"])) == ("interaction", ["b c", "d"])
    assert hint["gain"] > 0.03
    assert Plan.model_validate({"features": {name: {} for name in NUMBERS}, **hint["plan"]}).interactions


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_square_is_found_and_is_no_interaction(kind: str) -> None:
    frame = normal()
    [hint] = hints_of(labelled(frame, frame["a"] ** 2 + frame["d"], kind), kind)
    assert (hint["hint"], hint["columns"]) == ("polynomial", ["a"])
    assert Plan.model_validate({"features": {"a": {}}, **hint["plan"]}).interactions[0].degree == 2


@pytest.mark.parametrize("kind", KINDS)
def test_additive_labels_give_no_interaction(kind: str) -> None:
    for seed in range(2):
        frame = normal(seed=seed)
        curved = np.maximum(frame["b c"], 0) * 2 + np.tanh(2 * frame["a"]) + 0.5 * frame["d"] + (frame["word"] == "y")
        assert [h for h in hints_of(labelled(frame, curved, kind, seed), kind) if h["hint"] == "interaction"] == []


def test_labels_of_chance_give_nothing() -> None:
    for seed in range(3):
        frame = normal(seed=seed)
        assert hints_of(labelled(frame, 0 * frame["a"], "two", seed), "two", times=("when",)) == []


def test_few_rows_do_not_make_a_hint_of_chance() -> None:
    for seed in range(6):
        frame = normal(300, seed=seed)
        assert [h for h in hints_of(labelled(frame, frame["a"], "number", seed), "number") if "z" in h] == []


def test_what_gains_next_to_nothing_is_no_hint_however_certain() -> None:
    frame = normal(20_000)
    for more, expected in ((0.055, []), (0.2, ["interaction"])):
        labels = labelled(frame, frame["a"] + more * frame["b c"] * frame["d"], "number")
        assert [hint["hint"] for hint in hints_of(labels, "number")] == expected


@pytest.mark.parametrize("is_logistic", [False, True])
def test_the_gain_of_a_column_is_about_that_of_a_full_fit(is_logistic: bool) -> None:
    rng = np.random.default_rng(3)
    terms = np.column_stack([np.ones(4000), rng.normal(size=(4000, 3))])
    candidate = terms[:, 1] * terms[:, 2] + 0.9 * terms[:, 1] + 2.0
    signal = terms[:, 1] + 0.7 * candidate
    target = signal + rng.normal(size=4000) if not is_logistic else (signal + rng.logistic(size=4000) > 0).astype(float)
    held = rng.random(4000) < 0.3
    model = fit_linear(terms[~held], target[~held], is_logistic=is_logistic)
    if is_logistic:
        theirs = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-10, max_iter=1000).fit(
            terms[~held], target[~held]
        )
        np.testing.assert_allclose(model.coefficients, theirs.coef_[0], atol=1e-4)
    else:
        np.testing.assert_allclose(model.coefficients, np.linalg.lstsq(terms[~held], target[~held])[0], atol=1e-4)
    more = np.column_stack([terms, candidate])
    full = fit_linear(more[~held], target[~held], is_logistic=is_logistic)
    before = losses(model.predict(terms[held]), target[held], is_logistic)
    expected = before - losses(full.predict(more[held]), target[held], is_logistic)
    one_step = gains(model, terms, candidate[:, None], target, ~held, held)[:, 0]
    least = 0.7 if is_logistic else 1 - 1e-4
    assert least * expected.mean() <= one_step.mean() <= expected.mean() * (1 + 1e-4)


@pytest.mark.parametrize(("part", "kind"), [("hour", "two"), ("dayofweek", "number"), ("month", "three")])
def test_a_planted_period_is_found_and_its_features_can_be_made(part: str, kind: str, spark: SparkSession) -> None:
    frame = normal()
    times = frame["when"].dt
    place = {"hour": times.hour / 24, "dayofweek": times.dayofweek / 7, "month": times.month / 12}[part]
    frame = labelled(frame, 1.5 * np.sin(2 * np.pi * place), kind)
    [hint] = hints_of(frame, kind, times=("when",))
    assert (hint["hint"], hint["columns"]) == ("periodic", ["when"])
    if kind == "number":
        means = frame[: len(frame) * 2 // 3].groupby(times.dayofweek)["label"].mean()
        assert f"highest at {(means.idxmax() + 1) % 7 + 1} and lowest at {(means.idxmin() + 1) % 7 + 1}" in hint["text"]
    features = Plan.model_validate(hint["plan"]).features
    assert list(features) == [f"when_{part}_sin", f"when_{part}_cos"]
    df = of_pandas(spark, frame[["when"]].head(50))
    waves = df.select(*[evaluate(df, str(f.expr), where="plan").alias(name) for name, f in features.items()]).toPandas()
    angle = np.arctan2(waves.iloc[:, 0], waves.iloc[:, 1]) / (2 * np.pi)
    expected = place.head(50) + (1 / 7 if part == "dayofweek" else 0) + (1 / 7 if part == "dayofweek" else 0)
    distance = (angle - expected + 0.5) % 1 - 0.5
    np.testing.assert_allclose(distance, 0, atol=1e-9)


def test_skew_that_a_transform_removes() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "log": rng.lognormal(3, 1, 5000),
            "left": -rng.lognormal(3, 1, 5000),
            "straight": rng.normal(size=5000),
            "two": rng.choice([0.0, 1.0], 5000, p=[0.97, 0.03]),
            "spiked": np.where(rng.random(5000) < 0.9, 0.0, rng.lognormal(5, 1, 5000)),
        }
    )
    hinted = {h["columns"][0]: h for h in collect_hints(in_memory(frame, numbers=tuple(frame.columns)))}
    assert set(hinted) == {"log", "left"}
    assert hinted["log"]["plan"] == {"features": {"log": {"transform": "log1p"}}}
    assert hinted["left"]["plan"] == {"features": {"left": {"transform": "yeo_johnson"}}}
    for name, hint in hinted.items():
        assert hint["skewness"]["before"] == pytest.approx(stats.skew(frame[name]))
        moved, _ = stats.yeojohnson(frame[name])
        assert hint["skewness"]["yeo_johnson"] == pytest.approx(stats.skew(moved), abs=1e-4)
        Plan.model_validate(hint["plan"])
    assert hinted["log"]["skewness"]["log1p"] == pytest.approx(stats.skew(np.log1p(frame["log"])))


def test_the_power_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    for values in (rng.exponential(size=400), rng.integers(-5, 30, 300).astype(float), 50 + rng.normal(size=200)):
        distinct, counts = np.unique(values, return_counts=True)
        own = best_power(Weighted(distinct, counts))
        assert own == pytest.approx(stats.yeojohnson_normmax(values), abs=1e-4)
        np.testing.assert_allclose(yeo_johnson(values, own), stats.yeojohnson(values, own), rtol=1e-10)
    assert np.isnan(skewness(np.ones(3), Weighted(np.ones(3), np.array([1, 2, 3]))))


def rare(seed: int, tells: bool, n: int = 9000) -> pd.DataFrame:
    """A category with 40 rare values, which do or do not differ in what they say of the label."""
    rng = np.random.default_rng(seed)
    code = np.where(rng.random(n) < 0.12, rng.integers(0, 40, n), 100 + rng.integers(0, 3, n))
    signal = np.where(code < 40, np.where(tells, np.where(code % 2, 2.5, -2.5), 1.0), 0.0)
    return labelled(normal(n, seed), signal, "two", seed).assign(word=[f"w{i}" for i in code])


def test_rare_values_that_say_the_same_can_be_one_and_others_can_not() -> None:
    for seed in range(2):
        [hint] = [h for h in hints_of(rare(seed, False), "two") if h["hint"] == "rare_categories"]
        assert (hint["columns"], hint["gain"]) == (["word"], 40.0)
        [feature] = Plan.model_validate(hint["plan"]).features.values()
        counts = rare(seed, False)["word"].value_counts()
        assert (counts >= feature.min_frequency).sum() == 3
        assert [h for h in hints_of(rare(seed, True), "two") if h["hint"] == "rare_categories" and h["gain"] > 20] == []


def test_without_a_label_only_the_rarest_values_are_hinted_at() -> None:
    frame = rare(0, False).assign(
        word=lambda f: np.where(np.arange(len(f)) < 6, [f"odd {i}" for i in range(len(f))], f["word"])
    )
    [hint] = collect_hints(in_memory(frame, categories=("word",)))
    assert (hint["hint"], hint["gain"]) == ("rare_categories", 6.0)
    assert "no label" in hint["text"]


def test_nothing_is_hinted_of_nothing() -> None:
    empty = normal(0)
    assert collect_hints(in_memory(empty, numbers=NUMBERS, categories=("word",))) == []
    constant = pd.DataFrame({"a": [1.0] * 200, "b": [np.nan] * 200, "label": ["x", "y"] * 100})
    assert collect_hints(in_memory(constant, numbers=("a", "b"), label="label")) == []
    values = Values("x").weighted()
    assert values.n == 0
