"""Every word finds what belongs to it, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.ml.feature import SQLTransformer

from traintable.prepare.encode import by_key
from traintable.prepare.lookup import lookup

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SIZES = (0, 1, 2, 8, 9, 16, 200, 5000)
PARTS = ["", " ", "a", "A", "b", "'", '"', "\\", "`", "$", "${", "}", "__", "THIS", "__THIS__", "${env:HOME}", "%"]
PARTS += [
    "_",
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1a",
    "\\n",
    "\\u0041",
    "\\'",
    "--",
    "/*",
    "*/",
    "?",
    ":x",
    "{",
    "[",
    "é",
    "e\u0301",
]
PARTS += ["日本", "😀", "\u2028", "\ufeff", "null", "0", "=", "ß", "İ"]


def words(n: int, seed: int) -> list[str]:
    """Different texts of up to four parts."""
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(["", "null", "__THIS__", "a\\", "'"])
    while len(found) < n:
        found["".join(rng.choice(PARTS, rng.integers(1, 5)))] = None
    return list(found)[:n]


WORDS = words(max(SIZES) + 300, seed=1)


def looked_up(
    spark: SparkSession, entries: Sequence[Mapping[str, str]], asked: Sequence[str | None]
) -> list[list[Any]]:
    """What a stage that is made of the expressions gives for each of several maps."""
    df = spark.createDataFrame(pa.table({"i": range(len(asked)), "word": pa.array(asked, pa.string())}))
    columns = [f"{lookup('word', some)} AS found{i}" for i, some in enumerate(entries)]
    stage = SQLTransformer(statement=f"SELECT i, {', '.join(columns)} FROM __THIS__")
    found = stage.transform(df).toArrow().sort_by("i")
    return [found[f"found{i}"].to_pylist() for i in range(len(entries))]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[int, list[Any]]:
    """For each size what all the words find among the first so many of them."""
    entries = [{word: f"{i}.5D" for i, word in enumerate(WORDS[:n])} for n in SIZES]
    return dict(zip(SIZES, looked_up(spark, entries, [None, *WORDS]), strict=True))


@pytest.mark.parametrize("n", SIZES)
def test_a_word_finds_its_entry_and_others_find_none(n: int, found: dict[int, list[Any]]) -> None:
    assert found[n] == [None, *(i + 0.5 if i < n else None for i in range(len(WORDS)))]


def test_whole_numbers_and_text_can_be_looked_up(spark: SparkSession) -> None:
    numbers, texts = looked_up(spark, [{"a": "1", "b": "2"}, {"a": "'x'"}], ["a", "b", "c", None])
    assert numbers == [1, 2, None, None]
    assert texts == ["x", None, None, None]


def test_a_row_is_compared_with_few_words_however_many_there_are() -> None:
    sql = lookup("word", {f"word {i}": str(i) for i in range(4000)})
    assert max(part.count("word ") for part in sql.split("map(")) < 40


def test_a_key_that_is_not_there_has_the_default(spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"word": ["a", "b", None]}))
    assert df.selectExpr(by_key("word", {"a": 0.1}, "7.0D")).toArrow()[0].to_pylist() == [0.1, 7.0, 7.0]
    assert df.selectExpr(by_key("word", {}, "7.0D")).toArrow()[0].to_pylist() == [7.0, 7.0, 7.0]
