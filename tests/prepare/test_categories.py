"""Text is brought to one form and imputed before it is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from prepared import Prepared, crossed, prepare
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WORDS = ["b", " b", "B ", "a", "  ", None, "ÄÖ", "äö", "a", "b", None, ""]
TRAIN = pd.DataFrame({"word": WORDS * 3, "other": (["x"] * 5 + ["y"] * 7) * 3, "id": range(3 * len(WORDS))})
TEST = pd.DataFrame({"word": [*WORDS, "A", " new ", "NEW"], "other": ["x", "y", "z"] * 5, "id": range(len(WORDS) + 3)})
FORMS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "trimmed": {"trim": True},
    "lower": {"case": "lower"},
    "trimmed upper": {"trim": True, "case": "upper"},
}
FILLS: dict[str, dict[str, Any]] = {
    "null": {},
    "most frequent": {"impute": "mode"},
    "constant": {"impute": "constant", "fill_value": "none'"},
}
OPTIONS = {f"{form}, {fill}": FORMS[form] | FILLS[fill] for form in FORMS for fill in FILLS}
ENCODINGS = ("ordinal", "frequency")


def formed(words: pd.Series, option: str) -> pd.Series:
    form, fill = option.split(", ")
    if "trimmed" in form:
        words = words.str.strip(" ").replace("", None)
    words = words.str.lower() if "lower" in form else words.str.upper() if "upper" in form else words
    if fill == "null":
        return words
    return words.fillna(most_frequent(formed(TRAIN["word"], f"{form}, null")) if "most" in fill else "none'")


def most_frequent(words: pd.Series) -> str:
    counts = words.value_counts()
    return min(counts[counts == counts.max()].index)


def places(words: list[str], values: pd.Series) -> list[int]:
    """Known words by their order, then others, then null."""
    place = {word: i for i, word in enumerate(words)}
    return [place.get(value, len(words)) if isinstance(value, str) else len(words) + 1 for value in values]


@pytest.fixture(scope="module")
def encoded(spark: SparkSession) -> Prepared:
    def read(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[DataFrame, dict[str, Any]]:
        return crossed(spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)), ["word"], options)

    options = {f"{o} {e}": {**OPTIONS[o], "encode": e} for o in OPTIONS for e in ENCODINGS}
    train, features = read(TRAIN, options)
    features["both"] = {"expr": "concat(word, '/', other)", "encode": "ordinal", "trim": True}
    return prepare(train, {"features": features}, read(TEST, options)[0])


@pytest.mark.parametrize("option", OPTIONS)
def test_places_are_those_of_the_words_in_their_form(option: str, encoded: Prepared) -> None:
    counts = formed(TRAIN["word"], option).value_counts()
    words = sorted(counts.index, key=lambda word: (counts[word], word), reverse=True)
    place = {word: i for i, word in enumerate(words)}
    expected = [
        place.get(word, len(words)) if isinstance(word, str) else len(words) + 1
        for word in formed(TEST["word"], option)
    ]
    assert encoded[f"word {option} ordinal"].tolist() == expected


@pytest.mark.parametrize("option", OPTIONS)
def test_shares_are_those_of_the_words_in_their_form(option: str, encoded: Prepared) -> None:
    train = formed(TRAIN["word"], option)
    shares = train.value_counts(normalize=True, dropna=False)
    test = formed(TEST["word"], option)
    expected = test.map(shares.drop(shares.index[shares.index.isna()])).astype(float).fillna(0.0)
    expected = expected.where(test.notna(), train.isna().mean())
    np.testing.assert_allclose(encoded[f"word {option} frequency"], expected, rtol=1e-15)


def test_two_categories_as_one(encoded: Prepared) -> None:
    train, test = (frame["word"] + "/" + frame["other"] for frame in (TRAIN, TEST))
    train, test = train.str.strip(" "), test.str.strip(" ")
    counts = train.value_counts()
    words = sorted(counts.index, key=lambda word: (counts[word], word), reverse=True)
    assert encoded["both"].tolist() == places(words, test)


def test_the_most_frequent_of_nothing_is_refused(spark: SparkSession) -> None:
    train = spark.sql("SELECT id, CAST(NULL AS STRING) AS word FROM range(5)")
    for encode in ("one_hot", "hashing"):
        with pytest.raises(ConfigError, match=r"features\.word.*most frequent"):
            prepare(train, {"features": {"word": {"encode": encode, "impute": "mode"}}})
