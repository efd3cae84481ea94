"""Whole groups go to one part or fold each, and classes are shared out as scikit-learn does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from frames import of_pandas, of_rows
from traintable.errors import ConfigError
from traintable.split import group_k_fold, stratified_by_group, stratified_group_k_fold

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RATIOS = {"train": 0.6, "validation": 0.2, "test": 0.2}
GROUP = ["g.1", "g 2"]


def table() -> pd.DataFrame:
    """Groups of very different size and share of classes; null is a value of the groups and of the label."""
    rng = np.random.default_rng(3)
    sizes = rng.geometric(0.08, 240)
    rates = rng.beta(0.6, 1.4, 240)
    group = np.repeat(np.arange(240), sizes)
    frame = pd.DataFrame({"g.1": pd.array(group // 2, "Int64"), "g 2": np.where(group % 2, "odd", None)})
    frame["y`"] = np.where(rng.random(len(group)) < rates[group], "yes", "no")
    frame.loc[rng.random(len(group)) < 0.1, "y`"] = None
    frame.loc[frame["g.1"] == 7, "g.1"] = pd.NA
    return frame.assign(id=range(len(frame)))


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return of_pandas(spark, table()).cache()


@pytest.fixture(scope="module")
def known(rows: DataFrame) -> pd.DataFrame:
    """The split, with folds of train by group and by group and class."""
    split = stratified_by_group(rows, GROUP, "y`", RATIOS, seed=1)
    assert split.columns == [*rows.columns, "split"]
    folds = stratified_group_k_fold(split, GROUP, "y`", 4, seed=1, name="both")
    folds = group_k_fold(folds, GROUP, 4, seed=1)
    assert folds.columns == [*rows.columns, "split", "both", "fold"]
    return folds.toPandas().sort_values("id", ignore_index=True)


def code(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Groups and classes as whole numbers, null being one."""
    classes = frame["y`"].fillna("null").astype("category").cat.codes.to_numpy()
    return frame.groupby(GROUP, dropna=False).ngroup().to_numpy(), classes


def test_no_row_is_lost_and_no_group_is_on_two_sides(known: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(known[table().columns], table(), check_dtype=False)
    groups = known.groupby(GROUP, dropna=False)
    assert groups["split"].nunique(dropna=False).max() == 1
    assert groups["fold"].nunique(dropna=False).max() == 1
    assert groups["both"].nunique(dropna=False).max() == 1
    assert known["g.1"].isna().sum() > 2


def test_parts_have_their_shares_of_rows_and_classes(known: pd.DataFrame) -> None:
    counts = pd.crosstab(known["split"], known["y`"].fillna("null")).loc[list(RATIOS)]
    ideal = np.outer(list(RATIOS.values()), counts.sum())
    assert np.abs(counts - ideal).to_numpy().max() <= 4
    assert abs(counts.sum(axis=1) - len(known) * pd.Series(RATIOS)).max() <= 6


def test_folds_are_of_train_only_and_as_even_as_those_of_scikit_learn(known: pd.DataFrame) -> None:
    train = known[known["split"] == "train"]
    assert known["fold"].notna().equals(known["split"] == "train")
    assert known["both"].notna().equals(known["split"] == "train")
    groups, classes = code(train)
    sizes = sorted(len(test) for _, test in GroupKFold(4).split(train, groups=groups))
    assert sorted(train["fold"].value_counts()) == sizes
    ours = pd.crosstab(train["both"], classes).to_numpy()
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0).split(train, classes, groups)
    theirs = np.array([np.bincount(classes[test], minlength=3) for _, test in folds])
    assert (ours / ours.sum(axis=0)).std(axis=0).mean() <= 1.2 * (theirs / theirs.sum(axis=0)).std(axis=0).mean()


def test_any_layout_gives_the_same_parts(rows: DataFrame, known: pd.DataFrame) -> None:
    other = stratified_by_group(rows.repartition(13, "id"), GROUP, "y`", RATIOS, seed=1).toPandas()
    other = other.sort_values("id", ignore_index=True)
    pd.testing.assert_series_equal(other["split"], known["split"])


def test_the_seed_decides_which_of_like_groups_go_where(spark: SparkSession) -> None:
    """500 groups of one row: a part has exactly its number, and another seed takes others."""
    rows = of_rows(spark, "g int, y int", [(i, 1) for i in range(500)])
    parts = [
        stratified_by_group(rows, ["g"], "y", RATIOS, seed=seed).toPandas().set_index("g")["split"] for seed in (1, 2)
    ]
    for part in parts:
        assert part.value_counts().to_dict() == {"train": 300, "validation": 100, "test": 100}
    in_both = ((parts[0] == "test") & (parts[1].reindex(parts[0].index) == "test")).sum()
    assert 5 <= in_both <= 37  # 20 expected of two independent draws


def test_too_few_groups_or_rows_of_a_class_are_named(spark: SparkSession) -> None:
    rows = of_rows(spark, "g int, y string", [(i % 5, "b" if i % 5 == 0 else "a") for i in range(50)])
    with pytest.raises(ConfigError, match=r'3 splits or folds 1 row of each class of y, found .*0 of y \["b"\]'):
        stratified_by_group(rows, ["g"], "y", RATIOS, seed=1)
    with pytest.raises(ConfigError, match=r"stratified_group_k_fold.*2 splits or folds 1 row of each"):
        stratified_group_k_fold(rows, ["g"], "y", 2)
    with pytest.raises(ConfigError, match=r"group_k_fold.*6 splits or folds.*fewer groups"):
        group_k_fold(rows, ["g"], 6)
    split = stratified_by_group(rows, ["g"], "y", RATIOS, seed=1, min_rows=0)
    assert split.groupBy("g").agg({"split": "count"}).count() == 5


def test_too_many_different_groups_are_refused(rows: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traintable.split.grouped.MAX_COUNTS", 30)
    with pytest.raises(ConfigError, match="at most 30 counts of classes in different groups, found 3 classes in"):
        stratified_by_group(rows, GROUP, "y`", RATIOS, seed=1)
    monkeypatch.setattr("traintable.split.grouped.MAX_KINDS", 10)
    with pytest.raises(ConfigError, match="at most 10 different counts of classes, found more"):
        stratified_by_group(rows, GROUP, "y`", RATIOS, seed=1)


def test_no_rows_one_class_and_unknown_columns(rows: DataFrame) -> None:
    none = rows.where("false")
    assert stratified_by_group(none, GROUP, "y`", RATIOS, seed=1).count() == 0
    assert group_k_fold(none, GROUP, 3).schema["fold"].dataType.simpleString() == "int"
    with pytest.raises(ConfigError, match=r"split\.stratified_group.*'y'"):
        stratified_by_group(rows, GROUP, "y", RATIOS, seed=1)
    with pytest.raises(ConfigError, match=r"'g\.2'"):
        group_k_fold(rows, ["g.2"], 3)
