"""Mahalanobis distances from a Gram matrix, against SciPy and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import mahalanobis as of_scipy
from scipy.stats import chi2

from analysis_contexts import learned, read
from frames import of_pandas
from traintable.analyse.mahalanobis import ellipsoid, mahalanobis
from traintable.errors import ConfigError
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def correlated(n: int, offset: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(4, 4))
    return pd.DataFrame(rng.normal(size=(n, 4)) @ mixing + offset, columns=["a", "b.c", "d e", "f`g"])


def squared(frame: pd.DataFrame) -> Any:
    names = tuple(frame.columns)
    shape = ellipsoid(learned(frame, numbers=names).gram, names)
    assert shape is not None
    return shape.squared_distances(read(frame, names, ())), shape


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_distances_are_those_of_scipy(offset: float) -> None:
    frame = correlated(300, offset)
    distances, shape = squared(frame)
    inverse = np.linalg.inv(np.cov(frame.to_numpy().T))
    expected = [of_scipy(row, frame.mean(), inverse) ** 2 for row in frame.to_numpy()]
    np.testing.assert_allclose(distances, expected, rtol=1e-9 if offset == 0 else 1e-5)
    assert shape.rank == 4


def test_columns_of_any_size_count_the_same() -> None:
    frame = correlated(200)
    distances, _ = squared(frame)
    scaled, _ = squared(frame * [1e-100, 1e100, 1.0, 1e9])
    np.testing.assert_allclose(scaled, distances, rtol=1e-9)


def test_collinear_and_constant_columns_count_for_nothing() -> None:
    frame = correlated(300)
    expected, _ = squared(frame)
    more = frame.assign(twice=2 * frame["a"] + 1, sum=frame["a"] - frame["b.c"], constant=4.0, nothing=np.nan)
    distances, shape = squared(more)
    assert shape.rank == 4
    assert "constant" not in shape.columns
    assert "nothing" not in shape.columns
    np.testing.assert_allclose(distances, expected, rtol=1e-6)


def test_missing_values_are_taken_for_the_mean() -> None:
    frame = correlated(400)
    frame.iloc[::5, 1] = np.nan
    frame.iloc[::7, 0] = np.nan
    distances, _ = squared(frame)
    filled = frame.fillna(frame.mean())
    inverse = np.linalg.inv(np.cov(filled.to_numpy().T))
    expected = [of_scipy(row, filled.mean(), inverse) ** 2 for row in filled.to_numpy()]
    np.testing.assert_allclose(distances, expected, rtol=1e-9)


def test_a_rows_distance_does_not_depend_on_the_others_of_its_batch() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(9000, 37)), columns=[f"x{i}" for i in range(37)])
    whole, shape = squared(frame)
    for start, end in ((0, 1), (5, 4200), (8190, 9000)):
        part = shape.squared_distances(read(frame[start:end], tuple(frame.columns), ()))
        assert part.tolist() == whole[start:end].tolist()


def test_rows_keep_their_columns_and_get_distance_and_p_value(spark: SparkSession) -> None:
    frame = correlated(500)
    frame.iloc[3] = 40.0
    frame.iloc[4, 2] = np.nan
    df = of_pandas(spark, frame.assign(id=np.arange(500), text="x", when=pd.Timestamp("1850-01-02")))
    statistics = scan(df, Wanted(covariance=("a", "b.c", "d e", "f`g")))
    measured = mahalanobis(df.repartition(3), statistics).toPandas().sort_values("id", ignore_index=True)
    expected, _ = squared(frame)
    assert list(measured.columns) == [*df.columns, "mahalanobis", "mahalanobis_p_value"]
    pd.testing.assert_frame_equal(measured[["a", "b.c", "d e", "f`g"]], frame)
    assert measured["when"].eq(pd.Timestamp("1850-01-02")).all()
    np.testing.assert_allclose(measured["mahalanobis"], expected, rtol=1e-9)
    np.testing.assert_allclose(measured["mahalanobis_p_value"], chi2.sf(expected, 4), rtol=1e-6, atol=1e-300)
    assert measured["mahalanobis"].idxmax() == 3
    with pytest.raises(ConfigError, match="'mahalanobis'"):
        mahalanobis(df.withColumnRenamed("text", "mahalanobis"), statistics)
    with pytest.raises(ConfigError, match="which is not among them"):
        mahalanobis(df, statistics, ["a", "nowhere"])
    constant = df.selectExpr("1.0D AS a")
    with pytest.raises(ConfigError, match="one number that varies"):
        mahalanobis(constant, scan(constant, Wanted(covariance=("a",))))
