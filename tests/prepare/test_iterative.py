"""Missing numbers become what the other numbers of their row let one expect of a normal distribution."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LinearRegression

from frames import of_rows
from prepared import Prepared, dirty, exact, matrix, prepare
from traintable.prepare.iterative import N_ROUNDS, Normal, fill_iteratively, normal, uncertainty
from traintable.prepare.terms import Layers
from traintable.statistics import Covariance

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAMES = ("a", "b", "c", "d")
SCALES, SHIFTS = np.array([1.0, 1e-3, 1e5, 40.0]), np.array([0.0, 3.0, 1e9, -7.0])


def rows(n: int, seed: int, *, noise: float = 0.6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers that hang together, of which a fifth is missing; and the same with nothing missing."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    values = (common * [1, -0.8, 0.6, 1] + noise * rng.normal(size=(n, 4))) * SCALES + SHIFTS
    whole = pd.DataFrame(values, columns=list(NAMES))
    return whole.mask(rng.random((n, 4)) < 0.2).assign(id=range(n)), whole


(TRAIN, _), (TEST, _) = rows(500, seed=1), rows(150, seed=2)


@pytest.fixture(scope="module")
def imputed(spark: SparkSession) -> Prepared:
    features = {name: {"impute": "iterative", "indicator": name == "a"} for name in NAMES}
    return prepare(dirty(spark, TRAIN), {"features": features}, dirty(spark, TEST))


def found(prepared: Prepared) -> Any:
    return np.stack([prepared[name] for name in NAMES], axis=1)


def expected_of(frame: pd.DataFrame, mean: Any, covariance: Any) -> Any:
    """The conditional mean of what is missing given what is there, of a normal distribution."""
    values = frame[[name for name in frame if name != "id"]].to_numpy(copy=True)
    for row in values:
        gone = np.isnan(row)
        weights = covariance[np.ix_(gone, ~gone)] @ np.linalg.inv(covariance[np.ix_(~gone, ~gone)])
        row[gone] = mean[gone] + weights @ (row[~gone] - mean[~gone])
    return values


def fitted() -> Normal:
    """The distribution that TRAIN tells of."""
    present = TRAIN[list(NAMES)].notna().to_numpy().astype(np.int64)
    mean, covariance = TRAIN[list(NAMES)].mean().to_numpy(), TRAIN[list(NAMES)].cov().to_numpy()  # pairwise complete
    return normal(Covariance(NAMES, mean, covariance), uncertainty(present.T @ present))


def test_what_is_filled_in_is_the_conditional_mean(imputed: Prepared) -> None:
    covariance = TRAIN[list(NAMES)].cov().to_numpy()
    assert np.linalg.eigvalsh(covariance / np.outer(SCALES, SCALES)).min() > 0.05  # nothing had to be moved
    expected = expected_of(TEST, TRAIN[list(NAMES)].mean().to_numpy(), covariance)
    missing = TEST[list(NAMES)].isna().sum(axis=1)
    assert set(missing) >= {0, 1, 2, 3}
    np.testing.assert_allclose((found(imputed) - SHIFTS) / SCALES, (expected - SHIFTS) / SCALES, rtol=1e-9, atol=1e-9)


def test_a_row_that_misses_everything_gets_the_means(spark: SparkSession, imputed: Prepared) -> None:
    nothing = of_rows(spark, "id int, a double, b double, c double, d double", [(0, None, None, None, None)])
    values = matrix(exact(imputed.fitted.model), nothing)[0, [0, 2, 3, 4]]
    np.testing.assert_allclose(values, TRAIN[list(NAMES)].mean(), rtol=1e-14)


def test_a_normal_distribution_is_that_of_its_covariance() -> None:
    found, covariance = fitted(), TRAIN[list(NAMES)].cov().to_numpy()
    inverse = found.precision / np.outer(found.unit, found.unit)
    np.testing.assert_allclose((inverse @ covariance) * SCALES[:, None] / SCALES, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(np.diag(found.precision), 1.0)


def test_a_regression_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    found = normal(Covariance(NAMES, x.mean(axis=0), np.cov(x, rowvar=False) * np.outer(SCALES, SCALES)))
    weights = -found.precision * (found.unit / SCALES)[:, None] / (found.unit / SCALES)
    for i in range(4):
        others = [j for j in range(4) if j != i]
        np.testing.assert_allclose(weights[i, others], LinearRegression().fit(x[:, others], x[:, i]).coef_, rtol=1e-9)


def test_many_missing_numbers_are_solved_for_in_few_rounds(spark: SparkSession) -> None:
    """Of twelve numbers some rows miss more than there are rounds."""
    rng = np.random.default_rng(1)
    names = [f"x{i}" for i in range(12)]
    values = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12)) + rng.normal(size=(300, 12))
    whole = pd.DataFrame(values, columns=names)
    holed = whole.mask(rng.random(whole.shape) < 0.4)
    assert holed.isna().sum(axis=1).max() > N_ROUNDS
    features = {name: {"impute": "iterative"} for name in names}
    result = prepare(dirty(spark, holed.assign(id=range(300))), {"features": features})
    present = holed.notna().to_numpy().astype(np.int64)
    given = Covariance(tuple(names), holed.mean().to_numpy(), holed.cov().to_numpy())
    known = normal(given, uncertainty(present.T @ present))
    covariance = np.linalg.inv(known.precision / np.outer(known.unit, known.unit))
    expected = expected_of(holed, known.mean, covariance)
    few = holed.isna().sum(axis=1) <= N_ROUNDS
    np.testing.assert_allclose(result.matrix[few], expected[few], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.matrix, expected, atol=0.05)


@pytest.mark.filterwarnings("ignore:.*Early stopping")
@pytest.mark.parametrize("noise", [0.05, 0.15, 0.3, 0.6])
def test_it_is_as_near_to_the_truth_as_scikit_learn(noise: float) -> None:
    """However closely numbers hang together; a covariance that chance made indefinite would be far off."""
    (train, _), (test, whole) = rows(500, seed=3, noise=noise), rows(300, seed=4, noise=noise)
    known, asked, truth = ((frame[list(NAMES)] - SHIFTS) / SCALES for frame in (train, test, whole))
    gone, mean = asked.isna().to_numpy(), known.mean().to_numpy()
    present = known.notna().to_numpy().astype(np.int64)
    distribution = normal(Covariance(NAMES, mean, known.cov().to_numpy()), uncertainty(present.T @ present))
    covariance = np.linalg.inv(distribution.precision / np.outer(distribution.unit, distribution.unit))
    oracle = IterativeImputer(LinearRegression(), max_iter=10, imputation_order="roman").fit(known)
    ours, theirs, of_means = (
        np.sqrt(((values - truth.to_numpy())[gone] ** 2).mean())
        for values in (expected_of(asked, mean, covariance), oracle.transform(asked), mean)
    )
    assert ours < (1.4 if noise < 0.1 else 1.1) * theirs
    assert ours < 0.75 * of_means


def test_what_the_rows_of_a_pair_let_one_doubt() -> None:
    """Eigenvalues of correlations of rows with values missing at random, against those of the whole rows."""
    rng = np.random.default_rng(0)
    off, expected = [], []
    for _ in range(40):
        whole = pd.DataFrame(rng.normal(size=(400, 1)) + 0.05 * rng.normal(size=(400, 10)))
        holed = whole.mask(rng.random(whole.shape) < 0.3)
        present = holed.notna().to_numpy().astype(np.int64)
        std = holed.std().to_numpy()
        found = np.linalg.eigvalsh(holed.cov().to_numpy() / np.outer(std, std))
        off.append(np.linalg.eigvalsh(whole.corr().to_numpy()).min() - found.min())
        expected.append(uncertainty(present.T @ present))
    assert 0.5 < np.mean(off) / np.mean(expected) < 1.5
    assert uncertainty(np.full((5, 5), 300)) == 0
    assert uncertainty(np.diag([4, 5])) == 0


def test_what_was_missing_is_indicated_and_one_scan_is_enough(imputed: Prepared) -> None:
    assert imputed["a_<missing>"].tolist() == TEST["a"].isna().tolist()
    assert len(imputed.fitted.costs) == 1


def test_constants_and_copies_are_imputed_too(spark: SparkSession) -> None:
    df = dirty(spark, TRAIN).selectExpr("id", "a", "IF(id % 7 = 0, NULL, a) AS copy", "IF(id % 5 = 0, NULL, 2D) AS two")
    features = {name: {"impute": "iterative"} for name in ("a", "copy", "two")}
    result = prepare(df, {"features": features})
    assert set(result["two"]) == {2.0}
    hidden = (TRAIN["id"] % 7 == 0) & TRAIN["a"].notna()
    np.testing.assert_allclose(result["copy"][hidden], TRAIN["a"][hidden], rtol=0.1, atol=0.02)
    alone = prepare(df, {"features": {"a": {"impute": "iterative"}}})
    np.testing.assert_allclose(alone["a"], TRAIN["a"].fillna(TRAIN["a"].mean()), rtol=1e-14)


def test_pairs_that_are_never_there_together_do_not_hang_together(spark: SparkSession) -> None:
    df = dirty(spark, TRAIN).selectExpr("id", "IF(id % 2 = 0, a, NULL) AS a", "IF(id % 2 = 1, b, NULL) AS b")
    result = prepare(df, {"features": {name: {"impute": "iterative"} for name in ("a", "b")}})
    even = TRAIN["a"].where(TRAIN["id"] % 2 == 0)
    np.testing.assert_allclose(result["a"], even.fillna(even.mean()), rtol=1e-12)


def test_covariances_that_belong_to_no_rows_are_moved_to_some_that_do() -> None:
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    assert np.linalg.eigvalsh(impossible).min() < 0
    for least in (0.0, 0.1):
        found = normal(Covariance(NAMES[:3], np.zeros(3), impossible), least)
        covariance = np.linalg.inv(found.precision / np.outer(found.unit, found.unit))
        assert np.linalg.eigvalsh(covariance).min() == pytest.approx(max(least, 1e-6), rel=1e-3)


def test_columns_of_one_name_and_a_number_do_not_mix(spark: SparkSession) -> None:
    """`x_1` is filled forward in the layer in which the first round makes a column of `x`."""
    df = dirty(spark, TRAIN).selectExpr("id", "a AS x", "b AS x_1", "d AS x_0", "c AS y")
    features: dict[str, Any] = {name: {"impute": "iterative"} for name in ("x", "y")}
    features |= {name: {"impute": "forward_fill", "time": "id"} for name in ("x_1", "x_0")}
    result = prepare(df, {"features": features})
    for name, column in (("x_1", "b"), ("x_0", "d")):
        expected = TRAIN[column].ffill().fillna(TRAIN[column].mean())
        np.testing.assert_allclose(result[name], expected, rtol=1e-14)


def test_the_statement_has_few_words_for_a_column_however_many_there_are() -> None:
    """What is planned is each column and one text of numbers, not each pair of columns in each round."""
    lengths = {}
    for n in (10, 40):
        names = tuple(f"x{i}" for i in range(n))
        layers = Layers()
        cleaned = {name: layers.add(0, name, f"`{name}`") for name in names}
        known = normal(Covariance(names, np.zeros(n), np.eye(n) + 0.5))
        fill_iteratively(layers, cleaned, known)
        text = re.sub(r"from_json\(.*?\)", "", layers.rows())
        lengths[n] = len(text.split())
    assert lengths[40] < 4 * lengths[10]
    assert len(layers.ordered) == 6
