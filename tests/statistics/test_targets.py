"""Sums of a label by category and fold are exact: they equal those of fractions and of a pandas groupby."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks import chunk, in_any_layout, learned, numbers, reread, words
from traintable.errors import ConfigError
from traintable.statistics import TargetGroups, targets
from traintable.statistics.chunk import Chunk
from traintable.statistics.exact import exact_mean_and_variance
from traintable.statistics.targets import TargetSums, Totals

tables = st.lists(st.tuples(numbers, words, st.sampled_from(["0", "1", None])), max_size=20)


def rows_of(table: list[Any]) -> Chunk:
    label, category, fold = [[row[i] for row in table] for i in range(3)]
    return chunk({"y": label}, {"c": category, "f": fold})


def sums_of(table: list[Any], fold: str | None = "f") -> TargetSums:
    found: TargetSums = learned(TargetSums(TargetGroups("c", "y", fold)), rows_of(table))
    return found


@settings(deadline=None)
@given(tables, st.booleans(), st.randoms(use_true_random=False))
def test_sums_equal_those_of_fractions_in_any_layout(table: list[Any], is_folded: bool, random: Random) -> None:
    target = TargetGroups("c", "y", "f" if is_folded else None)
    _, found = in_any_layout(lambda: TargetSums(target), rows_of(table), random)
    groups: dict[Any, list[Fraction]] = defaultdict(list)
    for label, category, fold in table:
        if label is not None and np.isfinite(label):
            groups[category, fold if is_folded else None].append(Fraction(label))
    totals = {(category, fold): t for category, fold, t in found.totals()}
    assert totals.keys() == groups.keys()
    assert list(totals) == sorted(totals, key=lambda pair: [(word is not None, word or "") for word in pair])
    for group, labels in groups.items():
        t = totals[group]
        unit = Fraction(2) ** t.exponent
        assert t.n == len(labels)
        assert t.total * unit == sum(labels)
        assert t.squares * unit**2 == sum(v * v for v in labels)


def mean_and_variance(t: Totals) -> tuple[float, float]:
    return exact_mean_and_variance(t.n, t.total, t.squares, t.exponent)


def test_totals_give_the_means_and_variances_of_pandas_and_of_other_folds() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "y": rng.normal(size=4000) + 1e9,
            "c": rng.choice(["a", "b", "", "null"], 4000),
            "f": rng.choice(["0", "1", "2"], 4000),
        }
    )
    near = frame.assign(y=frame["y"] - 1e9)
    found = sums_of(frame.to_numpy().tolist())
    by_fold = {(category, fold): totals for category, fold, totals in found.totals()}
    expected = near.groupby(["c", "f"])["y"].agg(["count", "mean", "var"])
    for group, row in expected.iterrows():
        mean, variance = mean_and_variance(by_fold[group])
        assert by_fold[group].n == row["count"]
        assert mean - 1e9 == pytest.approx(row["mean"], abs=2e-7)
        assert variance == pytest.approx(row["var"], rel=1e-9)
    whole = by_fold["a", "0"] + by_fold["a", "1"] + by_fold["a", "2"]
    assert mean_and_variance(whole)[1] == pytest.approx(near.loc[near["c"] == "a", "y"].var(), rel=1e-9)
    others = near.loc[(near["c"] == "a") & (near["f"] != "1"), "y"]
    outside = whole - by_fold["a", "1"]
    assert outside.n == len(others)
    assert mean_and_variance(outside)[1] == pytest.approx(others.var(), rel=1e-9)


def test_more_rows_than_doubles_add_up_exactly() -> None:
    values = float(2**40 - 1) - np.random.default_rng(0).integers(0, 2, 20_000) * 2.0  # digits of 20 ones
    found = learned(TargetSums(TargetGroups("c", "y")), chunk({"y": values}, {"c": ["a"] * len(values)}))
    ((_, _, totals),) = found.totals()
    assert totals.total * Fraction(2) ** totals.exponent == sum(int(v) for v in values)
    assert totals.squares * Fraction(2) ** (2 * totals.exponent) == sum(int(v) ** 2 for v in values)


def test_many_categories_in_few_rows_are_summed_alike() -> None:
    places = np.random.default_rng(0).integers(0, 3000, 500)
    words_of = [f"w{i}" for i in range(3000)]
    import pyarrow as pa

    category = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), words_of)
    fold = pa.DictionaryArray.from_arrays(pa.array(places % 7, pa.int32()), [f"f{i}" for i in range(900)])
    rows = chunk({"y": np.arange(500.0)}, {"c": category, "f": fold})
    found = learned(TargetSums(TargetGroups("c", "y", "f")), rows)
    plain = sums_of([(float(i), f"w{p}", f"f{p % 7}") for i, p in enumerate(places.tolist())])
    assert list(found.totals()) == list(plain.totals())


def test_a_range_leaves_labels_out() -> None:
    table = [(1.0, "a", None), (9.0, "a", None), (None, "b", None)]
    rows = chunk({"y": [1.0, 9.0, None]}, {"c": ["a", "a", "b"]}, ranges={"y": (0.0, 5.0)})
    found = learned(TargetSums(TargetGroups("c", "y")), rows)
    assert list(found.totals()) == list(sums_of(table[:1], None).totals())


def test_too_many_groups_are_refused_in_one_batch_and_when_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MAX_GROUPS", 2)
    state = sums_of([(1.0, "a", "0"), (1.0, "a", "1"), (None, "b", "1")])
    with pytest.raises(ConfigError, match=r"column 'c'.*leave it out"):
        sums_of([(1.0, "a", "0"), (1.0, "a", "1"), (1.0, None, None)])
    with pytest.raises(ConfigError, match="at most 2 values"):
        reread(state).merge(sums_of([(0.0, "b", "1")]))
