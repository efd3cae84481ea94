"""Every method gives exactly what it promises of any table, and the same rows whatever the layout."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.errors import PySparkException
from sampling import Cases, cases, ordered

from traintable import sample
from traintable.errors import ConfigError
from traintable.sample import allocation, lowest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

STRATA = ["case", "s.1", "s 2"]
BY: dict[str, Any] = {"key": ["the id", "part"], "seed": 17}
P = "inclusion_probability"


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    return cases(spark, tmp_path_factory.mktemp("layouts"))


def sizes(frame: pd.DataFrame, by: list[str] = STRATA) -> pd.Series:
    return frame.groupby(by, dropna=False).size()


def layouts(tables: Cases, *, many: bool) -> list[DataFrame]:
    """Rows laid out otherwise; tasks cost more than these rows do, so not all methods are tried on many."""
    return [rows for name, rows in tables.layouts.items() if many or name != "200 partitions"]


def check_strata(found: pd.DataFrame, tables: Cases, expected: pd.Series, by: list[str] = STRATA) -> None:
    """So many rows of each stratum, all of them rows of the table, with n / N as their probability."""
    assert list(found.columns) == [*tables.frame.columns, P]
    there = sizes(tables.frame, by)
    given = sizes(found, by).reindex(there.index, fill_value=0)
    pd.testing.assert_series_equal(given, expected.reindex(there.index), check_dtype=False, check_names=False)
    if len(found):
        probability = found.groupby(by, dropna=False)[P].agg(["min", "max"])
        share = (given / there).reindex(probability.index)
        np.testing.assert_allclose(probability, np.c_[share, share], rtol=1e-14)
    merged = found.merge(tables.frame, how="left", indicator="there")
    assert (merged["there"] == "both").all()
    assert not found.duplicated(["the id", "part"]).any()


def half_up(ratio: float, n: int) -> int:
    return int((Decimal(str(ratio)) * int(n)).quantize(0, ROUND_HALF_UP))


@pytest.mark.parametrize("ratio", [0.5, 0.15])
def test_a_ratio_of_each_stratum_is_exact_in_every_layout(ratio: float, tables: Cases) -> None:
    expected = sizes(tables.frame).map(lambda n: half_up(ratio, n))
    first = ordered(sample.stratified(tables.df, STRATA, ratio=ratio, **BY))
    check_strata(first, tables, expected)
    if ratio == 0.5:
        for rows in layouts(tables, many=False):
            pd.testing.assert_frame_equal(ordered(sample.stratified(rows, STRATA, ratio=ratio, **BY)), first)


@pytest.mark.parametrize("method", ["proportional", "equal", "neyman"])
def test_a_total_is_shared_out_exactly(method: str, tables: Cases) -> None:
    n, by = len(tables.frame) // 3, ["case"]
    grouped = tables.frame.groupby(by)
    there = [int(size) for size in grouped.size()]
    share_out = {
        "proportional": lambda: allocation.proportional(there, n),
        "equal": lambda: allocation.equal(there, n),
        "neyman": lambda: allocation.neyman(there, grouped["x"].std().fillna(0).tolist(), n),
    }[method]
    order = np.argsort([str(case) for case in grouped.size().index], kind="stable")  # strata are in the order of text
    by_text = pd.Series(there, grouped.size().index).iloc[order]
    if method == "proportional":
        expected = pd.Series(allocation.proportional(by_text.tolist(), n), by_text.index)
    else:
        expected = pd.Series(share_out(), grouped.size().index)
    column = "x" if method == "neyman" else None
    found = ordered(sample.stratified(tables.df, by, n, allocation=method, column=column, **BY))  # type: ignore[arg-type]
    if method == "equal":  # which of the strata of one size have one more is ours to say
        expected = pd.Series(allocation.equal(by_text.tolist(), n), by_text.index)
    check_strata(found, tables, expected.sort_index(), by)


def test_neyman_of_several_columns_takes_their_deviations(tables: Cases) -> None:
    by = ["s.1", "s 2"]
    grouped = tables.frame.groupby(by, dropna=False)["x"]
    expected = allocation.neyman(grouped.size().tolist(), grouped.std().fillna(0).tolist(), 200)
    found = ordered(sample.stratified(tables.df, by, 200, allocation="neyman", column="x", **BY))
    check_strata(found, tables, pd.Series(expected, grouped.size().index), by)


def test_counts_of_strata_may_be_given(tables: Cases) -> None:
    there = sizes(tables.frame, ["s.1", "s 2"])
    asked = {(None, 0): 3, ("a", None): 2, ("b", "1"): int(there["b", 1]), ("", 0): 0}
    found = ordered(sample.stratified(tables.df, ["s.1", "s 2"], asked, **BY))
    assert len(found) == 5 + there["b", 1]
    drawn = found.groupby([found["s.1"].fillna("?"), found["s 2"].fillna(-1).astype(int)]).size()
    assert drawn.to_dict() == {("?", 0): 3, ("a", -1): 2, ("b", 1): there["b", 1]}


def test_cutting_gives_the_rows_that_ranking_gives(tables: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = ordered(sample.stratified(tables.df, STRATA, ratio=0.4, **BY))
    alone = ordered(sample.simple(tables.df, 321, **BY))
    monkeypatch.setattr(lowest, "MAX_RANKED", 0)
    pd.testing.assert_frame_equal(ordered(sample.stratified(tables.df, STRATA, ratio=0.4, **BY)), ranked)
    pd.testing.assert_frame_equal(ordered(sample.simple(tables.df, 321, **BY)), alone)


METHODS: dict[str, Callable[[DataFrame], DataFrame]] = {
    "simple": lambda df: sample.simple(df, 100, **BY),
    "reservoir": lambda df: sample.reservoir(df, 100, **BY),
    "weighted": lambda df: sample.weighted(df, 100, "w", **BY),
    "weighted reservoir by group": lambda df: sample.reservoir(df, 2, by=STRATA, weight="w", **BY),
    "cluster": lambda df: sample.cluster(df, ["s.1", "case"], 40, seed=3),
    "two_stage": lambda df: sample.two_stage(df, ["s.1", "case"], 40, 2, **BY),
    "systematic": lambda df: sample.systematic(df, "x", 100, **BY),
    "bootstrap": lambda df: sample.bootstrap(df, **BY),
    "bootstrap of n": lambda df: sample.bootstrap(df, 5000, **BY),
    "by_bytes": lambda df: sample.by_bytes(df, ["s.1", "part"], 999, **BY),
}


@pytest.fixture(scope="module")
def known(tables: Cases) -> dict[str, pd.DataFrame]:
    return {name: ordered(draw(tables.df)) for name, draw in METHODS.items()}


@pytest.mark.parametrize("method", METHODS)
def test_any_layout_gives_the_same_rows(method: str, tables: Cases, known: dict[str, pd.DataFrame]) -> None:
    assert len(known[method])
    for rows in layouts(tables, many=method in ("simple", "reservoir", "bootstrap")):
        pd.testing.assert_frame_equal(ordered(METHODS[method](rows)), known[method])


def test_a_simple_sample_is_exact(tables: Cases, known: dict[str, pd.DataFrame]) -> None:
    found, n = known["simple"], len(tables.frame)
    assert (len(found), set(found[P])) == (100, {100 / n})
    larger = ordered(sample.simple(tables.df, ratio=0.3, **BY))
    assert len(larger) == half_up(0.3, n)
    held = found.drop(columns=P).merge(larger.drop(columns=P), how="inner")
    assert len(held) == 100  # a larger sample holds a smaller


def test_a_reservoir_is_a_simple_sample(tables: Cases, known: dict[str, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(known["reservoir"].drop(columns=P), known["simple"].drop(columns=P))


def test_keys_that_repeat_are_shown(tables: Cases) -> None:
    twice = tables.df.unionAll(tables.df)
    for draw in ("simple", "reservoir", "weighted", "two_stage", "systematic", "bootstrap of n"):
        with pytest.raises(
            PySparkException, match=r'differ in the id, part, found \{"the id":\d+,"part":.*more than once'
        ):
            METHODS[draw](twice).count()


WRONG: dict[str, tuple[Callable[[DataFrame], object], str]] = {
    "n below 0": (lambda df: sample.simple(df, -1, **BY), "n as a whole number of at least 0, found -1"),
    "n no number": (lambda df: sample.reservoir(df, True, **BY), "n as a whole number"),
    "ratio above 1": (lambda df: sample.simple(df, ratio=1.5, **BY), "ratio in 0 to 1, found 1.5"),
    "ratio NaN": (lambda df: sample.cluster(df, ["case"], ratio=float("nan"), seed=1), "ratio in 0 to 1"),
    "both": (lambda df: sample.stratified(df, ["case"], 3, ratio=0.1, **BY), "found both"),
    "counts and ratio": (lambda df: sample.stratified(df, ["case"], {1: 1}, ratio=0.1, **BY), "found both"),
    "neither": (lambda df: sample.systematic(df, "x", **BY), "found neither"),
    "more than there are": (lambda df: sample.simple(df, 10**6, **BY), "found n=1,000,000"),
    "more of strata": (
        lambda df: sample.stratified(df, ["s 2"], {0: 10**6, 8: 1}, **BY),
        r"1,000,000 of .* in \('0',\)",
    ),
    "more groups": (lambda df: sample.cluster(df, ["s.1"], 99, seed=1), "groups, found n=99"),
    "unknown column": (lambda df: sample.stratified(df, ["s.2"], 3, **BY), r"'s\.2'.*Did you mean 's\.1'"),
    "unknown key": (lambda df: sample.simple(df, 3, key=["theid"], seed=1), "Did you mean 'the id'"),
    "no strata": (lambda df: sample.stratified(df, [], 3, **BY), "by as a list"),
    "no list": (lambda df: sample.stratified(df, "case", 3, **BY), "by as a list"),
    "unknown allocation": (lambda df: sample.stratified(df, ["case"], 3, allocation="best", **BY), "'best'"),  # type: ignore[arg-type]
    "neyman without column": (lambda df: sample.stratified(df, ["case"], 3, allocation="neyman", **BY), "column=None"),
    "strata of another length": (lambda df: sample.stratified(df, ["case"], {(1, 2): 3}, **BY), "strata of 1 values"),
    "strata of another type": (lambda df: sample.stratified(df, ["case"], {b"x": 3}, **BY), "values of column 'case'"),
    "strata twice": (lambda df: sample.stratified(df, ["case"], {1: 3, "1": 3}, **BY), "found one of them twice"),
    "no order": (lambda df: sample.systematic(df, "s.1", 3, **BY), "of type string"),
    "no text": (lambda df: sample.by_bytes(df, "x", 3, **BY), "'x' of type double"),
    "sampled twice": (lambda df: sample.simple(sample.reservoir(df, 9, **BY), 3, **BY), "sampled already"),
    "keys": (lambda df: sample.require_unique(df, ["the id"]), r"found \(\d+,\) \d times; .*; "),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_refused(name: str, tables: Cases) -> None:
    call, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        call(tables.df)


NOTHING: dict[str, Callable[[DataFrame], DataFrame]] = {
    "simple": lambda df: sample.simple(df, 0, **BY),
    "ratio": lambda df: sample.simple(df, ratio=0.5, **BY),
    "stratified": lambda df: sample.stratified(df, STRATA, 0, **BY),
    "neyman": lambda df: sample.stratified(df, ["s.1"], 0, allocation="neyman", column="x", **BY),
    "reservoir": lambda df: sample.reservoir(df, 3, **BY),
    "reservoir by group": lambda df: sample.reservoir(df, 3, by=["s.1"], **BY),
    "weighted": lambda df: sample.weighted(df, 3, "w", **BY),
    "cluster": lambda df: sample.cluster(df, ["s.1"], ratio=1.0, seed=1),
    "two_stage": lambda df: sample.two_stage(df, ["s.1"], 0, 2, **BY),
    "systematic": lambda df: sample.systematic(df, "x", 0, **BY),
    "bootstrap": lambda df: sample.bootstrap(df, **BY),
    "bootstrap of n": lambda df: sample.bootstrap(df, 0, **BY),
    "by_bytes": lambda df: sample.by_bytes(df, "s.1", 100, **BY),
}


@pytest.mark.parametrize("method", NOTHING)
def test_nothing_is_drawn_from_no_rows(method: str, tables: Cases) -> None:
    found = NOTHING[method](tables.df.limit(0))
    assert found.count() == 0
    assert found.columns == [*tables.df.columns, "weight" if "bootstrap" in method else P]


def test_one_row_is_drawn_for_certain(tables: Cases) -> None:
    row = tables.df.limit(1).cache()
    nulls = row.selectExpr("CAST(NULL AS STRING) AS `a``.b`", "`the id`", "part", "w", "x")
    key: dict[str, Any] = {"key": ["the id"], "seed": 1}
    for found in (
        sample.simple(row, 1, **BY),
        sample.stratified(nulls, ["a`.b"], {None: 1}, **key),
        sample.reservoir(nulls, 1, by=["a`.b"], **key),
        sample.cluster(nulls, ["a`.b"], 1, seed=1),
        sample.two_stage(nulls, ["a`.b"], 1, 1, **key),
        sample.systematic(row, "x", 1, **key),
        sample.by_bytes(nulls, "a`.b", 0, key=["a`.b"], seed=1),
    ):
        assert found.toPandas()[P].tolist() == [1.0]
