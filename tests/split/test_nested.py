"""Inner folds are even in every outer training part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import strata
from frames import of_pandas, of_rows
from traintable.errors import ConfigError
from traintable.split import nested
from traintable.split.nested import _cells

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FOLDS = ["outer_fold", "inner_fold"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 150), max_size=15), st.integers(2, 6), st.integers(2, 6))
def test_folds_are_even_inside_and_outside(sizes: list[int], outer: int, inner: int) -> None:
    cells = np.array(list(_cells({(str(i),): n for i, n in enumerate(sizes)}, outer, inner).values()))
    cells = cells.reshape(-1, outer, inner)
    assert cells.sum(axis=(1, 2)).tolist() == sizes
    for stratum in cells:
        assert np.ptp(stratum.sum(axis=1)) <= 1
        assert np.ptp(stratum.sum(axis=0)) <= 1
        assert max(np.ptp(np.delete(stratum, o, axis=0).sum(axis=0)) for o in range(outer)) <= 2
    assert np.ptp(cells.sum(axis=(0, 2))) <= 1


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, strata(40, max_rows=60)).cache()


def test_rows_get_the_folds_that_their_stratum_has(rows: DataFrame) -> None:
    by = ["case", "s.1", "s 2"]
    split = rows.selectExpr("*", "CASE WHEN id % 5 > 0 THEN 'train' END AS split")
    found = nested(split, 4, 3, key=["id"], by=by, seed=2, min_rows=0).toPandas()
    train = found[found["split"] == "train"]
    assert found["inner_fold"].notna().equals(found["split"] == "train")
    assert found["outer_fold"].notna().equals(found["split"] == "train")
    cells = train.groupby([*by, *FOLDS], dropna=False).size().unstack(FOLDS, fill_value=0)
    cells = cells.reindex(columns=pd.MultiIndex.from_product([range(4), range(3)]), fill_value=0)
    cells = cells.to_numpy().reshape(-1, 4, 3)
    assert len(cells) > 60
    for o in range(4):
        assert np.ptp(np.delete(cells, o, axis=1).sum(axis=1), axis=1).max() <= 2
    assert np.ptp(cells.sum(axis=2), axis=1).max() <= 1


def test_a_group_is_in_one_outer_and_one_inner_fold(rows: DataFrame) -> None:
    split = rows.selectExpr("*", "CAST(id DIV 6 AS STRING) AS `g.1`", "id % 3 AS y")
    found = nested(split, 3, 2, key=["id"], by=["y"], group=["g.1"], names=("o", "i 1")).toPandas()
    groups = found.groupby("g.1")
    assert groups["o"].nunique().max() == groups["i 1"].nunique().max() == 1
    for o in range(3):
        inside = found[found["o"] != o]
        assert np.ptp(pd.crosstab(inside["i 1"], inside["y"]).to_numpy(), axis=0).max() <= 12


def test_too_few_rows_for_any_fold_are_refused(spark: SparkSession) -> None:
    rows = of_rows(spark, "id int, y string", [(i, "a" if i < 30 else "b") for i in range(34)])
    with pytest.raises(
        ConfigError, match="each of 5 outer folds, and 3 inner ones in the rest of them, 1 row, found y=b"
    ):
        nested(rows, 5, 3, key=["id"], by=["y"])
    assert nested(rows, 3, 2, key=["id"], by=["y"]).count() == 34
    with pytest.raises(ConfigError, match=r"outer \* inner.*found 200"):
        nested(rows, 20, 10, key=["id"])
    with pytest.raises(ConfigError, match=r"split\.nested.*1 row of each class of y"):
        nested(rows.selectExpr("*", "y AS g"), 2, 2, key=["id"], by=["y"], group=["g"])
