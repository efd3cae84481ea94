"""Near duplicates against a comparison of all pairs, and exact ones against pandas."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from tables import Case, at_random, plain, texts

from frames import of_pandas
from traintable.config.leakage import Limits
from traintable.split.leakage.duplicates import CopyCounts, count_copies, labels_agree
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.matching import Matches, column_bucketing, find_matches, minhash_bucketing, n_differing
from traintable.split.leakage.sample import LeakageSample, row_tokens, text_tokens

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N_COLUMNS = 15


def of_case(case: Case, spark: SparkSession, folder: Path, **limits: Any) -> ExaminedTable:
    rows = case.written(spark, folder / "rows")
    return ExaminedTable(rows, case.label, ("id",), tuple(case.features), text=("note",), limits=Limits(**limits))


def edited(words: list[str], n: int, rng: np.random.Generator) -> list[str]:
    """The words with `n` of them replaced."""
    out = list(words)
    for place in rng.choice(len(out), min(n, len(out)), replace=False):
        out[place] = f"new{rng.integers(10**6)}"
    return out


@pytest.fixture(scope="module")
def near(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, ExaminedTable]:
    """Rows and texts that are copies of others but for some values and words; few of them are just similar enough."""
    rng = np.random.default_rng(1)
    n = 600
    values = rng.integers(0, 400, (n, N_COLUMNS)).astype(object)
    words = texts(rng, n)
    words = [w[:30] for w in words]
    for to in range(n // 2, n):
        source = rng.integers(0, n // 2)
        values[to], words[to] = values[source], edited(words[source], int(rng.integers(0, 5)), rng)
        values[to, rng.choice(N_COLUMNS, rng.integers(0, 4), replace=False)] = None
    frame = pd.DataFrame(values, columns=[f"f.{i}" for i in range(N_COLUMNS)]).astype("Int64")
    frame["note"] = [", ".join(w).upper() for w in words]
    frame.loc[[3, 4], "note"] = [None, " ... "]
    frame["y"], frame["id"], frame["split"] = rng.integers(0, 2, n), rng.permutation(n), at_random(n, rng)
    case = Case(frame, [f"f.{i}" for i in range(N_COLUMNS)])
    return case, of_case(case, spark, tmp_path_factory.mktemp("near"))


def rows_as_sets(case: Case) -> list[set[Any]]:
    return [{*enumerate(row)} for row in case.frame[case.features].astype(object).fillna("null").to_numpy()]


def texts_as_sets(case: Case) -> list[set[Any]]:
    words = [re.findall(r"\w+", note.lower()) if note else [] for note in case.frame["note"].fillna("")]
    return [{tuple(w[i : i + 3]) for i in range(max(1, len(w) - 2))} if w else set() for w in words]


def best_of_train(case: Case, sets: list[set[Any]], *, equal: bool) -> np.ndarray:
    """For each row the highest similarity to another row of train; shape (rows,)."""
    is_train = np.flatnonzero(case.frame["split"] == "train")
    best = np.zeros(len(sets))
    for i, mine in enumerate(sets):
        for j in is_train:
            if i != j and mine and sets[j]:
                similarity = len(mine & sets[j]) / len(mine | sets[j])
                if equal or similarity < 1:
                    best[i] = max(best[i], similarity)
    return best


def counted(case: Case, best: np.ndarray) -> tuple[int, int]:
    """How many held-out rows, and rows of train, have a match."""
    held = (case.frame["split"] != "train").to_numpy()
    return int((best[held] >= 0.8).sum()), int((best[~held] >= 0.8).sum())


def by_rows(table: ExaminedTable, sample: LeakageSample) -> Matches:
    bucketing = column_bucketing(len(sample.compared), table.limits.similarity)
    return find_matches(table, sample, "tokens", row_tokens(sample.compared), bucketing, equal=False)


def by_text(table: ExaminedTable, sample: LeakageSample) -> Matches:
    return find_matches(
        table, sample, "text 0", text_tokens(table, "note"), minhash_bucketing(table.limits, 0), equal=True
    )


def test_of_near_rows_none_is_missed_and_none_invented(near: tuple[Case, ExaminedTable]) -> None:
    case, table = near
    found = by_rows(table, LeakageSample(Evidence(table)))
    best = best_of_train(case, rows_as_sets(case), equal=False)
    assert (found.held, found.train) == counted(case, best)
    assert found.held > 10
    assert found.n_held + found.n_train == len(case.frame)
    assert found.similarity == max(s for s in best if s < 1)


def test_of_near_texts_nearly_all_are_found_and_none_invented(near: tuple[Case, ExaminedTable]) -> None:
    case, table = near
    found = by_text(table, LeakageSample(Evidence(table)))
    held, train = counted(case, best_of_train(case, texts_as_sets(case), equal=True))
    assert 0.95 * (held + train) <= found.held + found.train <= held + train
    assert found.held <= held
    assert held + train > 120
    assert found.n_held + found.n_train == len(case.frame) - 2  # without the null and the text of no words


def test_a_crowded_bucket_is_cut_and_said(near: tuple[Case, ExaminedTable]) -> None:
    table = near[1]
    few = replace(table, limits=Limits(max_candidates=1))
    sample = LeakageSample(Evidence(table))
    whole, cut = by_text(table, sample), by_text(few, sample)
    assert whole.crowded == 0 < cut.crowded
    assert 0 < cut.held + cut.train < whole.held + whole.train


def test_a_sample_is_of_the_key_alone_whatever_the_layout(near: tuple[Case, ExaminedTable]) -> None:
    table = near[1]
    evidence = Evidence(table)

    def drawn(**changes: Any) -> LeakageSample:
        other = copy.copy(evidence)
        other.table = replace(table, limits=Limits(sample_rows=100), **changes)
        return LeakageSample(other)

    sample = drawn()
    assert sample.rows.equals(drawn(df=table.df.repartition(5, "note")).rows)
    assert not sample.rows.equals(drawn(seed=1).rows)
    n_train = int(sample.flags("train").sum())
    assert 60 < n_train < 140
    assert 60 < len(sample.rows) - n_train < 140
    assert by_rows(table, sample).n_held == len(sample.rows) - n_train


@pytest.mark.parametrize(("n_columns", "similarity"), [(9, 0.8), (24, 0.8), (15, 0.5), (8, 0.8), (100, 0.9)])
def test_so_many_columns_may_differ(n_columns: int, similarity: float) -> None:
    n = n_differing(n_columns, similarity)
    assert (n_columns - n) / (n_columns + n) >= similarity - 1e-9 > (n_columns - n - 1) / (n_columns + n + 1) - 2e-9


def copies_by_pandas(frame: pd.DataFrame, features: list[str]) -> CopyCounts:
    frame = frame[frame["split"].notna()]
    rows = frame[features].astype(object).where(frame[features].notna(), "null").apply(tuple, axis=1)
    full = pd.Series(list(zip(rows, frame["y"], strict=True)), index=rows.index)
    is_train = frame["split"] == "train"
    n, n_full = rows[is_train].value_counts(), full[is_train].value_counts()
    return CopyCounts(
        n_train=int(is_train.sum()),
        n_held=int((~is_train).sum()),
        n_distinct=rows.nunique(),
        train=int((rows[is_train].map(n) > 1).sum()),
        full_train=int((full[is_train].map(n_full) > 1).sum()),
        held=int(rows[~is_train].isin(n.index).sum()),
        full_held=int(full[~is_train].isin(n_full.index).sum()),
    )


def test_copies_are_counted_as_pandas_counts_them_in_any_layout(spark: SparkSession) -> None:
    rng = np.random.default_rng(2)
    n = 600
    frame = pd.DataFrame({"a b": rng.integers(0, 8, n), "`t`": rng.choice(["x", "y", None], n)})
    frame["f"] = rng.integers(0, 4, n) / 2
    frame["y"], frame["split"] = rng.integers(0, 2, n), at_random(n, rng)
    frame.loc[:20, "split"] = None
    features = ["a b", "`t`", "f"]
    rows = of_pandas(spark, frame)
    expected = copies_by_pandas(frame, features)
    for layout in (rows, rows.repartition(3, "f")):
        assert count_copies(ExaminedTable(layout, "y", ("f",), tuple(features))) == expected
    assert 0 < expected.full_held < expected.held
    assert expected.share == expected.full_held / expected.n_held
    assert count_copies(ExaminedTable(rows.limit(0), "y", ("f",), tuple(features))).share == 0.0


def test_copies_exceed_those_of_train_only_beyond_chance() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(500):
        usual = rng.choice([0.01, 0.1, 0.4])
        train, held = rng.binomial(1000, usual), rng.binomial(300, usual)
        alarms += CopyCounts(1000, 300, 1000, train, train, held, held).exceeds_train
    assert alarms <= 3
    assert CopyCounts(1000, 300, 1000, 10, 10, 30, 30).exceeds_train
    assert not CopyCounts(1000, 300, 1000, 300, 300, 100, 100).exceeds_train


def test_labels_agree_only_beyond_chance() -> None:
    assert labels_agree(100, 100, 0.5)
    assert not labels_agree(94, 100, 0.5)
    assert not labels_agree(98, 100, 0.98)
    assert not labels_agree(0, 0, 0.5)


def test_the_plain_table_has_neither(spark: SparkSession, tmp_path: Path) -> None:
    case = plain()[0]
    case.frame["note"] = "x"
    table = of_case(case, spark, tmp_path)
    assert by_rows(table, LeakageSample(Evidence(table))).held == 0
    assert count_copies(table).held == 0
