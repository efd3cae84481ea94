"""Each stratum is divided in the same ratios to the nearest row, by nothing but seed and key."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from frames import of_pandas
from traintable.columns import SPLITS
from traintable.errors import ConfigError
from traintable.split import stratified

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SIZES = [*range(1, 41), 50, 100, 250, 1000]
RATIOS = [(0.7, 0.15, 0.15), (0.5, 0.25, 0.25), (0.8, 0.1, 0.1), (0.57, 0.28, 0.15), (0.98, 0.01, 0.01)]


def named(ratios: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(SPLITS, ratios, strict=True))


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """A stratum of each size, one of them the null, of two columns; keys count up, as they do in practice."""
    stratum = np.repeat(np.arange(len(SIZES)), SIZES)
    frame = pd.DataFrame({"the id": range(len(stratum)), "part": [str(i) for i in range(len(stratum))]})
    frame["s.1"] = pd.array(np.where(stratum == len(SIZES) - 2, -1, stratum), "Int64")
    frame.loc[frame["s.1"] == -1, "s.1"] = pd.NA
    frame["s2"] = np.where(stratum % 2, "odd", None)
    return of_pandas(spark, frame).cache()


def drawn(rows: DataFrame, ratios: tuple[float, ...] = RATIOS[0], seed: int = 7) -> pd.DataFrame:
    split = stratified(rows, ["s.1", "s2"], named(ratios), key=["the id", "part"], seed=seed, min_rows=0)
    assert split.columns == [*rows.columns, "split"]
    return split.toPandas().sort_values("the id", ignore_index=True)


@pytest.fixture(scope="module")
def known(rows: DataFrame) -> pd.DataFrame:
    return drawn(rows)


def counts(n: int, ratios: tuple[float, ...]) -> list[int]:
    """What the ratios, as they are written, give of n rows: the cumulated ones rounded half up."""
    written = [Decimal(str(ratio)) for ratio in ratios]
    reached = [int((n * sum(written[: i + 1])).quantize(0, ROUND_HALF_UP)) for i in range(3)]
    return [reached[0], reached[1] - reached[0], n - reached[1]]


@pytest.mark.parametrize("ratios", RATIOS)
def test_every_stratum_is_divided_exactly(ratios: tuple[float, ...], rows: DataFrame) -> None:
    found = drawn(rows, ratios)
    table = pd.crosstab([found["s.1"].fillna(-1), found["s2"].fillna("null")], found["split"])
    table = table.reindex(columns=list(SPLITS), fill_value=0)
    assert sorted(table.sum(axis=1)) == SIZES
    assert table.to_numpy().tolist() == [counts(n, ratios) for n in table.sum(axis=1)]


@pytest.mark.parametrize("partitions", [1, 7, 50])
def test_any_layout_gives_the_same_rows(partitions: int, rows: DataFrame, known: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(drawn(rows.repartition(partitions, "s2", "part")), known)


def test_another_seed_gives_other_rows_independent_of_the_first(rows: DataFrame, known: pd.DataFrame) -> None:
    other = drawn(rows, seed=8)
    assert (other["split"] != known["split"]).any()
    assert chi2_contingency(pd.crosstab(known["split"], other["split"])).pvalue > 1e-3


@pytest.mark.parametrize("covariate", ["remainder by 2", "remainder by 7", "place in the stratum", "last digit"])
def test_the_draw_is_independent_of_whatever_else_the_rows_have(covariate: str, known: pd.DataFrame) -> None:
    number, stratum = known["the id"], known.groupby("s.1", dropna=False)["the id"]
    value = {
        "remainder by 2": number % 2,
        "remainder by 7": number % 7,
        "place in the stratum": stratum.cumcount() * 3 // stratum.transform("size"),
        "last digit": known["part"].str[-1],
    }[covariate]
    assert chi2_contingency(pd.crosstab(known["split"], value)).pvalue > 1e-3


def test_an_unknown_column_is_named(rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"split\.stratified.*'s3'"):
        stratified(rows, ["s3"], named(RATIOS[0]), key=["the id"], seed=1)
    with pytest.raises(ConfigError, match=r"'the ide'.*'the id'"):
        stratified(rows, ["s2"], named(RATIOS[0]), key=["the ide"], seed=1)
