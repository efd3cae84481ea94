"""Components are those of scikit-learn, their signs fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import Normalizer

from prepared import Prepared, dirty, prepare, stored
from traintable.errors import ConfigError
from traintable.prepare import principal_components

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NAMES = ["a", "b", "c", "d"]


def rows(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, 4)) @ np.random.default_rng(0).normal(size=(4, 4)) * [1, 3, 0.2, 5] + [0, 2, 9, -40]
    frame = pd.DataFrame(mixed, columns=NAMES).mask(rng.random((n, 4)) < 0.1)
    frame["word"] = rng.choice(["x", "y", "z", None], n)
    return frame.assign(id=range(n))


TRAIN, TEST = rows(400, seed=1), rows(120, seed=2)


@pytest.fixture(scope="module")
def train(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    return stored(dirty(spark, TRAIN), tmp_path_factory.mktemp("train"))


@pytest.fixture(scope="module")
def test(spark: SparkSession) -> DataFrame:
    return dirty(spark, TEST)


def imputed() -> tuple[Any, Any]:
    imputer = SimpleImputer().fit(TRAIN[NAMES])
    return imputer.transform(TRAIN[NAMES]), imputer.transform(TEST[NAMES])


def scaled(method: str) -> tuple[Any, Any]:
    """TRAIN and TEST, imputed and scaled."""
    train, test = imputed()
    centre, width = {
        "none": (0.0, 1.0),
        "standard": (train.mean(axis=0), train.std(axis=0, ddof=1)),
        "robust": (np.median(train, axis=0), np.subtract(*np.quantile(train, [0.75, 0.25], axis=0))),
        "max_abs": (0.0, np.abs(train).max(axis=0)),
    }[method]
    return (train - centre) / width, (test - centre) / width


def components_of(pca: Any, test: Any) -> Any:
    """What scikit-learn gives, with the largest loading of each component positive."""
    loadings = pca.components_
    signs = np.sign(loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)])
    return pca.transform(test) * signs


def reduced(train: DataFrame, test: DataFrame, section: dict[str, Any], feature: dict[str, Any]) -> Prepared:
    section = {"columns": NAMES, **section}
    return prepare(train, {"features": dict.fromkeys(section["columns"], feature), "reduce": section}, test)


@pytest.mark.parametrize(
    ("scale", "options"),
    [
        ("standard", {"n_components": 3}),
        ("none", {"n_components": 4}),
        ("robust", {"n_components": 2, "whiten": True}),
        ("max_abs", {"n_components": 0.9}),
        ("standard", {"n_components": 0.6, "whiten": True}),
    ],
)
def test_components_equal_scikit_learn(scale: str, options: dict[str, Any], train: DataFrame, test: DataFrame) -> None:
    known, asked = scaled(scale)
    pca = PCA(**options).fit(known)
    n = options["n_components"]
    section = {"k": n} if isinstance(n, int) else {"explained_variance": n}
    section["whiten"] = options.get("whiten", False)
    found = reduced(train, test, section, {"scale": scale} if scale != "none" else {})
    assert found.fitted.features == tuple(f"pc{i + 1}" for i in range(pca.n_components_))
    np.testing.assert_allclose(found.matrix, components_of(pca, asked), rtol=1e-8, atol=1e-9)
    assert len(found.fitted.costs) == 1


def test_whitening_is_right_for_numbers_of_any_size(spark: SparkSession, train: DataFrame, test: DataFrame) -> None:
    larger = [df.selectExpr("id", *(f"{name} * 1e12D AS {name}" for name in NAMES)) for df in (train, test)]
    known, asked = imputed()
    pca = PCA(3, whiten=True).fit(known)
    found = reduced(*larger, {"k": 3, "whiten": True}, {})
    np.testing.assert_allclose(found.matrix, components_of(pca, asked), rtol=1e-8, atol=1e-9)


def test_components_of_numbers_imputed_by_each_other_take_a_second_scan(train: DataFrame) -> None:
    feature = {"impute": "iterative", "scale": "standard"}
    found = reduced(train, train, {"k": 2}, feature)
    assert len(found.fitted.costs) == 2
    values = prepare(train, {"features": dict.fromkeys(NAMES, feature)}).matrix
    np.testing.assert_allclose(found.matrix, components_of(PCA(2).fit(values), values), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("scale", ["standard", "min_max"])
def test_components_of_normalized_rows_are_those_of_their_values(scale: str, train: DataFrame) -> None:
    features = {name: {"scale": scale} for name in NAMES}
    sections = [{"columns": NAMES[:3], "norm": "l1"}]
    plan = {"features": features, "normalize": sections, "reduce": {"columns": NAMES, "k": 3}}
    found = prepare(train, plan)
    values = prepare(train, {"features": features}).matrix.copy()
    values[:, :3] = Normalizer("l1").transform(values[:, :3])
    np.testing.assert_allclose(found.matrix, components_of(PCA(3).fit(values), values), rtol=1e-8, atol=1e-9)


def test_singular_vectors_equal_scikit_learn(train: DataFrame, test: DataFrame) -> None:
    features = {"a": {"scale": "standard"}, "d": {"indicator": True}, "word": {"encode": "one_hot"}}
    section = {"method": "truncated_svd", "columns": list(features), "k": 3, "prefix": "svd"}
    found = prepare(train, {"features": features, "reduce": section}, test)
    assert found.fitted.features == ("d_<missing>", "svd1", "svd2", "svd3")
    assert len(found.fitted.costs) == 2
    known, asked = (prepare(train, {"features": features}, df) for df in (train, test))
    use = [i for i, name in enumerate(known.fitted.features) if name != "d_<missing>"]
    svd = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(known.matrix[:, use])
    expected = components_of(svd, asked.matrix[:, use])
    np.testing.assert_allclose(found.matrix[:, 1:], expected, rtol=1e-8, atol=1e-9)


def test_singular_vectors_are_as_many_as_explain_a_share_of_the_squares(train: DataFrame) -> None:
    section = {"method": "truncated_svd", "columns": NAMES, "explained_variance": 0.99}
    found = reduced(train, train, section, {})
    _, s, _ = np.linalg.svd(imputed()[0])
    shares = np.cumsum(s**2) / (s**2).sum()
    assert found.matrix.shape[1] == int(np.argmax(shares >= 0.99)) + 1


def test_a_constant_column_is_no_part_of_any_component(train: DataFrame, test: DataFrame) -> None:
    constant = [df.selectExpr("* EXCEPT (d)", "7D AS d") for df in (train, test)]
    for section in ({"k": 3}, {"k": 3, "whiten": True}, {"explained_variance": 1.0}):
        found = reduced(*constant, section, {"scale": "standard"})
        known, asked = (values[:, :3] for values in scaled("standard"))
        pca = PCA(3, whiten=section.get("whiten", False)).fit(known)
        np.testing.assert_allclose(found.matrix[:, :3], components_of(pca, asked), rtol=1e-8, atol=1e-9)


def test_components_of_nothing_but_constants_are_0(train: DataFrame) -> None:
    constant = train.selectExpr("id", *(f"{i}D AS {name}" for i, name in enumerate(NAMES)))
    for scale in ({}, {"scale": "standard"}):
        for whiten in (False, True):
            assert not reduced(constant, constant, {"k": 2, "whiten": whiten}, scale).matrix.any()


def test_more_components_than_columns_that_selection_leaves_are_refused(train: DataFrame) -> None:
    df = train.selectExpr("*", "a * 2 AS same")
    section = {"columns": ["a", "same"], "k": 2}
    plan = {"features": {"a": {}, "same": {}}, "select": [{"method": "correlation"}], "reduce": section}
    with pytest.raises(ConfigError, match=r"prepare\.reduce\.k: expected at most 1"):
        prepare(df, plan)
    one = prepare(df, plan | {"reduce": section | {"k": 1}})
    assert one.fitted.features == ("pc1",)
    np.testing.assert_allclose(one.matrix[:, 0], imputed()[0][:, 0] - imputed()[0][:, 0].mean(), atol=1e-12)


def test_a_share_that_two_components_explain_takes_two() -> None:
    covariance = np.diag([1.0, 5.0, 4.0])
    assert principal_components(covariance, explained_variance=0.9).shape == (3, 2)
    assert principal_components(covariance, explained_variance=0.91).shape == (3, 3)
    assert principal_components(covariance, explained_variance=0.5).tolist() == [[0.0], [1.0], [0.0]]
    assert principal_components(np.zeros((3, 3)), explained_variance=0.5).shape[0] == 3


def test_the_largest_loading_is_positive_the_first_of_equals() -> None:
    found = principal_components(np.array([[1.0, -1.0], [-1.0, 1.0]]), 1)
    np.testing.assert_allclose(found[:, 0], [0.5**0.5, -(0.5**0.5)], atol=1e-12)


def test_components_far_from_0_keep_their_digits(spark: SparkSession) -> None:
    """Two values whose sum, weighted, is a billion times their spread."""
    rng = np.random.default_rng(4)
    near = rng.normal(size=(500, 2)) @ np.array([[1.0, 0.6], [0.0, 0.5]])
    frame = pd.DataFrame({"a": near[:, 0] + 1e9, "b": near[:, 1] + 3e9, "id": range(500)})
    exact = frame[["a", "b"]].to_numpy() - [1e9, 3e9]  # the digits that doubles have there
    plan = {"features": {"a": {}, "b": {}}, "reduce": {"columns": ["a", "b"], "k": 2}}
    found = prepare(dirty(spark, frame), plan)
    expected = components_of(PCA(2).fit(exact), exact)
    np.testing.assert_allclose(found.matrix - found.matrix.mean(axis=0), expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.matrix.mean(axis=0), 0, atol=2e-7)  # as near as a double is to the mean
