"""The most frequent words equal those of collections.Counter, however many there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.statistics import most_frequent_words

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_words_equal_those_of_a_counter(spark: SparkSession) -> None:
    rng = np.random.default_rng(0)
    columns = {
        "a word": [None if i % 9 == 0 else f"w{i % 50}" for i in range(600)],
        "é": rng.choice(["", "null", "A", "a", "\U0001f600", "z"], 600).tolist(),
        "n": rng.integers(0, 30, 600).tolist(),
        "none": [None] * 600,
    }
    table = pa.table({**columns, "none": pa.nulls(600, pa.string())})
    wanted = {"a word": 7, "é": 3, "n": 99, "none": 5}
    found = most_frequent_words(spark.createDataFrame(table).repartition(3), wanted)
    for name, n in wanted.items():
        counts = Counter(str(v) for v in columns[name] if v is not None)
        assert found[name] == dict(sorted(counts.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)[:n])
