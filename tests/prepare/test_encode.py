"""Encoded categories are those of scikit-learn and pandas; the unseen and the missing have their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from prepared import Prepared, crossed, prepare

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LIMITS: dict[str, dict[str, Any]] = {"all": {}, "top": {"top_k": 3}, "often": {"min_frequency": 20}}
BUCKETS = (0, 1, 3)
OPTIONS = {
    f"{encode} {limit} {n}": {"encode": encode, **section, "num_oov_buckets": n}
    for encode in ("one_hot", "ordinal")
    for limit, section in LIMITS.items()
    for n in BUCKETS
}
OPTIONS |= {f"frequency {limit}": {"encode": "frequency", **section} for limit, section in LIMITS.items()}
OPTIONS |= {f"hashing {n}": {"encode": "hashing", "n_buckets": n} for n in (2, 7)}
NAMES = ("word", "code", "full")


def rows(n: int, seed: int) -> pd.DataFrame:
    """Words with ties of frequency, numbers as categories, and a category without nulls."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"word": np.resize(["b", "a", "it's", "", "Ü", "b", "a", None, "rare"], n), "id": range(n)})
    frame["code"] = pd.array(rng.choice([1, 2, 3, 44], n, p=[0.5, 0.3, 0.15, 0.05]), "Int64")
    frame.loc[rng.random(n) < 0.1, "code"] = None
    return frame.assign(full=rng.choice(["x", "y", "z"], n, p=[0.6, 0.3, 0.1]))


TRAIN, TEST = rows(180, seed=1), rows(120, seed=2)
TRAIN.loc[TRAIN["word"].eq("rare") & (TRAIN["id"] > 30), "word"] = "a"
TEST.loc[:20, ["word", "code", "full"]] = ["never seen", 99, ""]
TEST.loc[21:30, ["word", "code", "full"]] = ["never seen too", 98, None]


@pytest.fixture(scope="module")
def test(spark: SparkSession) -> DataFrame:
    return crossed(spark.createDataFrame(table(TEST)), NAMES, OPTIONS)[0]


def table(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture(scope="module")
def encoded(spark: SparkSession, test: DataFrame) -> Prepared:
    train, features = crossed(spark.createDataFrame(table(TRAIN)), NAMES, OPTIONS)
    return prepare(train.repartition(5), {"features": features}, test)


def text(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name].astype("string")


def vocabulary(name: str, limit: str) -> list[str]:
    """The words of train, the most frequent first, of equals the last."""
    counts = text(TRAIN, name).value_counts()
    words = sorted(
        counts[counts >= LIMITS[limit].get("min_frequency", 1)].index, key=lambda w: (counts[w], w), reverse=True
    )
    return [str(word) for word in words][: LIMITS[limit].get("top_k", None)]


def test_the_vocabularies_differ_by_their_limits() -> None:
    assert {limit: len(vocabulary("word", limit)) for limit in LIMITS} == {"all": 6, "top": 3, "often": 5}
    assert TRAIN["word"].value_counts().duplicated().any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("n", BUCKETS)
def test_one_hot_equals_scikit_learn_with_the_unseen_and_the_missing(
    name: str, limit: str, n: int, encoded: Prepared
) -> None:
    words, feature, test = vocabulary(name, limit), f"{name} one_hot {limit} {n}", text(TEST, name)
    others = {0: [], 1: ["<other>"], 3: ["<other 1>", "<other 2>", "<other 3>"]}[n]
    names = [found for found in encoded.fitted.features if found.startswith(f"{feature}_")]
    assert names == [f"{feature}_{word}" for word in [*words, *others, "<missing>"]]
    oracle = OneHotEncoder(categories=[words], handle_unknown="ignore", sparse_output=False).fit([[words[0]]])
    found = encoded.of(feature)
    known = oracle.transform(test.fillna("no word of these").to_numpy(dtype=object).reshape(-1, 1))
    np.testing.assert_array_equal(found[:, : len(words)], known)
    assert found[:, -1].tolist() == test.isna().tolist()
    unseen = (test.notna() & ~test.isin(words)).to_numpy(bool)
    assert unseen.sum() >= 10
    assert found[:, len(words) : -1].sum(axis=1).tolist() == (unseen.astype(float) * (n > 0)).tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("n", BUCKETS)
def test_places_equal_scikit_learn(name: str, limit: str, n: int, encoded: Prepared) -> None:
    words, test = vocabulary(name, limit), text(TEST, name)
    oracle = OrdinalEncoder(
        categories=[words], handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ).fit([[words[0]]])
    expected = oracle.transform(test.fillna("no word of these").to_numpy(dtype=object).reshape(-1, 1))[:, 0]
    found = encoded[f"{name} ordinal {limit} {n}"]
    known, missing = test.isin(words).to_numpy(bool), test.isna().to_numpy(bool)
    np.testing.assert_array_equal(found[known], expected[known])
    assert set(found[missing]) == {len(words) + n}
    others = set(found[~known & ~missing])
    assert others <= ({-1} if n == 0 else {len(words) + i for i in range(n)})
    one_hot = encoded.of(f"{name} one_hot {limit} {n}")
    assert np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), -1).tolist() == found.tolist()


def test_words_spread_over_the_buckets_by_their_hash(encoded: Prepared, test: DataFrame) -> None:
    for feature, n, first in (("word ordinal top 3", 3, 3), ("word hashing 7", 7, 0), ("code hashing 2", 2, 0)):
        name = feature.split()[0]
        column = F.pmod(F.xxhash64(F.col(name).cast("string")), F.lit(n)) + first
        expected = test.select("id", column.alias("place")).toArrow().sort_by("id")["place"].to_numpy()
        if "ordinal" in feature:
            found = encoded[feature]
            rare = (text(TEST, name).notna() & ~text(TEST, name).isin(vocabulary(name, "top"))).to_numpy(bool)
        else:
            found, rare = encoded.of(feature).argmax(axis=1), text(TEST, name).notna().to_numpy(bool)
        np.testing.assert_array_equal(found[rare], expected[rare])
        assert len(set(found[rare])) > 1


@pytest.mark.parametrize("name", NAMES)
def test_hashed_words_have_one_place_each_and_null_the_last(name: str, encoded: Prepared) -> None:
    found, feature = encoded.of(f"{name} hashing 7"), f"{name} hashing 7"
    assert (found.sum(axis=1) == 1).all()
    assert found[:, -1].tolist() == TEST[name].isna().tolist()
    names = [n for n in encoded.fitted.features if n.startswith(f"{feature}_")]
    assert names == [*(f"{feature}_<{i}>" for i in range(7)), f"{feature}_<missing>"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", LIMITS)
def test_shares_equal_pandas(name: str, limit: str, encoded: Prepared) -> None:
    shares = text(TRAIN, name).value_counts(normalize=True, dropna=False)
    missing = text(TRAIN, name).isna().mean()
    known = shares[vocabulary(name, limit)]
    expected = text(TEST, name).map(known).astype(float).fillna(0.0).where(TEST[name].notna(), missing)
    np.testing.assert_allclose(encoded[f"{name} frequency {limit}"], expected, rtol=1e-15)


def test_all_of_this_takes_one_scan(encoded: Prepared) -> None:
    assert len(encoded.fitted.costs) == 1
