"""Every word finds what belongs to it, whatever it is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.ml.feature import SQLTransformer

from traintable.prepare.encode import lookup, lookup_or_default

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
    spark: SparkSession, entries: Sequence[Mapping[str, float]], asked: Sequence[str | None]
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
    entries = [{word: i + 0.5 for i, word in enumerate(WORDS[:n])} for n in SIZES]
    return dict(zip(SIZES, looked_up(spark, entries, [None, *WORDS]), strict=True))


@pytest.mark.parametrize("n", SIZES)
def test_a_word_finds_its_entry_and_others_find_none(n: int, found: dict[int, list[Any]]) -> None:
    assert found[n] == [None, *(i + 0.5 if i < n else None for i in range(len(WORDS)))]


def test_whole_numbers_stay_whole(spark: SparkSession) -> None:
    numbers, mixed = looked_up(spark, [{"a": 1, "b": 2**31 - 1}, {"a": 1, "b": 2.5}], ["a", "b", "c", None])
    assert repr(numbers) == repr([1, 2**31 - 1, None, None])
    assert repr(mixed) == repr([1.0, 2.5, None, None])


def test_every_double_is_found_to_the_last_bit_before_and_after_it_is_saved(
    spark: SparkSession, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    values = [5e-324, -1.7976931348623157e308, 0.1, 1e22, 1 / 3, 2.0**-1074 * 3, 1e-5, 123456789012345680.0, -0.0]
    values += [float(v) for v in rng.integers(0, 2**62, 500).view(np.float64) if np.isfinite(v)]
    entries = dict(zip(WORDS, values, strict=False))
    stage = SQLTransformer(statement=f"SELECT *, {lookup('word', entries)} AS found FROM __THIS__")
    stage.save(str(tmp_path / "stage"))
    df = spark.createDataFrame(pa.table({"word": list(entries)}))
    for one in (stage, SQLTransformer.load(str(tmp_path / "stage"))):
        found = dict(zip(*one.transform(df).toArrow().to_pydict().values(), strict=True))
        assert {word: repr(value) for word, value in found.items()} == {w: repr(v) for w, v in entries.items()}


def test_a_word_of_a_megabyte_is_a_word(spark: SparkSession) -> None:
    word = "long " * 200_000
    assert looked_up(spark, [{word: 1.5, "short": 2.5}], [word, "short", word + "x"]) == [[1.5, 2.5, None]]


def test_a_row_is_compared_with_few_words_however_many_there_are() -> None:
    sql = lookup("word", {f"word {i}": i for i in range(4000)})
    words, numbers = (json.loads(text) for text in re.findall(r"from_json\('(.*?)', 'array", sql))
    assert max(map(len, words)) < 40
    assert [len(share) for share in words] == [len(share) for share in numbers]


def test_a_key_that_is_not_there_has_the_default(spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"word": ["a", "b", None]}))
    assert df.selectExpr(lookup_or_default("word", {"a": 0.1}, "7.0D")).toArrow()[0].to_pylist() == [0.1, 7.0, 7.0]
    assert df.selectExpr(lookup_or_default("word", {}, "7.0D")).toArrow()[0].to_pylist() == [7.0, 7.0, 7.0]


def test_the_order_of_the_entries_does_not_matter() -> None:
    entries = {word: i / 7 for i, word in enumerate(WORDS[:300])}
    assert lookup("word", entries) == lookup("word", dict(reversed(entries.items())))
