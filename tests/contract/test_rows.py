"""Rows that break a promise get a reason and stay; of repeated rows exactly one stays without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from frames import of_pandas, of_rows
from traintable.config.promise import Promise
from traintable.contract.rows import REASONS, UNPARSED, apply_contract, mark_duplicates, rename_sources
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Results = dict[Any, tuple[list[str], dict[str, str]]]


def results(df: DataFrame) -> Results:
    """For each id the sorted reasons and what was not parsed."""
    return {row["id"]: (sorted(row[REASONS]), row[UNPARSED]) for row in df.select("id", REASONS, UNPARSED).collect()}


def reasons(df: DataFrame) -> dict[Any, list[str]]:
    return {i: found for i, (found, _) in results(df).items()}


BAD = "does not parse"
TEXTS: dict[str, dict[str | None, str | None]] = {  # type -> text -> the text of the value that it reads as
    "int": {"1": "1", " -7 ": "-7", "1.5": BAD, "x": BAD, "": BAD, "2147483648": BAD, None: None},
    "bigint": {"2147483648": "2147483648", "9223372036854775808": BAD, None: None},
    "double": {"1e3": "1000.0", "Infinity": "Infinity", "1,5": BAD, None: None},
    "boolean": {"true": "true", "N": "false", "maybe": BAD, None: None},
    "date": {"2013-02-28": "2013-02-28", "2013-02-30": BAD, "28.02.2013": BAD, None: None},
    "timestamp": {"2013-02-28T01:02:03Z": "2013-02-28 01:02:03", "2013-02-28 25:00:00": BAD, None: None},
}


def test_what_does_not_parse_is_a_reason_and_its_text_is_kept(spark: SparkSession) -> None:
    kinds = list(TEXTS)
    given = [(kind, text, expected) for kind in kinds for text, expected in TEXTS[kind].items()]
    rows = [(i, *[text if kind == name else None for name in kinds]) for i, (kind, text, _) in enumerate(given)]
    df = of_rows(spark, "id int, " + ", ".join(f"`{kind}.x` string" for kind in kinds), rows)
    held = apply_contract(df, {f"{kind}.x": Promise.model_validate({"type": kind}) for kind in kinds}, key=["id"])
    assert held.columns == [*df.columns, REASONS, UNPARSED]
    assert [held.schema[f"{kind}.x"].dataType.simpleString() for kind in kinds] == kinds
    texts = [F.col(f"`{kind}.x`").cast("string").alias(kind) for kind in kinds]
    for row in held.select("id", REASONS, UNPARSED, *texts).collect():
        kind, text, expected = given[row["id"]]
        bad = ([f"type:{kind}.x"], {f"{kind}.x": text}, None)
        assert (row[REASONS], row[UNPARSED], row[kind]) == (bad if expected == BAD else ([], {}, expected))


def test_a_number_that_does_not_fit_its_type_is_a_reason(spark: SparkSession) -> None:
    values = {1: 2.0, 2: 2.5, 3: 1e10, 4: float("nan"), 5: None}
    df = of_rows(spark, "id int, x double", list(values.items()))
    held = apply_contract(df, {"x": Promise(type="int")}, key=["id"])
    assert reasons(held) == {1: [], 2: ["type:x"], 3: ["type:x"], 4: ["type:x"], 5: []}


def test_nulls_and_ranges_are_judged_as_promised(spark: SparkSession) -> None:
    nan, inf = float("nan"), float("inf")
    values = {1: 5.0, 2: 0.0, 3: 10.0, 4: -0.001, 5: 10.001, 6: None, 7: nan, 8: inf, 9: -inf}
    promises = {
        "within": Promise(min=0, max=10),
        "needed": Promise(nullable=False),
        "mended": Promise(min=0, max=10, on_invalid="null"),
        "least": Promise(min=0),
        "read": Promise(type="double", min=0, max=10, nullable=False),
    }
    schema = "id int, within double, needed double, mended double, least double, read string"
    df = of_rows(spark, schema, [(i, x, x, x, x, None if x is None else str(x)) for i, x in values.items()])
    found = reasons(apply_contract(df, promises, key=["id"]))
    outside = ["range:read", "range:within"]
    assert {i: found[i] for i in (1, 2, 3)} == {1: [], 2: [], 3: []}
    assert found[4] == found[9] == ["range:least", *outside]
    assert found[5] == found[8] == outside
    assert set(outside) <= set(found[7])
    assert found[6] == ["null:needed", "null:read"]


def test_a_null_in_the_key_is_a_reason_whatever_is_promised(spark: SparkSession) -> None:
    df = of_rows(spark, "id int, `k 1` string, k2 int", [(1, "a", 1), (2, None, 1), (3, None, None)])
    held = apply_contract(df, {"k2": Promise(nullable=True)}, key=["k 1", "k2"])
    assert reasons(held) == {1: [], 2: ["null:k 1"], 3: ["null:k 1", "null:k2"]}


def test_a_second_call_adds_to_the_first(spark: SparkSession) -> None:
    df = of_rows(spark, "id int, a string, b string", [(1, "x", "y"), (2, "1", "y"), (3, "x", "2"), (4, "1", "2")])
    once = apply_contract(df, {"a": Promise(type="int", max=0)}, key=["id"])
    twice = apply_contract(once, {"b": Promise(type="int", max=0)}, key=())
    assert results(twice) == {
        1: (["type:a", "type:b"], {"a": "x", "b": "y"}),
        2: (["range:a", "type:b"], {"b": "y"}),
        3: (["range:b", "type:a"], {"a": "x"}),
        4: (["range:a", "range:b"], {}),
    }
    assert results(apply_contract(once, {}, key=())) == results(once)


def test_an_unknown_column_is_named(spark: SparkSession) -> None:
    df = of_rows(spark, "id int, distance double", [(1, 2.0)])
    with pytest.raises(ConfigError, match=r"'distanc'.*'distance'"):
        apply_contract(df, {"distanc": Promise()}, key=["id"])


def test_a_promise_of_a_landed_column_is_kept_by_a_run(spark: SparkSession) -> None:
    promises = {
        "id": {"source": "Order ID", "type": "bigint", "max": 2**53},
        "day": {"type": "date", "format": "%d.%m.%Y"},
        "at": {"type": "timestamp", "time_zone": "Europe/Berlin", "on_invalid": "null"},
        "size": {"type": "string", "values": ["S", "M"]},
        "kind": {"type": "string", "values": ["a"], "on_invalid": "null"},
        "price": {"type": "decimal(5,2)"},
        "big": {"max": 2**53},
    }
    schema = "`Order ID` bigint, day string, at string, size string, kind string, price string, big bigint"
    rows = [
        (1, "28.02.2013", "2026-06-01 12:00:00", "S", "a", "1.50", 2**53),
        (2**53 + 1, "2013-02-28", "2026-03-29 02:30:00", "L", "b", "1.505", 2**53 + 1),
        (3, None, None, None, None, None, None),
    ]
    columns = {name: Promise.model_validate(promise) for name, promise in promises.items()}
    held = apply_contract(of_rows(spark, schema, rows), columns, key=["id"])
    good, bad, none = held.withColumns({"at": F.col("at").cast("string"), "day": F.col("day").cast("string")}).collect()
    assert list(good)[:5] == [1, "2013-02-28", "2026-06-01 10:00:00", "S", "a"]
    assert (good[REASONS], good[UNPARSED]) == ([], {})
    broken = ["range:id", "type:day", "type:at", "values:size", "type:price", "range:big"]
    assert bad[REASONS] == broken
    assert bad[UNPARSED] == {"day": "2013-02-28", "at": "2026-03-29 02:30:00", "price": "1.505"}
    assert (bad["kind"], none[REASONS]) == (None, [])


def test_a_table_with_a_column_of_the_name_and_of_its_source_is_refused(spark: SparkSession) -> None:
    df = of_rows(spark, "a int, b int", [(1, 2)])
    assert rename_sources(df, {"a": Promise(source="c")}) is df
    assert rename_sources(df, {"c": Promise(source="a")}).columns == ["c", "b"]
    with pytest.raises(ConfigError, match=r"columns\.a\.source.*a table with both"):
        rename_sources(df, {"a": Promise(source="b")})


CONTENT = ["k 1", "k2", "x", "t", "bad"]


def repeated() -> pd.DataFrame:
    """Rows of which keys occur up to eight times, some alike, some not, some with a reason or a null in the key."""
    rng = np.random.default_rng(8)
    n = 1500
    rows = pd.DataFrame({"k 1": rng.integers(0, 400, n), "k2": rng.choice(["a", "b", None], n, p=[0.45, 0.45, 0.1])})
    rows["x"] = rng.choice([0.0, 0.5, None], n, p=[0.7, 0.2, 0.1])
    rows["t"] = rng.choice(["2013-01-01 00:00:00", "2013-01-01 00:00:01"], n, p=[0.8, 0.2])
    rows["bad"] = rng.random(n) < 0.1
    return rows


def comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """As text, in one order."""
    text = rows.astype(object).fillna("null").astype(str)
    return text.sort_values(list(text.columns), ignore_index=True)


def marked(spark: SparkSession, rows: pd.DataFrame, partitions: int, seed: int) -> pd.DataFrame:
    df = of_pandas(spark, rows.sample(frac=1, random_state=seed)).repartition(partitions)
    reasons = F.when(F.col("bad"), F.array(F.lit("range:x"))).otherwise(F.array())
    df = df.withColumns({"t": F.col("t").cast("timestamp"), REASONS: reasons, UNPARSED: F.lit(1)})
    found = mark_duplicates(df, ["k 1", "k2"]).withColumns({"t": F.col("t").cast("string")})
    return comparable(found.select(*CONTENT, F.concat_ws("+", REASONS).alias(REASONS)).toPandas())


def test_of_equal_rows_one_stays_and_of_unequal_ones_none_whatever_the_order(spark: SparkSession) -> None:
    rows = repeated()
    found = marked(spark, rows, 1, seed=0)
    pd.testing.assert_frame_equal(found, marked(spark, rows, 7, seed=1))
    pd.testing.assert_frame_equal(comparable(found[CONTENT]), comparable(rows[CONTENT]))  # none is lost

    bad, keyless = found["bad"] == "True", found["k2"] == "null"
    assert (found.loc[bad, REASONS] == "range:x").all()
    assert (found.loc[~bad & keyless, REASONS] == "").all()
    for _, group in found[~bad & ~keyless].groupby(["k 1", "k2"]):
        equal = (group[CONTENT] == group[CONTENT].iloc[0]).all(axis=None)
        expected = ["", *["duplicate"] * (len(group) - 1)] if equal else ["conflict"] * len(group)
        assert sorted(group[REASONS]) == expected
    assert {"duplicate", "conflict"} < set(found[REASONS])


def test_rows_that_differ_in_microseconds_are_a_conflict(spark: SparkSession) -> None:
    df = spark.range(1, 3).select(
        F.lit(1).alias("id"), F.timestamp_micros("id").alias("t"), F.array().alias(REASONS), F.lit(1).alias(UNPARSED)
    )
    ends = [mark_duplicates(df.coalesce(1).orderBy(order), ["id"]).collect() for order in (F.asc("t"), F.desc("t"))]
    assert [[row[REASONS] for row in end] for end in ends] == [[["conflict"], ["conflict"]]] * 2


@pytest.mark.parametrize("names", [("i d", "k", "a b"), ("i.d", "k`k", "a.b"), ("n", "m", "x")])
def test_names_do_not_matter_to_duplicates(names: tuple[str, ...], spark: SparkSession) -> None:
    df = of_rows(spark, "i int, j string, x double", [(1, "a", 0.5), (1, "a", 0.5), (2, "a", 0.5)]).toDF(*names)
    found = mark_duplicates(df.withColumns({REASONS: F.array(), UNPARSED: F.lit(1)}), names[:2])
    assert sorted(row[REASONS] for row in found.collect()) == [[], [], ["duplicate"]]


def test_rows_without_repeated_keys_are_left_as_they_are(spark: SparkSession) -> None:
    schema = f"id int, x double, {REASONS} array<string>, {UNPARSED} map<string,string>"
    df = of_rows(spark, schema, [(1, 0.5, [], []), (2, None, [], []), (2, 0.5, ["range:x"], [])])
    assert mark_duplicates(df, ["id"]) is df
    assert mark_duplicates(df.limit(0), ["id"]).isEmpty()
